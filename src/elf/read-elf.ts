// The bytes of a file -> what ld.so would decide by, read through the program headers only.
import type { ByteSource } from './byte-source.ts';
import { describedEnd } from './described-end.ts';
import { isDlopenNote, readDlopenNote } from './dlopen-note.ts';
import { dynamicTag, readDynamicTable } from './dynamic-table.ts';
import type { DlopenNote, ElfFile } from './elf-file.ts';
import type { FieldReader } from './field-reader.ts';
import { isPropertyNote, readIsaNeeded } from './gnu-property.ts';
import { type Header, readHeader } from './header.ts';
import { findLoadError } from './load-error.ts';
import { Malformed } from './malformed.ts';
import { readNotes } from './notes.ts';
import { isMapped, placeOf, readSegments, type Segment, segmentType } from './segments.ts';
import { longestList, longestName, readStringTable } from './string-table.ts';
import { readVerdef, readVerneed } from './versions.ts';

export type ElfReading =
  | { readonly kind: 'elf'; readonly file: ElfFile }
  | { readonly kind: 'not-elf' }
  /** `why`: one clause for users, e.g. `the program header table lies beyond the end of the file`. */
  | { readonly kind: 'bad-elf'; readonly why: string };

/** 1 MiB of blocks; a library takes two to four of them. */
const keptBlocks = 64;
/** Segments may overlap, so that the same notes could be read again and again. */
const mostNoteBytes = 1_048_576;
const executable = 2;
const shared = 3;
const flagExecute = 1;

/**
 * Total: any bytes give a reading, in time and memory linear in the file's size at worst, and about three reads of
 * 16 KiB for a usual library. Only an error of `source.read` itself (EIO) passes through.
 */
export function readElf(source: ByteSource): ElfReading {
  try {
    const read = readHeader(source, keptBlocks);
    if (!read) return { kind: 'not-elf' };
    return { kind: 'elf', file: readObject(read.fields, read.header) };
  } catch (error) {
    if (error instanceof Malformed) return { kind: 'bad-elf', why: error.message };
    throw error;
  }
}

function readObject(fields: FieldReader, header: Header): ElfFile {
  const loadable = header.type === executable || header.type === shared;
  const segments = loadable ? readSegments(fields, header) : [];
  if (loadable) refuseUnmappable(fields, segments);
  const dynamic = readDynamic(fields, segments);
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
    ...readWantedNotes(fields, header, segments),
    stack: stackOf(segments),
    ...(loadError !== undefined && { loadError }),
    end: describedEnd(fields, header, segments),
  };
}

/**
 * Neither the kernel nor ld.so maps an object without PT_LOAD. That a segment goes on after the end of the file nobody checks before mapping, but a page without any byte of the file kills the program with SIGBUS when it is
 * touched. The rest of the last page is zeros, so a segment may end there.
 */
function refuseUnmappable(fields: FieldReader, segments: readonly Segment[]): void {
  if (!segments.some(({ type }) => type === segmentType.load))
    throw new Malformed('it has no segment to load');
  const lastPage = Math.ceil(fields.size / 4096) * 4096;
  for (const { type, offset, fileSize } of segments) {
    if (type === segmentType.load && fileSize > 0 && offset + fileSize > lastPage) {
      throw new Malformed('the file is cut off: a segment to load lies beyond its end');
    }
  }
}

/** The kernel takes the first PT_INTERP, of 2 to PATH_MAX bytes, ending in NUL (fs/binfmt_elf.c, load_elf_binary). */
function readInterpreter(fields: FieldReader, segments: readonly Segment[]): string | undefined {
  const segment = segments.find(({ type }) => type === segmentType.interpreter);
  if (!segment) return undefined;
  const { offset, fileSize } = segment;
  const what = 'the name of its interpreter';
  if (fileSize < 2 || fileSize > longestName) throw new Malformed(`${what} has an impossible length`);
  if (fields.bytes(offset + fileSize - 1, 1, what)[0] !== 0) throw new Malformed(`${what} has no end`);
  return fields.text(offset, offset + fileSize, longestName, what);
}

function readDynamic(fields: FieldReader, segments: readonly Segment[]) {
  const table = readDynamicTable(fields, segments);
  const all = (tag: number) => table?.all(tag) ?? [];
  const last = (tag: number) => table?.last(tag);
  const strings = readStringTable(fields, segments, last(dynamicTag.strtab));
  const names = (tag: number, what: string) => all(tag).map((index) => strings.at(index, what));
  const text = (tag: number, what: string, longest: number) => {
    const index = last(tag);
    return index === undefined ? undefined : strings.at(index, what, longest);
  };
  const place = (tag: number, what: string) => {
    const address = last(tag);
    return address === undefined ? undefined : placeOf(segments, address, what).offset;
  };
  const verneed = place(dynamicTag.verneed, 'the table of needed versions');
  const verdef = place(dynamicTag.verdef, 'the table of defined versions');
  return {
    dynamic: table !== undefined,
    soname: text(dynamicTag.soname, 'its soname', longestName),
    needed: names(dynamicTag.needed, 'the name of a needed library'),
    rpath: text(dynamicTag.rpath, 'its rpath', longestList),
    runpath: text(dynamicTag.runpath, 'its runpath', longestList),
    verneed: verneed === undefined ? [] : readVerneed(fields, verneed, strings).verneed,
    verdef: verdef === undefined ? [] : readVerdef(fields, verdef, strings).map(({ name }) => name),
    hasVerdef: verdef !== undefined,
    hasVersym: last(dynamicTag.versym) !== undefined,
    flags: flagsOf(last(dynamicTag.flags)),
    flags1: flagsOf(last(dynamicTag.flags1)),
    auxiliary: names(dynamicTag.auxiliary, 'the name of an auxiliary library'),
    filter: names(dynamicTag.filter, 'the name of a filtered library'),
    audit: [
      ...names(dynamicTag.audit, 'the name of an audit library'),
      ...names(dynamicTag.depaudit, 'the name of an audit library'),
    ],
    hasRelr: last(dynamicTag.relr) !== undefined,
  };
}

function flagsOf(value: number | undefined): number {
  return value === undefined || !Number.isFinite(value) ? 0 : value % 0x1_0000_0000;
}

function readWantedNotes(fields: FieldReader, header: Header, segments: readonly Segment[]) {
  const dlopen: DlopenNote[] = [];
  let isaNeeded = 0;
  let left = mostNoteBytes;
  for (const note of readNotes(fields, segments)) {
    if (note.size > left || !(isDlopenNote(note) || isPropertyNote(note))) continue;
    left -= note.size;
    if (isDlopenNote(note)) dlopen.push(...readDlopenNote(note));
    else isaNeeded |= readIsaNeeded(note, header.machine, fields.wide ? 8 : 4);
  }
  return { dlopen, isaNeeded };
}

/** The last PT_GNU_STACK counts; without one the kernel makes the stack executable on x86 (fs/binfmt_elf.c). */
function stackOf(segments: readonly Segment[]): ElfFile['stack'] {
  const segment = segments.findLast(({ type }) => type === segmentType.gnuStack);
  if (!segment) return 'absent';
  return (segment.flags & flagExecute) !== 0 ? 'executable' : 'plain';
}
