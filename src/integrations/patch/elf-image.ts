// The bytes of a dynamic program or library → the parts of it that an edit touches, as they lie in the file.

import { DYNAMIC_TAG } from '../../elf/dynamic.ts';
import { ET_DYN, ET_EXEC, SHT_NOBITS } from '../../elf/gabi.ts';
import { describedEnd } from '../../elf/read-elf.ts';
import type { ByteSource, FieldReader } from '../../elf/reader.ts';
import { type Header, Malformed, readHeader } from '../../elf/reader.ts';
import { namesOfSections, readSections, type Section, sectionNamesIndex } from '../../elf/sections.ts';
import { rangeOf, readSegments, SEGMENT_TYPE, type Segment } from '../../elf/segments.ts';

type NamedSection = Section & { readonly label: string };

/** An entry of the dynamic table as it is written. */
export interface DynamicEntry {
  readonly tag: number;
  /** Exact, whatever its size. */
  readonly value: bigint;
}

interface DynamicPart {
  /** Of PT_DYNAMIC among the segments. */
  readonly index: number;
  readonly offset: number;
  readonly address: number;
  /** Up to the first DT_NULL, without it. */
  readonly entries: readonly DynamicEntry[];
  /** How many entries fit where it lies, with the last DT_NULL. */
  readonly capacity: number;
}

/** DT_STRTAB. */
interface StringsPart {
  readonly offset: number;
  readonly address: number;
  readonly size: number;
}

interface InterpreterPart {
  /** Of PT_INTERP among the segments. */
  readonly index: number;
  readonly text: string;
}

export interface EditedImage {
  readonly source: ByteSource;
  readonly fields: FieldReader;
  readonly header: Header;
  readonly segments: readonly Segment[];
  readonly sections: readonly NamedSection[];
  readonly interpreter: InterpreterPart | undefined;
  readonly dynamic: DynamicPart;
  readonly strings: StringsPart;
  /** First byte after everything described: what follows is a payload. */
  readonly end: number;
}

/** DT_STRSZ (elf.h). */
export const STRINGS_SIZE_TAG = 10;
const KEPT_BLOCKS = 64;
const MOST_ENTRIES = 65_536;
const LONGEST_INTERPRETER = 4096;

/** A word of any value. */
function exactWord(fields: FieldReader, offset: number, what: string): bigint {
  if (!fields.wide) return BigInt(fields.u32(offset, what));
  const [first, second] = [BigInt(fields.u32(offset, what)), BigInt(fields.u32(offset + 4, what))];
  return fields.little ? (second << 32n) | first : (first << 32n) | second;
}

/** Of a kind that there must be at most one of, since the kernel and ld.so take different ones. */
function onlyOne(segments: readonly Segment[], type: number, name: string): number {
  const found = segments.flatMap((each, index) => (each.type === type ? [index] : []));
  if (found.length > 1) throw new Malformed(`it has ${found.length} segments of type ${name}`);
  return found[0] ?? -1;
}

function readDynamicPart(fields: FieldReader, segments: readonly Segment[]): DynamicPart {
  const what = 'the dynamic table';
  const index = onlyOne(segments, SEGMENT_TYPE.dynamic, 'PT_DYNAMIC');
  const segment = segments[index];
  if (segment === undefined || segment.fileSize === 0) throw new Malformed('it has no dynamic table');
  const place = rangeOf(segments, segment.address, what);
  if (place.offset !== segment.offset)
    throw new Malformed(`${what} lies elsewhere in the file than in memory`);
  const step = fields.wide ? 16 : 8;
  const end = Math.min(place.offset + segment.fileSize, place.end, fields.size);
  const entries: DynamicEntry[] = [];
  const capacity = Math.floor((end - place.offset) / step);
  if (capacity > MOST_ENTRIES) throw new Malformed(`${what} has no end`);
  for (let at = place.offset; ; at += step) {
    if (at + step > end) throw new Malformed(`${what} has no end`);
    const tag = fields.word(at, what);
    if (tag === 0) break;
    if (!Number.isSafeInteger(tag)) throw new Malformed(`${what} has an impossible entry`);
    entries.push({ tag, value: exactWord(fields, at + step / 2, what) });
  }
  const rest = place.offset + entries.length * step;
  const spare = fields.bytes(rest, end - rest, what).every((byte) => byte === 0);
  return {
    index,
    offset: place.offset,
    address: segment.address,
    entries,
    capacity: spare ? capacity : entries.length + 1,
  };
}

