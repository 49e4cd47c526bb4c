// The settings and the machine → the file indexes, read into their catalogue, and what is wrong with them.
import { existsSync, realpathSync, rmSync } from 'node:fs';
import type { Settings } from '../config/settings.ts';
import { findMachine, type MachineKey } from '../elf/machine.ts';
import { parsePublicKey, verifyText } from '../fingerprint/signature.ts';
import type { Directories } from '../host/directories.ts';
import { reasonOf } from '../host/errors.ts';
import { sha256OfText } from '../host/file-identity.ts';
import { DAY } from '../host/files.ts';
import { debug, notice, reportPrefix } from '../host/output.ts';
import { assertNoCatalogue } from '../index/catalogue-errors.ts';
import type { Verify } from '../index/derived-file.ts';
import type { Search } from '../index/find-database.ts';
import { type ReadIndex, type ReadIndexes, readIndexes } from '../index/manage-indexes.ts';
import { progressLine, readingText, stderrOutput } from '../index/progress-line.ts';
import type { IndexRefusal } from '../index/read-database.ts';
import { type CataloguePlace, dropSource } from '../index/read-source.ts';
import {
  type IndexSource,
  openSideCatalogue,
  type SideCatalogue,
  sideCatalogueFile,
} from '../index/side-catalogue.ts';
import type { Target } from '../index/unsuitable.ts';
import { isDamaged } from '../store/catalogue.ts';
import type { StoreLocation } from '../store/store-location.ts';
import type { Context } from './context.ts';

/** Where the catalogue of indexes is. */
export function indexPlace({ catalogues, locks }: Directories, { storeDir }: StoreLocation): CataloguePlace {
  const file = sideCatalogueFile(catalogues, storeDir);
  return { file, lock: `${locks}/file-index`, storeDir };
}

/** Where indexes are looked for. */
export function indexSearch({ index }: Settings, { env, location }: Context): Search {
  return { setting: index, env, storeDir: location.storeDir };
}

/** Signatures of indexes count by the keys that signatures of fingerprints count by. */
function indexVerifier(settings: Settings): Verify {
  const keys = settings['trusted-fingerprint-keys'].map(parsePublicKey);
  const trusted = keys.flatMap((each) => (each.kind === 'key' ? [each.key] : []));
  return (text, signatures) => {
    const verified = verifyText(text, signatures, trusted);
    return verified.kind === 'signed' ? { kind: 'accepted' } : { kind: 'refused', why: verified.why };
  };
}

function realPathOf(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return file;
  }
}

/** Milliseconds for which a file that only another environment names is kept after it was read. */
const KEPT = 30 * DAY;

/**
 * The store path of an index changes with each update: what was read of the last one is forgotten, and so is what the
 * setting names no longer. What is on a disk that is not mounted now has no successor, and counts; what is there and
 * unnamed in this environment alone is kept for others.
 */
function standingOf(
  { key, kind, built }: IndexSource,
  { read, passed, useless }: ReadIndexes,
  { setting, storeDir }: Search,
): 'counts' | 'kept' | 'forgotten' {
  if (setting === 'off') return 'kept'; // nothing is named then, and all of it when it is on again
  const named = [...read, ...passed, ...useless].map(({ file }) => realPathOf(file));
  if (kind === 'cache' || named.includes(key)) return 'counts';
  const isInStore = key.startsWith(`${storeDir}/`);
  if (!existsSync(key))
    return isInStore || (read.length > 0 && useless.length === 0) ? 'forgotten' : 'counts';
  const isOver = setting !== 'auto' || (read.length > 0 && (isInStore || Date.now() - built > KEPT));
  return isOver ? 'forgotten' : 'kept';
}

/** What cannot be forgotten now is forgotten another time. Never throws. */
async function forgetOthers(place: CataloguePlace, indexes: ReadIndexes, search: Search): Promise<void> {
  try {
    const catalogue = openSideCatalogue(place.file, place.storeDir);
    const sources = catalogue?.sources() ?? [];
    catalogue?.close();
    const others = sources.filter((each) => standingOf(each, indexes, search) === 'forgotten');
    for (const { key } of others) await dropSource(place, key);
  } catch (error) {
    debug(`the file index keeps what is of no use: ${reasonOf(error)}`);
  }
}

