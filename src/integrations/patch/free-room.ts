// A program or library → the zero bytes behind its loaded segments that every kernel maps with them, and between its
// sections.

import { PF_W, SHT_NOBITS } from '../../elf/gabi.ts';
import type { Segment } from '../../elf/segments.ts';
import { SEGMENT_TYPE } from '../../elf/segments.ts';
import type { EditedImage } from './elf-image.ts';

export interface FreeRoom {
  /** Of the segment among the segments. */
  readonly index: number;
  readonly offset: number;
  readonly address: number;
  readonly size: number;
}

/** The smallest page of any machine. */
const PAGE_SIZE = 4096;

/** File ranges [start, end) that something describes. */
function describedRanges({ header, segments, sections }: EditedImage): (readonly [number, number])[] {
  const table = ({ offset, entrySize, count }: typeof header.programHeaders) =>
    [offset, offset + entrySize * count] as const;
  return [
    [0, header.size] as const,
    table(header.programHeaders),
    ...(sections.length > 0 ? [table(header.sectionHeaders)] : []),
    ...segments.map(({ offset, fileSize }) => [offset, offset + fileSize] as const),
    ...sections
      .filter(({ type, size }) => type !== SHT_NOBITS && size > 0)
      .map(({ offset, size }) => [offset, offset + size] as const),
  ].filter(([from, to]) => to > from);
}

/** The kernel clears what follows a segment's bytes where its memory is larger (fs/binfmt_elf.c, elf_load). */
function endsAsInFile({ type, fileSize, memorySize, offset, address }: Segment): boolean {
  const loaded = type === SEGMENT_TYPE.load && fileSize > 0 && fileSize === memorySize;
  return loaded && offset % PAGE_SIZE === address % PAGE_SIZE;
}

/** Another segment that maps the same page hides it or is hidden. */
function isShared({ segments }: EditedImage, index: number, address: number, size: number): boolean {
  return segments.some(
    (other, each) =>
      each !== index &&
      other.type === SEGMENT_TYPE.load &&
      address < Math.ceil((other.address + other.memorySize) / PAGE_SIZE) * PAGE_SIZE &&
      address + size > Math.floor(other.address / PAGE_SIZE) * PAGE_SIZE,
  );
}

function roomAfter(image: EditedImage, index: number, ranges: readonly (readonly [number, number])[]) {
  const segment = image.segments[index];
  if (segment === undefined || !endsAsInFile(segment)) return [];
  const end = segment.offset + segment.fileSize;
  if (ranges.some(([from, to]) => from < end && end < to)) return [];
  // What nothing described follows is no padding: it may belong to what was appended to the program.
  const next = Math.min(...ranges.map(([from]) => from).filter((from) => from >= end));
  if (next === Number.POSITIVE_INFINITY) return [];
  const size = Math.min(Math.ceil(end / PAGE_SIZE) * PAGE_SIZE, next, image.fields.size) - end;
  const address = segment.address + segment.fileSize;
  if (size <= 0 || isShared(image, index, address, size)) return [];
  if (image.fields.bytes(end, size, 'the rest of a page').some((byte) => byte !== 0)) return [];
  return [{ index, offset: end, address, size }];
}

/** Zeros in front of a section that are there since it is aligned, in a segment that nobody writes. */
function roomBefore(image: EditedImage, at: number, ranges: readonly (readonly [number, number])[]) {
  const { sections, segments, fields } = image;
  const { type, address, offset, align, size } = sections[at] ?? { type: SHT_NOBITS, size: 0 };
  if (type === SHT_NOBITS || !address || !align || !size || offset === undefined) return [];
  const index = segments.findIndex(
    (each) => each.type === SEGMENT_TYPE.load && each.offset < offset && offset < each.offset + each.fileSize,
  );
  const segment = segments[index];
  if (segment === undefined || (segment.flags & PF_W) !== 0) return [];
  if (address - offset !== segment.address - segment.offset) return [];
  const inside = ranges.filter(([from, to]) => !(from <= segment.offset && to >= offset + size));
  const end = Math.max(segment.offset, ...inside.filter(([from]) => from < offset).map(([, to]) => to));
  const gap = offset - end;
  if (gap <= 0 || gap >= align || gap > PAGE_SIZE) return [];
  if (fields.bytes(end, gap, 'padding').some((byte) => byte !== 0)) return [];
  return [{ index, offset: end, address: address - gap, size: gap }];
}

/** The largest first. */
export function roomsOf(image: EditedImage): FreeRoom[] {
  const ranges = describedRanges(image);
  return [
    ...image.segments.flatMap((_, index): FreeRoom[] => roomAfter(image, index, ranges)),
    ...image.sections.flatMap((_, index): FreeRoom[] => roomBefore(image, index, ranges)),
  ].sort((a, b) => b.size - a.size);
}

/** A part of a room for some bytes, and the rooms without it; undefined where none is large enough. */
export function takeRoom(
  rooms: readonly FreeRoom[],
  size: number,
  fits: (room: FreeRoom) => boolean = () => true,
): { readonly room: FreeRoom; readonly left: readonly FreeRoom[] } | undefined {
  const room = rooms.find((each) => each.size >= size && fits(each));
  if (room === undefined) return undefined;
  const rest = {
    ...room,
    offset: room.offset + size,
    address: room.address + size,
    size: room.size - size,
  };
  const left = rooms.flatMap((each) => (each === room ? [rest] : [each]));
  return { room: { ...room, size }, left: left.sort((a, b) => b.size - a.size) };
}

/** The segment goes on to the end of what was taken. */
export function extended(segment: Segment, { offset, size }: FreeRoom): Segment {
  const grown = Math.max(segment.fileSize, offset + size - segment.offset);
  return { ...segment, fileSize: grown, memorySize: grown };
}
