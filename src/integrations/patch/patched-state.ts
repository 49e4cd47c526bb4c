// A place → the records of patched files: by farm, which the patched content names, wherever the file is moved to.
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { writeFileDurably } from '../../host/atomic-file.ts';
import type { Directories } from '../../host/directories.ts';
import { makeDirectories } from '../../host/files.ts';
import { withLock } from '../../host/mutex.ts';
import { readUndoText } from './undo-record.ts';

/** Of a file before it was patched. */
interface OwnStats {
  readonly mode: number;
  /** Nanoseconds since 1970, decimal. */
  readonly mtime: string;
}

export interface PatchedRecord {
  readonly farm: string;
  /** Where files that name the farm were seen: absolute paths. */
  readonly files: readonly string[];
  /** Where files were that were made again what they were: copies that nobody told us of may name the farm. */
  readonly former?: readonly string[];
  /** By file: files of one content share what is in `undo`, also the mode and time of one of them. */
  readonly own?: Readonly<Record<string, OwnStats>>;
  /** As in the farm (undo-record.ts). */
  readonly undo: string;
  /** Written before the first file was renamed: whoever was killed then left a root that nothing needs. */
  readonly pending?: true;
}

const VERSION = 1;
const MAXIMUM_SIZE = 64 << 20;

export function patchedDirectory({ state }: Pick<Directories, 'state'>): string {
  return path.join(state, 'patched');
}

/** A farm in the state directory is called `farm`, in a directory of its own; one in the store by its hash. */
function keyOf(farm: string): string {
  const name = path.basename(farm);
  return name === 'farm' ? path.basename(path.dirname(farm)) : name;
}

/** Where the record and the root of a farm lie. */
function recordDirectory(dirs: Pick<Directories, 'state'>, farm: string): string {
  return path.join(patchedDirectory(dirs), keyOf(farm));
}

/** The GC root. */
export function patchedRoot(dirs: Pick<Directories, 'state'>, farm: string): string {
  return path.join(recordDirectory(dirs, farm), 'root');
}

/** @throws Node's errno errors. */
export function writePatchedRecord(dirs: Pick<Directories, 'state'>, record: PatchedRecord): void {
  const directory = recordDirectory(dirs, record.farm);
  // A farm that lies in it is for whoever starts the file.
  makeDirectories(directory, 0o755);
  const files = [...new Set(record.files)].sort();
  const text = `${JSON.stringify({ version: VERSION, ...record, files }, null, 2)}\n`;
  writeFileDurably(path.join(directory, 'record.json'), text);
}

function readOwn(value: unknown): [string, OwnStats][] {
  return Object.entries(value ?? {}).flatMap(([file, own]: [string, Partial<OwnStats> | null]) => {
    const [mode, mtime] = [own?.mode, own?.mtime];
    if (!Number.isSafeInteger(mode) || !/^-?\d{1,20}$/.test(String(mtime))) return [];
    return [[file, { mode: Number(mode) & 0o7777, mtime: String(mtime) }]];
  });
}

function readRecordFile(file: string): PatchedRecord | undefined {
  try {
    const text = readFileSync(file, 'utf8');
    if (text.length > MAXIMUM_SIZE) return undefined;
    const read = JSON.parse(text) as Partial<PatchedRecord & { version: number }>;
    const { version, farm, files, undo } = read;
    if (version !== VERSION || typeof farm !== 'string' || !path.isAbsolute(farm)) return undefined;
    if (!Array.isArray(files) || !files.every((each) => typeof each === 'string')) return undefined;
    if (typeof undo !== 'string' || readUndoText(undo) === undefined) return undefined;
    const former = Array.isArray(read.former) ? read.former.filter((each) => typeof each === 'string') : [];
    const own = readOwn(read.own);
    return {
      farm,
      files,
      undo,
      ...(own.length > 0 ? { own: Object.fromEntries(own) } : {}),
      ...(former.length > 0 ? { former } : {}),
      ...(read.pending === true ? { pending: true } : {}),
    };
  } catch {
    return undefined;
  }
}

/** Undefined where there is none or it is damaged. */
export function readPatchedRecord(dirs: Pick<Directories, 'state'>, farm: string): PatchedRecord | undefined {
  const record = readRecordFile(path.join(recordDirectory(dirs, farm), 'record.json'));
  return record?.farm === farm ? record : undefined;
}

/** Directories of a root without a record, which a patch that was ended made; milliseconds since 1970 of each. */
export function unrecordedRoots(dirs: Pick<Directories, 'state'>): { directory: string; made: number }[] {
  try {
    return readdirSync(patchedDirectory(dirs))
      .map((name) => path.join(patchedDirectory(dirs), name))
      .filter((directory) => !existsSync(path.join(directory, 'record.json')))
      .map((directory) => ({ directory, made: statSync(directory).mtimeMs }));
  } catch {
    return [];
  }
}

