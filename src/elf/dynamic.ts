// PT_DYNAMIC → the dynamic table: the tags that ld.so looks at, with their values; an index → a string of DT_STRTAB.
import type { Image } from './image.ts';
import { Malformed } from './reader.ts';
import { SEGMENT_TYPE, type Segment } from './segments.ts';

/** d_tag values (elf.h). */
export const DYNAMIC_TAG = {
  needed: 1,
  pltrelsz: 2,
  pltgot: 3,
  hash: 4,
  strtab: 5,
  symtab: 6,
  rela: 7,
  relasz: 8,
  strsz: 10,
  soname: 14,
  rpath: 15,
  rel: 17,
  relsz: 18,
  pltrel: 20,
  debug: 21,
  jmprel: 23,
  bindNow: 24,
  runpath: 29,
  flags: 30,
  relrsz: 35,
  relr: 36,
  gnuHash: 0x6ffffef5,
  depaudit: 0x6ffffefb,
  audit: 0x6ffffefc,
  versym: 0x6ffffff0,
  relacount: 0x6ffffff9,
  relcount: 0x6ffffffa,
  flags1: 0x6ffffffb,
  verdef: 0x6ffffffc,
  verneed: 0x6ffffffe,
  auxiliary: 0x7ffffffd,
  filter: 0x7fffffff,
} as const;

/** Real objects have about 30 entries, and a few hundred at most. */
const MOST_ENTRIES = 65_536;
const TABLE_NAME = 'the dynamic table';

/** Values in the order of the file; a value is Infinity from 2^53 on. */
export interface DynamicTable {
  all(tag: number): readonly number[];
  /** The last one, which is the one ld.so keeps (elf/get-dynamic-info.h); undefined when the tag is absent. */
  last(tag: number): number | undefined;
}

/**
 * `undefined` when there is no dynamic table. One of size zero counts as absent, as for ld.so: separate debug files
 * have it (elf/dl-load.c, _dl_map_object_from_fd). The table ends at DT_NULL, whatever its segment's size is.
 */
export function readDynamicTable(image: Image, segments: readonly Segment[]): DynamicTable | undefined {
  const segment = segments.findLast(({ type, fileSize }) => type === SEGMENT_TYPE.dynamic && fileSize > 0);
  if (!segment) return undefined;
  const step = image.wide ? 8 : 4;
  const values = new Map<number, number[]>();
  let entries = 0;
  const end = segment.address + image.room(segment.address, (MOST_ENTRIES + 1) * 2 * step);
  if (end === segment.address) throw new Malformed(`${TABLE_NAME} lies outside the loaded segments`);
  for (let at = segment.address; at + 2 * step <= end; at += 2 * step) {
    const tag = image.word(at, TABLE_NAME);
    if (tag === 0) break;
    entries += 1;
    if (entries > MOST_ENTRIES) throw new Malformed(`${TABLE_NAME} has no end`);
    const value = image.word(at + step, TABLE_NAME);
    const list = values.get(tag);
    if (list) list.push(value);
    else values.set(tag, [value]);
  }
  return { all: (tag) => values.get(tag) ?? [], last: (tag) => values.get(tag)?.at(-1) };
}

export interface StringTable {
  /** The string at `index`, at most `longest` bytes. Throws Malformed. */
  at(index: number, what: string, longest?: number): string;
}

/** PATH_MAX: a longer file name could not be opened. */
export const LONGEST_NAME = 4_096;
/** For strings that list directories; nothing limits them but what a linker writes. */
export const LONGEST_LIST = 1_048_576;
const SLACK = 1_048_576;

/**
 * `address` is DT_STRTAB. ld.so never looks at DT_STRSZ: a string is what lies in memory there. Strings may share their
 * bytes; a table whose strings together exceed the file (plus 1 MiB) is not a real one.
 */
export function readStringTable(image: Image, address: number | undefined): StringTable {
  const known = new Map<number, string>();
  let left = image.size + SLACK;
  return {
    at(index, what, longest = LONGEST_NAME) {
      const seen = known.get(index);
      if (seen !== undefined) return seen;
      const text = image.text(placeOf(image, address, index, what), Number.POSITIVE_INFINITY, longest, what);
      left -= text.length;
      if (left < 0) throw new Malformed('its strings are longer than the file');
      known.set(index, text);
      return text;
    },
  };
}

function placeOf(image: Image, address: number | undefined, index: number, what: string): number {
  if (address === undefined) throw new Malformed('its dynamic table has no string table');
  if (image.room(address + index, 1) === 1) return address + index;
  if (image.room(address, 1) === 1) throw new Malformed(`${what} lies outside the dynamic string table`);
  throw new Malformed('the dynamic string table lies outside the loaded segments');
}
