// The bytes of a file → what ld.so would decide by, read through the program headers only: its dynamic table, notes and
// stack, what ld.so would refuse it for as a library, and where what the headers describe ends.

import { DYNAMIC_TAG, LONGEST_LIST, LONGEST_NAME, readDynamicTable, readStringTable } from './dynamic.ts';
import type { DlopenNote, ElfFile } from './elf-file.ts';
import { DF_1_PIE, ET_DYN, ET_EXEC, PF_X, SHT_NOBITS } from './gabi.ts';
import { type Image, openImage } from './image.ts';
import { isDlopenNote, isPropertyNote, readDlopenNote, readIsaNeeded, readNotes } from './notes.ts';
import { type ByteSource, type FieldReader, type Header, Malformed, readHeader } from './reader.ts';
import { isMapped, readSegments, SEGMENT_TYPE, type Segment } from './segments.ts';
import { readVerdef, readVerneed } from './versions.ts';

export type ElfReading =
  | { readonly kind: 'elf'; readonly file: ElfFile }
  | { readonly kind: 'not-elf' }
  /** `why`: one clause for people, e.g. `the program header table lies beyond the end of the file`. */
  | { readonly kind: 'bad-elf'; readonly why: string };

/** 1 MiB of blocks; a library takes two to four of them. */
const CACHED_BLOCKS = 64;
/** Segments may overlap, so that the same notes could be read again and again. */
const MOST_NOTE_BYTES = 1_048_576;

/**
 * Total: any bytes give a reading, in time and memory linear in the file's size at worst, and about three reads of
 * 16 KiB for a usual library. Only an error of `source.read` itself (EIO) passes through.
 */
export function readElf(source: ByteSource): ElfReading {
  try {
    const read = readHeader(source, CACHED_BLOCKS);
    if (!read) return { kind: 'not-elf' };
    return { kind: 'elf', file: readObject(read.fields, read.header) };
  } catch (error) {
    if (error instanceof Malformed) return { kind: 'bad-elf', why: error.message };
    throw error;
  }
}

function readObject(fields: FieldReader, header: Header): ElfFile {
  const loadable = header.type === ET_EXEC || header.type === ET_DYN;
  const segments = loadable ? readSegments(fields, header) : [];
  if (loadable) refuseUnmappable(fields, segments);
  const image = openImage(fields, segments);
  const dynamic = readDynamic(image, segments);
  const loadError = findLoadError(header, segments, dynamic);
  return {
    class: header.class,
    byteOrder: header.byteOrder,
    machine: header.machine,
    osAbi: header.ident[7] ?? 0,
    abiVersion: header.ident[8] ?? 0,
    type: header.type,
    entry: isMapped(segments, header.entry) ? header.entry : 0,
    interpreter: readInterpreter(fields, segments),
    ...dynamic,
    ...readUsedNotes(fields, image, header, segments),
    stack: stackOf(segments),
    ...(loadError !== undefined && { loadError }),
    end: describedEnd(fields, header, segments),
  };
}

/**
 * Neither the kernel nor ld.so maps an object without PT_LOAD. Nobody checks before mapping whether a segment goes on
 * after the end of the file, but touching a page without any byte of the file kills the program with SIGBUS. The rest
 * of the last page is zeros, so a segment may end there.
 */
function refuseUnmappable(fields: FieldReader, segments: readonly Segment[]): void {
  if (!segments.some(({ type }) => type === SEGMENT_TYPE.load))
    throw new Malformed('it has no segment to load');
  const lastPage = Math.ceil(fields.size / 4096) * 4096;
  for (const { type, offset, fileSize } of segments) {
    if (type === SEGMENT_TYPE.load && fileSize > 0 && offset + fileSize > lastPage) {
      throw new Malformed('the file is cut off: a segment to load lies beyond its end');
    }
  }
}

