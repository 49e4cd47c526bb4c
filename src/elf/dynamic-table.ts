// PT_DYNAMIC -> the dynamic table: the tags that ld.so looks at, with their values.
import type { FieldReader } from './field-reader.ts';
import { Malformed } from './malformed.ts';
import { placeOf, type Segment, segmentType } from './segments.ts';

/** d_tag values (elf.h). */
export const dynamicTag = {
  needed: 1,
  pltrelsz: 2,
  hash: 4,
  strtab: 5,
  symtab: 6,
  rela: 7,
  relasz: 8,
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
const mostEntries = 65_536;
const tableName = 'the dynamic table';

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
export function readDynamicTable(
  fields: FieldReader,
  segments: readonly Segment[],
): DynamicTable | undefined {
  const segment = segments.findLast(({ type, fileSize }) => type === segmentType.dynamic && fileSize > 0);
  if (!segment) return undefined;
  const { offset, end } = placeOf(segments, segment.address, tableName);
  const step = fields.wide ? 8 : 4;
  const values = new Map<number, number[]>();
  let entries = 0;
  for (let at = offset; at + 2 * step <= end; at += 2 * step) {
    const tag = fields.word(at, tableName);
    if (tag === 0) break;
    entries += 1;
    if (entries > mostEntries) throw new Malformed(`${tableName} has no end`);
    const value = fields.word(at + step, tableName);
    const list = values.get(tag);
    if (list) list.push(value);
    else values.set(tag, [value]);
  }
  return { all: (tag) => values.get(tag) ?? [], last: (tag) => values.get(tag)?.at(-1) };
}
