// Relocation tables -> the number of symbols they speak of, for objects whose hash table does not tell.
import { type DynamicTable, dynamicTag } from './dynamic-table.ts';
import type { FieldReader } from './field-reader.ts';
import type { Header } from './header.ts';
import { Malformed } from './malformed.ts';
import { placeOf, type Segment } from './segments.ts';

const what = 'a relocation table';
export const mostRelocations = 67_108_864;
const mips = 8;

/** One more than the highest symbol index of DT_RELA, DT_REL and DT_JMPREL; 0 without any. Throws Malformed. */
export function countRelocated(
  fields: FieldReader,
  header: Header,
  segments: readonly Segment[],
  table: DynamicTable,
): number {
  const word = fields.wide ? 8 : 4;
  const pltEntry = table.last(dynamicTag.pltrel) === dynamicTag.rela ? 3 * word : 2 * word;
  const tables = [
    [dynamicTag.rela, dynamicTag.relasz, 3 * word],
    [dynamicTag.rel, dynamicTag.relsz, 2 * word],
    [dynamicTag.jmprel, dynamicTag.pltrelsz, pltEntry],
  ] as const;
  let highest = -1;
  for (const [tag, sizeTag, entry] of tables) {
    const address = table.last(tag);
    const size = table.last(sizeTag) ?? 0;
    if (address === undefined || size === 0) continue;
    const { offset, end } = placeOf(segments, address, what);
    if (offset + size > end) throw new Malformed(`${what} lies outside the loaded segments`);
    if (size / entry > mostRelocations) throw new Malformed(`${what} is longer than any real one`);
    for (let at = offset; at + entry <= offset + size; at += entry) {
      highest = Math.max(highest, symbolOf(fields, header, at));
    }
  }
  return highest + 1;
}

/** ELF64_R_SYM is the upper half of r_info, ELF32_R_SYM its upper 24 bits; 64-bit MIPS has the symbol first. */
export function symbolOf(fields: FieldReader, header: Header, at: number): number {
  if (!fields.wide) return fields.u32(at + 4, what) >>> 8;
  const upper = fields.little && header.machine !== mips ? 4 : 0;
  return fields.u32(at + 8 + upper, what);
}