/** The kernel takes the first PT_INTERP, of 2 to PATH_MAX bytes, ending in NUL (fs/binfmt_elf.c, load_elf_binary). */
function readInterpreter(fields: FieldReader, segments: readonly Segment[]): string | undefined {
  const segment = segments.find(({ type }) => type === SEGMENT_TYPE.interpreter);
  if (!segment) return undefined;
  const { offset, fileSize } = segment;
  const what = 'the name of its interpreter';
  if (fileSize < 2 || fileSize > LONGEST_NAME) throw new Malformed(`${what} has an impossible length`);
  if (fields.bytes(offset + fileSize - 1, 1, what)[0] !== 0) throw new Malformed(`${what} has no end`);
  return fields.text(offset, offset + fileSize, LONGEST_NAME, what);
}

function readDynamic(image: Image, segments: readonly Segment[]) {
  const table = readDynamicTable(image, segments);
  const all = (tag: number) => table?.all(tag) ?? [];
  const last = (tag: number) => table?.last(tag);
  const strings = readStringTable(image, last(DYNAMIC_TAG.strtab));
  const names = (tag: number, what: string) => all(tag).map((index) => strings.at(index, what));
  const text = (tag: number, what: string, longest: number) => {
    const index = last(tag);
    return index === undefined ? undefined : strings.at(index, what, longest);
  };
  const verneed = last(DYNAMIC_TAG.verneed);
  const verdef = last(DYNAMIC_TAG.verdef);
  return {
    dynamic: table !== undefined,
    soname: text(DYNAMIC_TAG.soname, 'its soname', LONGEST_NAME),
    needed: names(DYNAMIC_TAG.needed, 'the name of a needed library'),
    rpath: text(DYNAMIC_TAG.rpath, 'its rpath', LONGEST_LIST),
    runpath: text(DYNAMIC_TAG.runpath, 'its runpath', LONGEST_LIST),
    verneed: verneed === undefined ? [] : readVerneed(image, verneed, strings).verneed,
    verdef: verdef === undefined ? [] : readVerdef(image, verdef, strings).map(({ name }) => name),
    hasVerdef: verdef !== undefined,
    hasVersym: last(DYNAMIC_TAG.versym) !== undefined,
    flags: flagsOf(last(DYNAMIC_TAG.flags)),
    flags1: flagsOf(last(DYNAMIC_TAG.flags1)),
    auxiliary: names(DYNAMIC_TAG.auxiliary, 'the name of an auxiliary library'),
    filter: names(DYNAMIC_TAG.filter, 'the name of a filtered library'),
    audit: [
      ...names(DYNAMIC_TAG.audit, 'the name of an audit library'),
      ...names(DYNAMIC_TAG.depaudit, 'the name of an audit library'),
    ],
    hasRelr: last(DYNAMIC_TAG.relr) !== undefined,
    hasDebug: last(DYNAMIC_TAG.debug) !== undefined,
  };
}

function flagsOf(value: number | undefined): number {
  return value === undefined || !Number.isFinite(value) ? 0 : value % 0x1_0000_0000;
}

function readUsedNotes(fields: FieldReader, image: Image, header: Header, segments: readonly Segment[]) {
  const dlopen: DlopenNote[] = [];
  let isaNeeded = 0;
  let left = MOST_NOTE_BYTES;
  for (const note of readNotes(fields, image, segments)) {
    if (note.size > left || !(isDlopenNote(note) || isPropertyNote(note))) continue;
    left -= note.size;
    if (isDlopenNote(note)) dlopen.push(...readDlopenNote(note));
    else isaNeeded |= readIsaNeeded(note, header.machine, fields.wide ? 8 : 4);
  }
  return { dlopen, isaNeeded };
}

/** The last PT_GNU_STACK counts; without one the kernel makes the stack executable on x86 (fs/binfmt_elf.c). */
function stackOf(segments: readonly Segment[]): ElfFile['stack'] {
  const segment = segments.findLast(({ type }) => type === SEGMENT_TYPE.gnuStack);
  if (!segment) return 'absent';
  return (segment.flags & PF_X) !== 0 ? 'executable' : 'plain';
}

/** Compilers that put every function in a section of its own stay below it even before linking. */
const MOST_SECTIONS = 1_048_576;

