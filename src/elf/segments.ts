// The program header table → the segments.
import { PF_W, PF_X } from './gabi.ts';
import { type FieldReader, type Header, Malformed } from './reader.ts';

/** p_type values (elf.h). */
export const SEGMENT_TYPE = {
  load: 1,
  dynamic: 2,
  interpreter: 3,
  note: 4,
  tls: 7,
  gnuStack: 0x6474e551,
  gnuProperty: 0x6474e553,
} as const;

/** One Phdr; sizes and offsets in bytes, Infinity from 2^53 on. */
export interface Segment {
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly address: number;
  readonly fileSize: number;
  readonly memorySize: number;
  readonly align: number;
}

const TABLE_NAME = 'the program header table';

/** Throws Malformed when the table is not one that the kernel and ld.so would take. */
export function readSegments(fields: FieldReader, header: Header): Segment[] {
  const { offset, entrySize, count } = header.programHeaders;
  if (count === 0) return [];
  const size = fields.wide ? 56 : 32;
  // Both refuse any other e_phentsize: fs/binfmt_elf.c load_elf_phdrs, elf/dl-load.c open_verify.
  if (entrySize !== size)
    throw new Malformed(`its program headers have ${entrySize} bytes instead of ${size}`);
  if (offset + count * size > fields.size)
    throw new Malformed(`${TABLE_NAME} lies beyond the end of the file`);
  return Array.from({ length: count }, (_, index) => readSegment(fields, offset + index * size));
}

function readSegment(fields: FieldReader, at: number): Segment {
  const { u32, word, wide } = fields;
  const step = wide ? 8 : 4;
  // p_flags comes second in class 64 and last but one in class 32.
  const rest = at + step;
  return {
    type: u32(at, TABLE_NAME),
    flags: u32(wide ? at + 4 : at + 24, TABLE_NAME),
    offset: word(rest, TABLE_NAME),
    address: word(rest + step, TABLE_NAME),
    fileSize: word(rest + 3 * step, TABLE_NAME),
    memorySize: word(rest + 4 * step, TABLE_NAME),
    align: word(wide ? at + 48 : at + 28, TABLE_NAME),
  };
}

/**
 * Whether constants lie among the code, as linkers leave them that make no segment of their own for them: GNU ld before
 * 2.31, and on aarch64 still (-z noseparate-code), gold and lld with --no-rosegment.
 */
export function hasConstantsInCode(segments: readonly Segment[]): boolean {
  return !segments.some(
    ({ type, flags }) => type === SEGMENT_TYPE.load && (flags & PF_W) === 0 && (flags & PF_X) === 0,
  );
}

/** What of a segment says where it lies in memory. */
export type Mapping = Pick<Segment, 'type' | 'offset' | 'address' | 'fileSize' | 'memorySize'>;

/** Where an address lies in the file, and where the bytes that its segment has in the file end. */
interface FileRange {
  readonly offset: number;
  readonly end: number;
}

/**
 * Finds `address` in the bytes that PT_LOAD maps from the file, for who writes there. Where segments overlap the later
 * one wins, because ld.so and the kernel map them in order with MAP_FIXED. Throws Malformed when no segment has it.
 */
export function rangeOf(segments: readonly Mapping[], address: number, what: string): FileRange {
  const home = homeOf(segments, address);
  if (!home) throw new Malformed(`${what} lies outside the loaded segments`);
  return { offset: home.offset + (address - home.address), end: home.offset + home.fileSize };
}

/** True when PT_LOAD maps bytes of the file at `address`. */
export function isMapped(segments: readonly Mapping[], address: number): boolean {
  return segments.some(
    ({ type, address: start, fileSize }) =>
      type === SEGMENT_TYPE.load && address >= start && address - start < fileSize,
  );
}

/** The PT_LOAD that maps bytes of the file at `address`. */
function homeOf(segments: readonly Mapping[], address: number): Mapping | undefined {
  return segments.findLast(
    (segment) =>
      segment.type === SEGMENT_TYPE.load &&
      address >= segment.address &&
      address < segment.address + segment.fileSize,
  );
}
