// A program or library → the zero bytes behind its loaded segments that every kernel maps with them.

import { noBits } from '../elf/sections.ts';
import type { Segment } from '../elf/segments.ts';
import { segmentType } from '../elf/segments.ts';
import type { Image } from './elf-image.ts';

export interface Room {
  /** Of the segment among the segments. */
  readonly index: number;
  readonly offset: number;
  readonly address: number;
  readonly size: number;
}

/** The smallest page of any machine. */
const pageSize = 4096;

/** File ranges [start, end) that something describes. */
function describedRanges({ header, segments, sections }: Image): (readonly [number, number])[] {
  const table = ({ offset, entrySize, count }: typeof header.programHeaders) =>
    [offset, offset + entrySize * count] as const;
  return [
    [0, header.size] as const,
    table(header.programHeaders),
    ...(sections.length > 0 ? [table(header.sectionHeaders)] : []),
    ...segments.map(({ offset, fileSize }) => [offset, offset + fileSize] as const),
    ...sections
      .filter(({ type, size }) => type !== noBits && size > 0)
      .map(({ offset, size }) => [offset, offset + size] as const),
  ].filter(([from, to]) => to > from);
}

/** The kernel clears what follows a segment's bytes where its memory is larger (fs/binfmt_elf.c, elf_load). */
function endsAsInFile({ type, fileSize, memorySize, offset, address }: Segment): boolean {
  const loaded = type === segmentType.load && fileSize > 0 && fileSize === memorySize;
  return loaded && offset % pageSize === address % pageSize;
}

/** Another segment that maps the same page hides it or is hidden. */
function isShared({ segments }: Image, index: number, address: number, size: number): boolean {
  return segments.some(
    (other, each) =>
      each !== index &&
      other.type === segmentType.load &&
      address < Math.ceil((other.address + other.memorySize) / pageSize) * pageSize &&
      address + size > Math.floor(other.address / pageSize) * pageSize,
  );
}

function roomAfter(image: Image, index: number, ranges: readonly (readonly [number, number])[]) {
  const segment = image.segments[index];
  if (segment === undefined || !endsAsInFile(segment)) return [];
  const end = segment.offset + segment.fileSize;
  if (ranges.some(([from, to]) => from < end && end < to)) return [];
  // What nothing described follows is no padding: it may belong to what was appended to the program.
  const next = Math.min(...ranges.map(([from]) => from).filter((from) => from >= end));
  if (next === Number.POSITIVE_INFINITY) return [];
  const size = Math.min(Math.ceil(end / pageSize) * pageSize, next, image.fields.size) - end;
  const address = segment.address + segment.fileSize;
  if (size <= 0 || isShared(image, index, address, size)) return [];
  if (image.fields.bytes(end, size, 'the rest of a page').some((byte) => byte !== 0)) return [];
  return [{ index, offset: end, address, size }];
}

/** The largest first. */
export function roomsOf(image: Image): Room[] {
  const ranges = describedRanges(image);
  return image.segments
    .flatMap((_, index): Room[] => roomAfter(image, index, ranges))
    .sort((a, b) => b.size - a.size);
}

/** A part of a room for some bytes, and the rooms without it; undefined where none is large enough. */
export function takeRoom(
  rooms: readonly Room[],
  size: number,
  fits: (room: Room) => boolean = () => true,
): { readonly room: Room; readonly left: readonly Room[] } | undefined {
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
export function extended(segment: Segment, { offset, size }: Room): Segment {
  const grown = Math.max(segment.fileSize, offset + size - segment.offset);
  return { ...segment, fileSize: grown, memorySize: grown };
}