/** The last of a tag counts (elf/get-dynamic-info.h). */
export function lastOf({ entries }: Pick<DynamicPart, 'entries'>, tag: number): number | undefined {
  const value = entries.findLast((each) => each.tag === tag)?.value;
  return value === undefined ? undefined : Number(value);
}

/** The section that is these bytes; -1 where there is none. */
export function sectionOf(
  { sections }: Pick<EditedImage, 'sections'>,
  offset: number,
  address: number,
): number {
  return sections.findIndex(
    (each) => each.offset === offset && each.address === address && each.type !== SHT_NOBITS && each.size > 0,
  );
}

function readStringsPart(
  fields: FieldReader,
  segments: readonly Segment[],
  dynamic: DynamicPart,
): StringsPart {
  const what = 'the dynamic string table';
  const address = lastOf(dynamic, DYNAMIC_TAG.strtab);
  const size = lastOf(dynamic, STRINGS_SIZE_TAG);
  if (address === undefined || size === undefined || size === 0)
    throw new Malformed(`it has no ${what.slice(4)}`);
  const { offset, end } = rangeOf(segments, address, what);
  if (offset + size > Math.min(end, fields.size)) throw new Malformed(`${what} lies beyond its segment`);
  if (fields.bytes(offset + size - 1, 1, what)[0] !== 0) throw new Malformed(`${what} has no end`);
  return { offset, address, size };
}

function readInterpreterPart(fields: FieldReader, segments: readonly Segment[]): InterpreterPart | undefined {
  const index = onlyOne(segments, SEGMENT_TYPE.interpreter, 'PT_INTERP');
  const segment = segments[index];
  if (segment === undefined) return undefined;
  const { offset, fileSize } = segment;
  const what = 'the name of its interpreter';
  if (fileSize < 2 || fileSize > LONGEST_INTERPRETER) throw new Malformed(`${what} has an impossible length`);
  return { index, text: fields.text(offset, offset + fileSize, LONGEST_INTERPRETER, what) };
}

/** PT_LOAD must ascend and not overlap (gABI, chapter 5); everything that looks for room relies on it. */
function refuseDisorder(segments: readonly Segment[]): void {
  const loads = segments.filter(({ type }) => type === SEGMENT_TYPE.load);
  if (loads.some(({ fileSize, memorySize }) => !(fileSize <= memorySize && Number.isFinite(memorySize))))
    throw new Malformed('a segment is larger in the file than in memory');
  loads.forEach((each, index) => {
    const before = loads[index - 1];
    if (before !== undefined && before.address + before.memorySize > each.address)
      throw new Malformed('its segments overlap or are not sorted');
  });
}

/** @throws Malformed, in one clause, for what cannot be edited as it is. */
export function readImage(source: ByteSource): EditedImage {
  const read = readHeader(source, KEPT_BLOCKS);
  if (read === undefined) throw new Malformed('it is not an ELF file');
  const { header, fields } = read;
  if (header.type !== ET_EXEC && header.type !== ET_DYN)
    throw new Malformed('it is neither a program nor a library');
  const segments = readSegments(fields, header);
  if (header.programHeaders.count >= 0xffff) throw new Malformed('it has too many segments');
  refuseDisorder(segments);
  const sections = readSections(fields, header);
  const labels = namesOfSections(fields, sections, sectionNamesIndex(fields, header));
  const dynamic = readDynamicPart(fields, segments);
  return {
    source,
    fields,
    header,
    segments,
    sections: sections.map((section, index) => ({ ...section, label: labels[index] ?? '' })),
    interpreter: readInterpreterPart(fields, segments),
    dynamic,
    strings: readStringsPart(fields, segments, dynamic),
    end: describedEnd(fields, header, segments),
  };
}
