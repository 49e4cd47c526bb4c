// A program header table → the same with one more PT_LOAD in it, and what has to move out of its way.

import { DYNAMIC_TAG } from '../../elf/dynamic.ts';
import { SHT_NOBITS } from '../../elf/gabi.ts';
import { openImage } from '../../elf/image.ts';
import { isPropertyNote, readNotes } from '../../elf/notes.ts';
import { SEGMENT_TYPE, type Segment } from '../../elf/segments.ts';
import { type EditedImage, lastOf } from './elf-image.ts';

/** File ranges [start, end) whose bytes move into the new segment, sorted: `.interp`, notes, hash tables. */
export type Moved = readonly (readonly [number, number])[];

interface LoadSlot {
  readonly kind: 'slot';
  /** With the new segment, which `isNew`, in the right order. */
  place(load: Segment): Segment[];
  readonly moved: Moved;
}

type Found = LoadSlot | { readonly kind: 'none'; readonly why: string };

const PT_PHDR = 6;
/** Go's mark for a kernel patch of old (elf.h). */
const PT_PAX_FLAGS = 0x65041580;
const SHT_NOTE = 7;
/** SHT_HASH and SHT_GNU_HASH: found by one tag each, and by nothing else. */
const HASH_SECTIONS: ReadonlyMap<number, number> = new Map([
  [5, DYNAMIC_TAG.hash],
  [0x6ffffff6, DYNAMIC_TAG.gnuHash],
]);
/** More notes than these belong to somebody: a Node SEA blob has 89 MB. */
const MOST_NOTE_BYTES = 65_536;
/** Alignment leaves fewer bytes than this between two parts. */
const PADDING = 16;

/** PT_LOAD segments ascend, so the new one, with the highest address, comes behind all others. */
function inPlaceOf({ segments }: EditedImage, index: number): LoadSlot {
  return {
    kind: 'slot',
    moved: [],
    place: (load) => {
      const last = segments.findLastIndex(({ type }) => type === SEGMENT_TYPE.load);
      if (index > last) return segments.map((each, at) => (at === index ? load : each));
      const others = segments.filter((_, at) => at !== index);
      return [...others.slice(0, last), load, ...others.slice(last)];
    },
  };
}

/** A PT_NOTE of the very bytes of a PT_GNU_PROPERTY: who reads properties reads the other. */
function isRedundantNote({ segments, fields }: EditedImage, note: Segment): boolean {
  if (note.type !== SEGMENT_TYPE.note) return false;
  const isSame = segments.some(
    ({ type, offset, fileSize }) =>
      type === SEGMENT_TYPE.gnuProperty && offset === note.offset && fileSize === note.fileSize,
  );
  return isSame && [...readNotes(fields, openImage(fields, segments), [note])].every(isPropertyNote);
}

function freeEntry(image: EditedImage): number {
  const { segments } = image;
  const byType = (wanted: (segment: Segment) => boolean) => segments.findIndex(wanted);
  const found = [
    byType(({ type }) => type === 0),
    byType(({ type, fileSize, memorySize }) => type === PT_PAX_FLAGS && fileSize === 0 && memorySize === 0),
    byType((each) => isRedundantNote(image, each)),
  ];
  return found.find((index) => index >= 0) ?? -1;
}

/** What may move: the interpreter's name, small notes and hash tables, as the segments and the sections know them. */
function movable({ segments, sections, dynamic }: EditedImage): [number, number][] {
  const bySegments = segments.filter(
    ({ type, fileSize }) =>
      type === SEGMENT_TYPE.interpreter ||
      ((type === SEGMENT_TYPE.note || type === SEGMENT_TYPE.gnuProperty) && fileSize <= MOST_NOTE_BYTES),
  );
  const bySections = sections.filter(({ type, size, address }) => {
    const tag = HASH_SECTIONS.get(type);
    if (tag !== undefined) return lastOf(dynamic, tag) === address;
    return type === SHT_NOTE && address !== 0 && size <= MOST_NOTE_BYTES;
  });
  return [
    ...bySegments.map(({ offset, fileSize }): [number, number] => [offset, offset + fileSize]),
    ...bySections.map(({ offset, size }): [number, number] => [offset, offset + size]),
  ].filter(([from, to]) => to > from);
}

