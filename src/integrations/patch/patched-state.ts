// A place → the records of patched files: by farm, which the patched content names, wherever the file is moved to.
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { writeFileDurably } from '../../host/atomic-file.ts';
import type { Directories } from '../../host/directories.ts';
import { makeDirectories } from '../../host/files.ts';
import { readUndoText } from './undo-record.ts';

export interface PatchedRecord {
  readonly farm: string;
  /** Where files that name the farm were seen: absolute paths. */
  readonly files: readonly string[];
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
export function recordDirectory(dirs: Pick<Directories, 'state'>, farm: string): string {
  return path.join(patchedDirectory(dirs), keyOf(farm));
}

/** The GC root. */
export function patchedRoot(dirs: Pick<Directories, 'state'>, farm: string): string {
  return path.join(recordDirectory(dirs, farm), 'root');
}

/** @throws Node's errno errors. */
export function writePatchedRecord(dirs: Pick<Directories, 'state'>, record: PatchedRecord): void {
  const directory = recordDirectory(dirs, record.farm);
  makeDirectories(directory);
  const files = [...new Set(record.files)].sort();
  const text = `${JSON.stringify({ version: VERSION, ...record, files }, null, 2)}\n`;
  writeFileDurably(path.join(directory, 'record.json'), text);
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
    return { farm, files, undo, ...(read.pending === true ? { pending: true } : {}) };
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

/** The file is no longer one of them; with the last one root and record go. @throws Node's errno errors. */
export function forgetPatched(dirs: Pick<Directories, 'state'>, farm: string, file: string): void {
  const record = readPatchedRecord(dirs, farm);
  const files = record?.files.filter((each) => each !== file) ?? [];
  if (record !== undefined && files.length > 0) writePatchedRecord(dirs, { ...record, files });
  else rmSync(recordDirectory(dirs, farm), { recursive: true, force: true });
}
