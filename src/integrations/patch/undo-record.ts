// What makes patched files again what they were → the document that is kept in their farm and beside their root,
// and back.
import type { Undo } from './file-changes.ts';

/** Bump when the meaning changes. */
const VERSION = 1;

/** Of one file. */
export interface UndoRecord extends Undo {
  /** Of the file as it was. */
  readonly sha256: string;
  readonly mode: number;
  /** Nanoseconds since 1970; negative before it. */
  readonly mtime: bigint;
}

interface Written {
  readonly sha256: string;
  readonly size: number;
  readonly mode: number;
  readonly mtime: string;
  readonly added?: { readonly at: number; readonly length: number };
  /** Offset, then the old bytes in hexadecimal digits. */
  readonly ranges: readonly (readonly [number, string])[];
}

function written({ sha256, size, mode, mtime, added, ranges }: UndoRecord): Written {
  return {
    sha256,
    size,
    mode,
    mtime: String(mtime),
    ...(added === undefined ? {} : { added: { at: added.at, length: added.length } }),
    ranges: ranges.map(({ offset, old }) => [offset, Buffer.from(old).toString('hex')]),
  };
}

/** One line; the same records give the same bytes. */
export function undoText(records: readonly UndoRecord[]): string {
  const files = [...records].sort((a, b) => (a.sha256 < b.sha256 ? -1 : 1)).map(written);
  return `${JSON.stringify({ version: VERSION, files })}\n`;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isRange(value: unknown): value is [number, string] {
  return Array.isArray(value) && isCount(value[0]) && /^(?:[0-9a-f]{2})+$/.test(String(value[1]));
}

function readFile(value: Partial<Written> | null): UndoRecord | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { sha256, size, mode, mtime, added, ranges } = value;
  if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/.test(sha256)) return undefined;
  if (!isCount(size) || !isCount(mode) || !/^-?\d{1,20}$/.test(String(mtime))) return undefined;
  if (added !== undefined && !(isCount(added?.at) && isCount(added?.length))) return undefined;
  if (!Array.isArray(ranges) || !ranges.every(isRange)) return undefined;
  const read = ranges.map(([offset, old]) => ({ offset, old: Buffer.from(old, 'hex') }));
  if (read.some(({ offset, old }) => offset + old.length > size)) return undefined;
  return { sha256, size, mode: mode & 0o7777, mtime: BigInt(String(mtime)), added, ranges: read };
}

/** Undefined for what is no such document. */
export function readUndoText(text: string): UndoRecord[] | undefined {
  try {
    const { version, files } = JSON.parse(text) as { version?: unknown; files?: unknown };
    if (version !== VERSION || !Array.isArray(files)) return undefined;
    const records = files.map(readFile);
    return records.every((each) => each !== undefined) ? records : undefined;
  } catch {
    return undefined;
  }
}