/**
 * A file offset in bytes, at most the file's size. The section headers are read only when bytes are left after the
 * segments and their own table, since most linkers write that table last; Go's writes it first.
 * They count for nothing where they make no sense: neither the kernel nor ld.so looks at them.
 */
export function describedEnd(fields: FieldReader, header: Header, segments: readonly Segment[]): number {
  const { offset, entrySize } = header.sectionHeaders;
  const fits = (end: number) => end <= fields.size;
  let end: number = header.size;
  const programHeaders = header.programHeaders;
  const cover = (to: number) => {
    if (fits(to)) end = Math.max(end, to);
  };
  if (segments.length > 0) cover(programHeaders.offset + programHeaders.count * programHeaders.entrySize);
  for (const segment of segments) cover(segment.offset + segment.fileSize);
  if (offset === 0 || entrySize !== (fields.wide ? 64 : 40)) return end;
  const count = sectionCount(fields, header);
  if (count > MOST_SECTIONS || !fits(offset + count * entrySize)) return end;
  cover(offset + count * entrySize);
  if (end === fields.size) return end;
  for (let at = offset; at < offset + count * entrySize; at += entrySize) {
    if (fields.u32(at + 4, 'a section header') === SHT_NOBITS) continue;
    const start = fields.word(at + (fields.wide ? 24 : 16), 'a section header');
    cover(start + fields.word(at + (fields.wide ? 32 : 20), 'a section header'));
  }
  return end;
}

/**
 * Whether what lies behind `end`, where everything described ends, only fills the last page up, as Go's linker leaves
 * it (cmd/link, without symbols): that is nobody's.
 */
export function isPadding(source: ByteSource, end: number): boolean {
  if (source.size % PAGE_SIZE !== 0 || source.size - end >= PAGE_SIZE) return false;
  return source.read(end, source.size - end).every((byte) => byte === 0);
}

/** e_shnum, or sh_size of the first section header when there are more than 65279 (gABI chapter 4). */
function sectionCount(fields: FieldReader, header: Header): number {
  const { offset, entrySize, count } = header.sectionHeaders;
  if (count !== 0 || offset + entrySize > fields.size) return count;
  return fields.word(offset + (fields.wide ? 32 : 20), 'a section header');
}

const GNU = 3;
/** LIBC_ABI_MAX of the oldest glibc here is 4 (libc-abis). */
const HIGHEST_GNU_ABI = 3;
const PAGE_SIZE = 4096;

/** ld.so's own words and order: open_verify and _dl_map_object_from_fd in elf/dl-load.c. */
function findLoadError(
  { ident, version, type }: Header,
  segments: readonly Segment[],
  { dynamic, flags1 }: Pick<ElfFile, 'dynamic' | 'flags1'>,
): string | undefined {
  const [osAbi = 0, abiVersion = 0] = ident.subarray(7, 9);
  if (ident[6] !== 1) return 'ELF file version ident does not match current one';
  if (osAbi !== 0 && osAbi !== GNU) return 'ELF file OS ABI invalid';
  if (abiVersion > (osAbi === GNU ? HIGHEST_GNU_ABI : 0)) return 'ELF file ABI version invalid';
  if (ident.subarray(9).some((byte) => byte !== 0)) return 'nonzero padding in e_ident';
  if (version !== 1) return 'ELF file version does not match current one';
  if (segments.length === 0) return 'only ET_DYN and ET_EXEC can be loaded';
  if (segments.some(isMisaligned)) return 'ELF load command address/offset not page-aligned';
  if (type === ET_EXEC) return 'cannot dynamically load executable';
  if (!dynamic) return 'object file has no dynamic section';
  if ((flags1 & DF_1_PIE) !== 0) return 'cannot dynamically load position-independent executable';
  return undefined;
}

function isMisaligned({ type, address, offset }: Segment): boolean {
  return type === SEGMENT_TYPE.load && address % PAGE_SIZE !== offset % PAGE_SIZE;
}