/** Finds and reads them, the first time with a line on the terminal. */
export async function openIndexes(
  settings: Settings,
  context: Context,
  dirs: Directories,
): Promise<ReadIndexes> {
  const line = progressLine(reportPrefix(), stderrOutput());
  const place = indexPlace(dirs, context.location);
  try {
    const search = indexSearch(settings, context);
    const indexes = await readIndexes(place, search, {
      progress: (share) => line.show(readingText(share)),
      verify: indexVerifier(settings),
      trust: sha256OfText([...settings['trusted-fingerprint-keys']].sort().join('\n')),
    });
    await forgetOthers(place, indexes, search);
    return indexes;
  } finally {
    line.end();
  }
}

/** Whether what was read of an index is asked here. */
export function countingHere(
  indexes: ReadIndexes,
  settings: Settings,
  context: Context,
): (source: IndexSource) => boolean {
  const search = indexSearch(settings, context);
  return (source) => standingOf(source, indexes, search) === 'counts';
}

/** What was read of the indexes that count here; undefined where nothing was. */
export function openCounting(
  indexes: ReadIndexes,
  settings: Settings,
  context: Context,
  dirs: Directories,
): SideCatalogue | undefined {
  const { file, storeDir } = indexPlace(dirs, context.location);
  const all = openSideCatalogue(file, storeDir);
  const catalogue = all?.only(countingHere(indexes, settings, context));
  if (catalogue === undefined || catalogue.sources().length > 0) return catalogue;
  catalogue.close();
  return undefined;
}

const READ_ANEW =
  'what was read of the file indexes is damaged, and is read anew; of a binary cache: nix-foreign index build --from';

/**
 * Does work that opens the indexes and asks their catalogue. Damaged pages show when they are looked at: where they are
 * damaged at the second look too the catalogue goes, and the work is done once more. Undefined where that meets damage
 * as well.
 * @throws ForeignError `unreadable-index` where the catalogue cannot be asked now.
 */
export async function withWholeIndexes<T>(
  { file }: Pick<CataloguePlace, 'file'>,
  work: () => Promise<T>,
): Promise<T | undefined> {
  for (const attempt of ['first', 'second', 'anew'] as const) {
    try {
      return await work();
    } catch (error) {
      // SQLite calls it damage, too, where the disk does not give a page.
      assertNoCatalogue(error, file);
      if (!isDamaged(error)) throw error;
      debug(`${file} is damaged: ${String(error)}`);
      if (attempt === 'first') continue;
      if (attempt === 'second') notice(READ_ANEW);
      rmSync(file, { force: true });
    }
  }
  return undefined;
}

/** What of an index can be loaded by a program. */
export function targetOf(key: MachineKey): Target {
  const system = findMachine(key)?.system ?? '';
  const machine = system.replace(/-linux$/, '');
  const abi = key.class === 32 && machine === 'armv7l' ? 'arm-linux-gnueabihf' : `${machine}-linux-gnu`;
  return { system, triple: abi.replace(/^i686/, 'i386'), bits: key.class };
}

interface IndexProblem {
  readonly why: string;
  readonly remedy: string;
}

/** What is wrong with a source that was read; one line of cause, one of remedy. */
export function refusedIndex(file: string, refusal: IndexRefusal): IndexProblem {
  switch (refusal.kind) {
    case 'no-index':
      return { why: `${file} is no file index`, remedy: 'name another file in index of config.toml' };
    case 'unknown-version':
      return {
        why: `${file} has format version ${refusal.version}; ${refusal.known}`,
        remedy: 'update nix-run-foreign, or take an index of an earlier format',
      };
    case 'damaged':
      return { why: `${file} is damaged (${refusal.why})`, remedy: 'get it again' };
    case 'no-libraries':
      return {
        why: `${file} has programs only, no libraries`,
        remedy: 'take the full index (nix-index-database, not -small)',
      };
    case 'untrusted':
      return {
        why: `${file} is not used: ${refusal.why}`,
        remedy: 'add the key of its maker to trusted-fingerprint-keys of config.toml',
      };
  }
}

/** What is wrong with an index; undefined for one that serves. */
export function indexProblem({ file, state }: ReadIndex): IndexProblem | undefined {
  switch (state.kind) {
    case 'read':
    case 'current':
      return state.source.refusal && refusedIndex(file, state.source.refusal);
    case 'unreadable':
      return {
        why: `${file} cannot be read: ${state.why}`,
        remedy: 'name another file in index of config.toml',
      };
    case 'changed':
      return {
        why: `${file} changed while it was read`,
        remedy: 'start it again when whatever writes it has ended',
      };
    case 'unwritable':
      return { why: `no catalogue of ${file} can be written: ${state.why}`, remedy: state.remedy };
  }
}
