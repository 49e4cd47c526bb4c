// A place → the records of patched files: by farm, which the patched content names, wherever the file is moved to.
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { writeFileDurably } from '../platform/atomic-file.ts';
import { makeDirectories } from '../platform/make-directories.ts';
import type { Place } from '../platform/places.ts';
import { readUndoText } from './undo-record.ts';

export interface PatchedRecord {
  readonly farm: string;
  /** Where files that name the farm were seen: absolute paths. */
  readonly files: readonly string[];
  /** As in the farm (undo-record.ts). */
  readonly undo: string;
}

const VERSION = 1;
const MAXIMUM_SIZE = 64 << 20;

export function patchedDirectory({ state }: Pick<Place, 'state'>): string {
  return path.join(state, 'patched');
}

/** A farm in the state directory is called `farm`, in a directory of its own; one in the store by its hash. */
function keyOf(farm: string): string {
  const name = path.basename(farm);
  return name === 'farm' ? path.basename(path.dirname(farm)) : name;
}

/** Where the record and the root of a farm lie. */
export function recordDirectory(place: Pick<Place, 'state'>, farm: string): string {
  return path.join(patchedDirectory(place), keyOf(farm));
}

/** The GC root. */
export function patchedRoot(place: Pick<Place, 'state'>, farm: string): string {
  return path.join(recordDirectory(place, farm), 'root');
}

/** @throws Node's errno errors. */
export function writePatchedRecord(place: Pick<Place, 'state'>, record: PatchedRecord): void {
  const directory = recordDirectory(place, record.farm);
  makeDirectories(directory);
  const files = [...new Set(record.files)].sort();
  const text = `${JSON.stringify({ version: VERSION, ...record, files }, null, 2)}\n`;
  writeFileDurably(path.join(directory, 'record.json'), text);
}

function readRecordFile(file: string): PatchedRecord | undefined {
  try {
    const text = readFileSync(file, 'utf8');
    if (text.length > MAXIMUM_SIZE) return undefined;
    const { version, farm, files, undo } = JSON.parse(text) as Partial<PatchedRecord & { version: number }>;
    if (version !== VERSION || typeof farm !== 'string' || !path.isAbsolute(farm)) return undefined;
    if (!Array.isArray(files) || !files.every((each) => typeof each === 'string')) return undefined;
    if (typeof undo !== 'string' || readUndoText(undo) === undefined) return undefined;
    return { farm, files, undo };
  } catch {
    return undefined;
  }
}

/** Undefined where there is none or it is damaged. */
export function readPatchedRecord(place: Pick<Place, 'state'>, farm: string): PatchedRecord | undefined {
  const record = readRecordFile(path.join(recordDirectory(place, farm), 'record.json'));
  return record?.farm === farm ? record : undefined;
}

/** Sorted by farm. */
export function patchedRecords(place: Pick<Place, 'state'>): PatchedRecord[] {
  try {
    const names = readdirSync(patchedDirectory(place)).sort();
    const files = names.map((name) => path.join(patchedDirectory(place), name, 'record.json'));
    return files.map(readRecordFile).filter((each) => each !== undefined);
  } catch {
    return [];
  }
}

/** The file is no longer one of them; with the last one root and record go. @throws Node's errno errors. */
export function forgetPatched(place: Pick<Place, 'state'>, farm: string, file: string): void {
  const record = readPatchedRecord(place, farm);
  const files = record?.files.filter((each) => each !== file) ?? [];
  if (record !== undefined && files.length > 0) writePatchedRecord(place, { ...record, files });
  else rmSync(recordDirectory(place, farm), { recursive: true, force: true });
}
