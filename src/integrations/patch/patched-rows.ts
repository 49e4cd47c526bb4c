// A place → every patched file that is known in it: what it names, and whether that is there and held.
import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import { openFileSource } from '../../elf/open-elf.ts';
import type { Directories } from '../../host/directories.ts';
import { errnoOf } from '../../host/errors.ts';
import { filesBelow } from '../../host/files.ts';
import { fileWord } from '../../host/shell-words.ts';
import type { Environment } from '../../host/tool-environment.ts';
import { isRegistered } from '../../store/spare-from-collector.ts';
import { type PatchedRecord, patchedRecords, patchedRoot, unrecordedRoots } from './patched-state.ts';
import { farmsOf } from './read-patched.ts';

type PatchedFileState =
  | 'ready'
  /** Deleted, or moved: its root is kept as long as the file may be elsewhere (gone-patched.ts). */
  | 'not there'
  | 'not patched any more'
  | 'its libraries are gone';

interface PatchedRow {
  readonly file: string;
  readonly farm: string;
  readonly state: PatchedFileState;
  /** The first file that the farm names and that is not there. */
  readonly lacks: string | undefined;
  /** The GC root link; undefined where none is there, and where Nix has dropped it. */
  readonly root: string | undefined;
}

/** A file that a farm names and that is not there, the farm itself first. */
export function lackOf(farm: string): string | undefined {
  if (!existsSync(farm)) return farm;
  return [...filesBelow(farm)].find(({ file }) => !existsSync(file))?.file;
}

/** The GC root link of a farm. Undefined where it is not there or leads nowhere, and where Nix has dropped it. */
export function farmRoot(
  dirs: Pick<Directories, 'state'>,
  farm: string,
  asking: { readonly env: Environment },
): string | undefined {
  const link = patchedRoot(dirs, farm);
  return existsSync(link) && isRegistered(asking, link) ? link : undefined;
}

/** Where libraries are held, or fetched. */
interface Holding {
  readonly location: { readonly storeDir: string };
  /** Undefined without Nix. */
  readonly nix: object | undefined;
}

/**
 * What gives a patched file what it names, held: a directory of ours is never fetched, nor can Nix hold it as such.
 * Without Nix nothing is, but what is gone may be made again.
 */
export function farmRemedy(
  { file, farm, lacks }: Pick<PatchedRow, 'file' | 'farm' | 'lacks'>,
  { location, nix }: Holding,
): string {
  const again = `nix-foreign patch ${fileWord(file)}`;
  if (nix === undefined && lacks === undefined) return `once Nix is here: ${again}`;
  return nix !== undefined && farm.startsWith(`${location.storeDir}/`)
    ? `fetch them again: nix-foreign patch --repair ${fileWord(file)}`
    : `patch it again: ${again}`;
}

/** Whether a patched file names a farm; undefined where it is no file that can be looked at. */
export function namesFarm(dirs: Pick<Directories, 'state'>, file: string, farm: string): boolean | undefined {
  try {
    if (!statSync(file).isFile()) return undefined;
    const source = openFileSource(file);
    try {
      return farmsOf(source, [dirs]).includes(farm);
    } finally {
      source.close();
    }
  } catch {
    return undefined;
  }
}

/** Whether it names the farm, or may: what cannot be looked at (EACCES, EIO, ESTALE) may be there, and be started. */
export function mayNameFarm(dirs: Pick<Directories, 'state'>, file: string, farm: string): boolean {
  try {
    return statSync(file).isFile() && namesFarm(dirs, file, farm) !== false;
  } catch (error) {
    return !['ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? '');
  }
}

function stateOf(
  dirs: Pick<Directories, 'state'>,
  file: string,
  farm: string,
  lacks: string | undefined,
): PatchedFileState {
  if (mayNameFarm(dirs, file, farm)) return lacks === undefined ? 'ready' : 'its libraries are gone';
  return namesFarm(dirs, file, farm) === undefined ? 'not there' : 'not patched any more';
}

function rowsOfRecord(
  dirs: Pick<Directories, 'state'>,
  { farm, files }: PatchedRecord,
  asking: { readonly env: Environment },
): PatchedRow[] {
  const lacks = lackOf(farm);
  const root = farmRoot(dirs, farm, asking);
  return files.map((file) => ({
    file,
    farm,
    state: stateOf(dirs, file, farm, lacks),
    lacks,
    root,
  }));
}

/** Sorted by file within each farm. */
export function patchedRows(
  dirs: Pick<Directories, 'state'>,
  asking: { readonly env: Environment },
): PatchedRow[] {
  return patchedRecords(dirs).flatMap((record) => rowsOfRecord(dirs, record, asking));
}

/** A patch at work needs its root: none takes longer. In milliseconds. */
const LONGEST_PATCH = 60 * 60 * 1000;

/**
 * Record directories that a patch left which was killed before any file was its own. All others are kept: files move,
 * so that none is where it was says nothing. `now`: milliseconds since 1970.
 */
export function abandonedRoots(dirs: Pick<Directories, 'state'>, now: number): string[] {
  const old = (made: number): boolean => now - made > LONGEST_PATCH;
  const unrecorded = unrecordedRoots(dirs).filter(({ made }) => old(made));
  const pending = patchedRecords(dirs)
    .filter(
      ({ farm, files, pending: isPending }) =>
        isPending && files.every((file) => namesFarm(dirs, file, farm) === false),
    )
    .map(({ farm }) => path.dirname(patchedRoot(dirs, farm)))
    .filter((directory) => old(statSync(directory).mtimeMs));
  return [...unrecorded.map(({ directory }) => directory), ...pending].sort();
}
