// A dynamic program and a new interpreter → the edits of bytes that name it; no byte moves and nothing is appended.
import { type ByteSource, type FieldReader, type Header, Malformed, readHeader } from '../../elf/reader.ts';
import {
  NO_BITS,
  namesOfSections,
  readSections,
  type Section,
  sectionNamesIndex,
} from '../../elf/sections.ts';
import { readSegments, SEGMENT_TYPE, type Segment } from '../../elf/segments.ts';

export type InterpreterEdits =
  | { readonly kind: 'edits'; readonly edits: readonly ByteEdit[]; readonly room: number }
  /** `why`: one clause. */
  | { readonly kind: 'no-room'; readonly why: string };

/** The smallest page of any machine: what lies beyond the segment in its last one is mapped everywhere. */
const PAGE_SIZE = 4096;
const STRING_ALIGNMENT = 16;
const KEPT_BLOCKS = 16;
/** SHT_PROGBITS. */
const PROGRAM_BITS = 1;

/** Where the string can go: at the end of a loaded segment, in the last page of it. */
interface Room {
  readonly index: number;
  readonly segment: Segment;
  readonly offset: number;
  readonly size: number;
}

interface Parts {
  readonly fields: FieldReader;
  readonly header: Header;
  readonly segments: readonly Segment[];
  readonly sections: readonly Section[];
}

/** File ranges [start, end) that something describes. */
function describedRanges({ header, segments, sections }: Parts): [number, number][] {
  const table = ({ offset, entrySize, count }: Header['programHeaders']): [number, number] => [
    offset,
    offset + entrySize * count,
  ];
  return [
    [0, header.size],
    table(header.programHeaders),
    ...(sections.length > 0 ? [table(header.sectionHeaders)] : []),
    ...segments.map(({ offset, fileSize }): [number, number] => [offset, offset + fileSize]),
    ...sections
      .filter(({ type, size }) => type !== NO_BITS && size > 0)
      .map(({ offset, size }): [number, number] => [offset, offset + size]),
  ];
}

function isZero(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}

/** The kernel clears what follows a segment's bytes where its memory is larger (fs/binfmt_elf.c, elf_load). */
function endsAsInFile({ type, fileSize, memorySize }: Segment): boolean {
  return type === SEGMENT_TYPE.load && fileSize > 0 && fileSize === memorySize;
}

/** Another segment that maps the same page comes later or earlier, and hides or is hidden. */
function isSharedInMemory(parts: Parts, { segment, offset, size }: Room): boolean {
  const start = segment.address + (offset - segment.offset);
  return parts.segments.some(
    (other) =>
      other !== segment &&
      other.type === SEGMENT_TYPE.load &&
      start < Math.ceil((other.address + other.memorySize) / PAGE_SIZE) * PAGE_SIZE &&
      start + size > Math.floor(other.address / PAGE_SIZE) * PAGE_SIZE,
  );
}

function roomAfter(parts: Parts, index: number, ranges: readonly [number, number][]): Room | undefined {
  const segment = parts.segments[index];
  if (segment === undefined || !endsAsInFile(segment)) return undefined;
  if (segment.offset % PAGE_SIZE !== segment.address % PAGE_SIZE) return undefined;
  const end = segment.offset + segment.fileSize;
  const offset = Math.ceil(end / STRING_ALIGNMENT) * STRING_ALIGNMENT;
  const pageEnd = Math.ceil(end / PAGE_SIZE) * PAGE_SIZE;
  if (ranges.some(([from, to]) => from < offset && offset < to)) return undefined;
  // What nothing described follows is no padding: it may belong to what was appended to the program.
  const next = Math.min(...ranges.map(([from]) => from).filter((from) => from >= end));
  const size = Math.min(pageEnd, next, parts.fields.size) - offset;
  if (size <= 0 || next === Number.POSITIVE_INFINITY) return undefined;
  if (!isZero(parts.fields.bytes(end, offset + size - end, 'the rest of a page'))) return undefined;
  const room = { index, segment, offset, size };
  return isSharedInMemory(parts, room) ? undefined : room;
}

/** The largest first. */
function roomsOf(parts: Parts): Room[] {
  const ranges = describedRanges(parts);
  return parts.segments
    .map((_, index) => roomAfter(parts, index, ranges))
    .filter((room) => room !== undefined)
    .sort((a, b) => b.size - a.size);
}

/** p_offset, p_vaddr and p_paddr, p_filesz and p_memsz of one program header. */
function headerEdits(
  header: Header,
  index: number,
  { offset, address, size }: { offset?: number; address?: number; size: number },
): ByteEdit[] {
  const step = header.class === 64 ? 8 : 4;
  const first = header.programHeaders.offset + index * header.programHeaders.entrySize + step;
  const edit = (field: number, value: number | undefined) =>
    value === undefined ? [] : [wordEdit(header, first + field * step, value)];
  return [...edit(0, offset), ...edit(1, address), ...edit(2, address), ...edit(3, size), ...edit(4, size)];
}

