// Edits of bytes and bytes added at one place → a source of the changed bytes, and what takes them back.
import { type ByteSource, fillFrom, Malformed } from '../../elf/reader.ts';

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

/** In place. */
function overlay(bytes: Uint8Array, offset: number, patches: readonly Patch[]): Uint8Array {
  for (const patch of patches) {
    const from = Math.max(patch.offset, offset);
    const to = Math.min(patch.offset + patch.bytes.length, offset + bytes.length);
    if (from < to) bytes.set(patch.bytes.subarray(from - patch.offset, to - patch.offset), from - offset);
  }
  return bytes;
}

/** A part of a source, and what puts bytes from `at` on into `bytes`. */
interface Part {
  readonly from: number;
  readonly to: number;
  fill(bytes: Uint8Array, at: number): Uint8Array;
}

/** Of parts that follow one another. */
function sourceOf(size: number, parts: readonly Part[]): ByteSource {
  const readInto = (bytes: Uint8Array, offset: number): Uint8Array => {
    let done = 0;
    for (const { from, to, fill } of parts) {
      const [start, end] = [Math.max(from, offset), Math.min(to, offset + bytes.length)];
      if (start < end) done += fill(bytes.subarray(start - offset, end - offset), start).length;
    }
    return bytes.subarray(0, done);
  };
  const read = (offset: number, length: number) =>
    readInto(Buffer.allocUnsafeSlow(Math.max(0, Math.min(length, size - offset))), offset);
  return { size, read, readInto };
}

/** The changed file, without writing it. */
export function changedSource(source: ByteSource, { edits, added }: FileChanges): ByteSource {
  const plain = (bytes: Uint8Array, at: number) => overlay(fillFrom(source, bytes, at), at, edits);
  if (added === undefined) return sourceOf(source.size, [{ from: 0, to: source.size, fill: plain }]);
  const { at: place, bytes: more } = added;
  const size = source.size + more.length;
  const behind = place + more.length;
  const fillMore = (bytes: Uint8Array, at: number) => {
    bytes.set(more.subarray(at - place, at - place + bytes.length));
    return bytes;
  };
  return sourceOf(size, [
    { from: 0, to: place, fill: plain },
    { from: place, to: behind, fill: fillMore },
    { from: behind, to: size, fill: (bytes, at) => fillFrom(source, bytes, at - more.length) },
  ]);
}

/** The file that was there before, without writing it. Undefined where the sizes do not agree. */
export function undoneSource(source: ByteSource, { size, ranges, added }: Undo): ByteSource | undefined {
  if (source.size !== size + (added?.length ?? 0)) return undefined;
  const patches = ranges.map(({ offset, old }) => ({ offset, bytes: old }));
  const place = added?.at ?? size;
  const skipped = added?.length ?? 0;
  return sourceOf(size, [
    { from: 0, to: place, fill: (bytes, at) => overlay(fillFrom(source, bytes, at), at, patches) },
    { from: place, to: size, fill: (bytes, at) => fillFrom(source, bytes, at + skipped) },
  ]);
}