/** Sorted by farm. */
export function patchedRecords(dirs: Pick<Directories, 'state'>): PatchedRecord[] {
  try {
    const names = readdirSync(patchedDirectory(dirs)).sort();
    const files = names.map((name) => path.join(patchedDirectory(dirs), name, 'record.json'));
    return files.map(readRecordFile).filter((each) => each !== undefined);
  } catch {
    return [];
  }
}

/** Says since when no file is known that names the farm, by its time (gone-patched.ts). */
export function missingMark(dirs: Pick<Directories, 'state'>, farm: string): string {
  return path.join(recordDirectory(dirs, farm), 'missing');
}

type RecordPlace = Pick<Directories, 'state' | 'locks'>;

/** One process at a time: what another adds meanwhile would be lost. */
async function withRecord<T>(
  dirs: RecordPlace,
  farm: string,
  work: (record: PatchedRecord | undefined) => T,
): Promise<T> {
  const lock = path.join(dirs.locks, `patched-${keyOf(farm)}`);
  return await withLock(lock, async () => work(readPatchedRecord(dirs, farm)));
}

/**
 * Before the farm is there and the first file renamed. @returns the names that the record did not have. @throws Node's
 * errno errors.
 */
export async function keepPatched(
  dirs: RecordPlace,
  { farm, undo, stats }: Pick<PatchedRecord, 'farm' | 'undo'> & { readonly stats?: OwnStats },
  names: readonly string[],
): Promise<string[]> {
  return await withRecord(dirs, farm, (known) => {
    const pending = known === undefined ? ({ pending: true } as const) : {};
    const files = known?.files ?? [];
    const added = stats === undefined ? [] : names.map((name) => [name, stats] as const);
    const own = { ...known?.own, ...Object.fromEntries(added) };
    writePatchedRecord(dirs, { ...known, ...pending, farm, files: [...files, ...names], own, undo });
    return names.filter((name) => !files.includes(name));
  });
}

/** The files are there. @throws Node's errno errors. */
export async function settlePatched(dirs: RecordPlace, farm: string): Promise<void> {
  await withRecord(dirs, farm, (record) => {
    rmSync(missingMark(dirs, farm), { force: true });
    if (record?.pending !== true) return;
    const { pending: _, ...settled } = record;
    writePatchedRecord(dirs, settled);
  });
}

/** A file that names a farm of the record was seen there. @throws Node's errno errors. */
export async function rememberPatched(dirs: RecordPlace, farm: string, file: string): Promise<void> {
  await withRecord(dirs, farm, (record) => {
    if (record !== undefined) writePatchedRecord(dirs, { ...record, files: [...record.files, file] });
  });
}

function without({ files, own = {} }: PatchedRecord, names: readonly string[]) {
  const left = Object.entries(own).filter(([file]) => !names.includes(file));
  return { files: files.filter((each) => !names.includes(each)), own: Object.fromEntries(left) };
}

/**
 * A patch failed: the names that it added go, and root and record where it began them. Those that were there before
 * stay, since copies of what was unpatched may need them. @throws Node's errno errors.
 */
export async function withdrawPatched(
  dirs: RecordPlace,
  farm: string,
  added: readonly string[],
): Promise<void> {
  await withRecord(dirs, farm, (record) => {
    if (record === undefined) return;
    const { files, own } = without(record, added);
    const isBegun = record.pending === true && record.former === undefined;
    if (isBegun && files.length === 0) rmSync(recordDirectory(dirs, farm), { recursive: true, force: true });
    else writePatchedRecord(dirs, { ...record, files, own });
  });
}

/** Nothing names the farm by these names; where nothing did by others, root and record go. @throws errno errors. */
export async function dropPatched(dirs: RecordPlace, farm: string, names: readonly string[]): Promise<void> {
  await withRecord(dirs, farm, (record) => {
    if (record === undefined) return;
    const { files, own } = without(record, names);
    const former = (record.former ?? []).filter((each) => !names.includes(each));
    if (files.length > 0 || former.length > 0) writePatchedRecord(dirs, { ...record, files, own, former });
    else rmSync(recordDirectory(dirs, farm), { recursive: true, force: true });
  });
}

/**
 * These files are no longer among them. Others may be copies of them, which need root and undo data: with the last one
 * the record says where it was, and prune looks there as for one that was moved. @throws Node's errno errors.
 */
export async function forgetPatched(
  dirs: RecordPlace,
  farm: string,
  names: readonly string[],
): Promise<void> {
  await withRecord(dirs, farm, (record) => {
    if (record === undefined || !names.some((each) => record.files.includes(each))) return;
    const { files, own } = without(record, names);
    const former = [...new Set([...(record.former ?? []), ...names])].sort();
    writePatchedRecord(dirs, { ...record, files, own, former });
    if (files.length === 0) writeFileSync(missingMark(dirs, farm), '');
  });
}