/** The section over the old string, which debuggers read (gdb, solib-svr4.c), says the new place too. */
function sectionEdits(parts: Parts, old: Segment, place: { offset: number; address: number; size: number }) {
  const { header, sections } = parts;
  const section = sections.find(({ offset, size }) => offset === old.offset && size === old.fileSize);
  if (section === undefined) return [];
  const [address, offset, size] = header.class === 64 ? [16, 24, 32] : [12, 16, 20];
  return [
    wordEdit(header, section.at + (address ?? 0), place.address),
    wordEdit(header, section.at + (offset ?? 0), place.offset),
    wordEdit(header, section.at + (size ?? 0), place.size),
  ];
}

/** The segment of the old interpreter, where the new one fits, and its text. */
interface InterpreterRoom {
  readonly old: Segment;
  readonly room: Room;
  readonly text: Uint8Array;
}

/** At the end of a segment: the name lies in the file and in memory, and everybody reads the new one. */
function editsInRoom(parts: Parts, index: number, { old, room, text }: InterpreterRoom): ByteEdit[] {
  const { header } = parts;
  const { segment } = room;
  const address = segment.address + (room.offset - segment.offset);
  const place = { offset: room.offset, address, size: text.length };
  return [
    { offset: room.offset, bytes: text },
    ...headerEdits(header, index, place),
    // The string belongs to the segment now: ld.so reads it from memory, at p_vaddr (elf/rtld.c, rtld_setup_main_map).
    ...headerEdits(header, room.index, { size: room.offset + text.length - segment.offset }),
    ...sectionEdits(parts, old, place),
  ];
}

/** A section of compilers' names, which nobody reads while the program runs, and which is not in memory. */
function commentOf({ fields, header, segments, sections }: Parts): Section | undefined {
  const names = namesOfSections(fields, sections, sectionNamesIndex(fields, header));
  const comment = sections[names.indexOf('.comment')];
  if (comment === undefined || comment.type !== PROGRAM_BITS || comment.address !== 0) return undefined;
  const end = comment.offset + comment.size;
  const overlaps = (offset: number, size: number) => offset < end && offset + size > comment.offset;
  const isAlone =
    !segments.some(({ offset, fileSize }) => overlaps(offset, fileSize)) &&
    !sections.some((each) => each !== comment && each.type !== NO_BITS && overlaps(each.offset, each.size));
  return isAlone && end <= fields.size ? comment : undefined;
}

function editsOf(parts: Parts, text: Uint8Array): InterpreterEdits {
  const index = parts.segments.findIndex(({ type }) => type === SEGMENT_TYPE.interpreter);
  const old = parts.segments[index];
  if (old === undefined) return { kind: 'no-room', why: 'it names no interpreter' };
  const [room] = roomsOf(parts);
  if (room !== undefined && room.size >= text.length)
    return { kind: 'edits', room: room.size, edits: editsInRoom(parts, index, { old, room, text }) };
  const comment = commentOf(parts);
  if (comment === undefined || comment.size < text.length) {
    const free = Math.max(room?.size ?? 0, comment?.size ?? 0);
    return { kind: 'no-room', why: `there are ${free} free bytes for ${text.length}` };
  }
  // The kernel reads the name from the file (fs/binfmt_elf.c); at p_vaddr ld.so still finds what it knows itself by.
  const place = { offset: comment.offset, size: text.length };
  const edits = [{ offset: comment.offset, bytes: text }, ...headerEdits(parts.header, index, place)];
  return { kind: 'edits', room: comment.size, edits };
}

/**
 * Finds room for the new name in the zero bytes between a loaded segment and the end of its last page, which every
 * kernel maps with it (elf(5), mmap(2)); where the linker left none, as lld does, in `.comment`. Every other byte stays
 * where it is. Total: any bytes give an answer.
 */
export function interpreterEdits(source: ByteSource, interpreter: string): InterpreterEdits {
  try {
    const read = readHeader(source, KEPT_BLOCKS);
    if (read === undefined) return { kind: 'no-room', why: 'it is not an ELF file' };
    const { header, fields } = read;
    const segments = readSegments(fields, header);
    const parts = { fields, header, segments, sections: readSections(fields, header) };
    return editsOf(parts, Buffer.from(`${interpreter}\0`));
  } catch (error) {
    if (error instanceof Malformed) return { kind: 'no-room', why: error.message };
    throw error;
  }
}

/** Bytes to be written over what lies at a file offset. */
export interface ByteEdit {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** Elf_Addr, Elf_Off, Elf_Xword (class 64) or Elf_Word (class 32) at an offset. */
export function wordEdit(header: Header, offset: number, value: number): ByteEdit {
  const wide = header.class === 64;
  const bytes = new Uint8Array(wide ? 8 : 4);
  const view = new DataView(bytes.buffer);
  const little = header.byteOrder === 'little';
  if (wide) view.setBigUint64(0, BigInt(value), little);
  else view.setUint32(0, value, little);
  return { offset, bytes };
}