/** Ranges that overlap, as one; those that only touch move one by one, as far as they have to. */
function joined(ranges: readonly (readonly [number, number])[]): [number, number][] {
  const all: [number, number][] = [];
  for (const [from, to] of [...ranges].sort((a, b) => a[0] - b[0])) {
    const last = all.at(-1);
    if (last !== undefined && from < last[1]) last[1] = Math.max(last[1], to);
    else all.push([from, to]);
  }
  return all;
}

/** What else is described there must stay. */
function isInTheWay(image: EditedImage, start: number, end: number, moved: Moved): boolean {
  const overlaps = (from: number, to: number) => to > from && from < end && to > start;
  const isMoved = (from: number, to: number) => moved.some(([a, b]) => a <= from && to <= b);
  const { header, sections, segments } = image;
  const table = header.sectionHeaders;
  const tableEnd = table.offset + table.entrySize * table.count;
  if (table.offset > 0 && overlaps(table.offset, tableEnd)) return true;
  const inSections = sections.some(
    ({ type, offset, size }) =>
      type !== SHT_NOBITS && type !== 0 && overlaps(offset, offset + size) && !isMoved(offset, offset + size),
  );
  const inSegments = segments.some(
    ({ type, offset, fileSize }) =>
      type !== SEGMENT_TYPE.load &&
      type !== PT_PHDR &&
      overlaps(offset, offset + fileSize) &&
      !isMoved(offset, offset + fileSize),
  );
  return inSections || inSegments;
}

/** Without sections a larger gap may be anything. */
function hasOnlyPadding(image: EditedImage, start: number, end: number, moved: Moved): boolean {
  let at = start;
  for (const [from, to] of [...moved, [end, end] as const]) {
    const gap = Math.min(from, end) - at;
    if (gap > 0) {
      if (image.sections.length === 0 && gap >= PADDING) return false;
      if (image.fields.bytes(at, gap, 'the program headers').some((byte) => byte !== 0)) return false;
    }
    at = Math.max(at, to);
  }
  return true;
}

function withGrownHeaderTable(segments: readonly Segment[], offset: number, entrySize: number): Segment[] {
  const size = segments.length * entrySize;
  return segments.map((each) =>
    each.type === PT_PHDR && each.offset === offset && each.fileSize === size
      ? { ...each, fileSize: size + entrySize, memorySize: size + entrySize }
      : each,
  );
}

function grown(image: EditedImage): Found {
  const { segments, header } = image;
  const { offset, entrySize, count } = header.programHeaders;
  const [start, end] = [offset + count * entrySize, offset + (count + 1) * entrySize];
  const home = segments.find(
    (each) => each.type === SEGMENT_TYPE.load && each.offset <= offset && each.offset + each.fileSize >= end,
  );
  if (home === undefined || count + 1 >= 0xffff)
    return { kind: 'none', why: 'its program header table cannot grow' };
  const moved = joined(movable(image)).filter(([from, to]) => from < end && to > start);
  const blocked =
    moved.some(([from]) => from < start) ||
    isInTheWay(image, start, end, moved) ||
    !hasOnlyPadding(image, start, end, moved);
  if (blocked) return { kind: 'none', why: 'what lies behind its program headers cannot move' };
  return {
    kind: 'slot',
    moved,
    place: (load) => {
      const before = withGrownHeaderTable(segments, offset, entrySize);
      const last = before.findLastIndex(({ type }) => type === SEGMENT_TYPE.load);
      return [...before.slice(0, last + 1), load, ...before.slice(last + 1)];
    },
  };
}

/** A header that says nothing that is not said elsewhere; else the table grows over what can move. */
export function findLoadSlot(image: EditedImage): Found {
  const free = freeEntry(image);
  return free >= 0 ? inPlaceOf(image, free) : grown(image);
}
