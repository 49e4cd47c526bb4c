// Edits of bytes and bytes added at one place → a source of the changed bytes, and what takes them back.
import type { ByteSource } from '../../elf/reader.ts';
import { Malformed } from '../../elf/reader.ts';

export interface FileEdit {
  /** In the file as it was. */
  readonly offset: number;
  readonly bytes: Uint8Array;
  /** What is written there, for people: `interpreter`, `dynamic table` ... */
  readonly what: string;
}

/** Every edit lies in front of what is added, so offsets are the same before and after. */
export interface FileChanges {
  /** Sorted, none overlaps another. */
  readonly edits: readonly FileEdit[];
  /** At the end, or in front of a payload. */
  readonly added: { readonly at: number; readonly bytes: Uint8Array } | undefined;
}

interface UndoRange {
  readonly offset: number;
  readonly old: Uint8Array;
}

/** What makes the file again that was there before. */
export interface Undo {
  readonly size: number;
  readonly ranges: readonly UndoRange[];
  readonly added: { readonly at: number; readonly length: number } | undefined;
}

/** Differences closer than this are one. */
const GAP = 8;

/** The places where `after` differs from `before`, which begins at `offset` of the file. */
export function differences(offset: number, before: Uint8Array, after: Uint8Array, what: string): FileEdit[] {
  const found: [number, number][] = [];
  for (let at = 0; at < after.length; at += 1) {
    if (before[at] === after[at]) continue;
    const last = found.at(-1);
    if (last !== undefined && at - last[1] <= GAP) last[1] = at + 1;
    else found.push([at, at + 1]);
  }
  return found.map(([from, to]) => ({ offset: offset + from, bytes: after.subarray(from, to), what }));
}

/** @throws Malformed where edits overlap, as the tables do that they are of. */
export function sortedEdits(edits: readonly FileEdit[]): FileEdit[] {
  const sorted = [...edits].sort((a, b) => a.offset - b.offset);
  sorted.forEach((each, index) => {
    const before = sorted[index - 1];
    if (before !== undefined && before.offset + before.bytes.length > each.offset)
      throw new Malformed(`its ${before.what} and its ${each.what} overlap`);
  });
  return sorted;
}

/** Reads the old bytes. Neighbours that touch become one range. */
export function undoOf(source: ByteSource, { edits, added }: FileChanges): Undo {
  const ranges: { offset: number; length: number }[] = [];
  for (const { offset, bytes } of edits) {
    const last = ranges.at(-1);
    if (last !== undefined && offset - (last.offset + last.length) <= GAP)
      last.length = offset + bytes.length - last.offset;
    else ranges.push({ offset, length: bytes.length });
  }
  return {
    size: source.size,
    ranges: ranges.map(({ offset, length }) => ({ offset, old: Buffer.from(source.read(offset, length)) })),
    added: added && { at: added.at, length: added.bytes.length },
  };
}

interface Patch {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

function overlay(target: Uint8Array, offset: number, patches: readonly Patch[]): Uint8Array {
  const bytes = Uint8Array.from(target);
  for (const patch of patches) {
    const from = Math.max(patch.offset, offset);
    const to = Math.min(patch.offset + patch.bytes.length, offset + bytes.length);
    if (from < to) bytes.set(patch.bytes.subarray(from - patch.offset, to - patch.offset), from - offset);
  }
  return bytes;
}

/** The parts of `[offset, offset + length)` in front of, in and behind a place, each read by its own function. */
function pieces(
  offset: number,
  length: number,
  parts: readonly {
    readonly from: number;
    readonly to: number;
    read(at: number, size: number): Uint8Array;
  }[],
): Uint8Array {
  const found = parts.flatMap(({ from, to, read }) => {
    const [start, end] = [Math.max(from, offset), Math.min(to, offset + length)];
    return start < end ? [read(start, end - start)] : [];
  });
  return found.length === 1 ? (found[0] as Uint8Array) : Buffer.concat(found);
}

/** The changed file, without writing it. */
export function changedSource(source: ByteSource, { edits, added }: FileChanges): ByteSource {
  const plain = (at: number, size: number) => overlay(source.read(at, size), at, edits);
  if (added === undefined) return { size: source.size, read: plain };
  const { at: place, bytes } = added;
  const size = source.size + bytes.length;
  const behind = place + bytes.length;
  return {
    size,
    read: (offset, length) =>
      pieces(offset, length, [
        { from: 0, to: place, read: plain },
        { from: place, to: behind, read: (at, n) => bytes.subarray(at - place, at - place + n) },
        { from: behind, to: size, read: (at, n) => source.read(at - bytes.length, n) },
      ]),
  };
}

/** The file that was there before, without writing it. Undefined where the sizes do not agree. */
export function undoneSource(source: ByteSource, { size, ranges, added }: Undo): ByteSource | undefined {
  if (source.size !== size + (added?.length ?? 0)) return undefined;
  const patches = ranges.map(({ offset, old }) => ({ offset, bytes: old }));
  const place = added?.at ?? size;
  const skipped = added?.length ?? 0;
  return {
    size,
    read: (offset, length) =>
      pieces(offset, length, [
        { from: 0, to: place, read: (at, n) => overlay(source.read(at, n), at, patches) },
        { from: place, to: size, read: (at, n) => source.read(at + skipped, n) },
      ]),
  };
}
