// Hash tables -> the number of dynamic symbols, which nothing else in an object says.
import { type DynamicTable, dynamicTag } from './dynamic-table.ts';
import type { FieldReader } from './field-reader.ts';
import type { Header } from './header.ts';
import { Malformed } from './malformed.ts';
import { countRelocated } from './relocated-symbols.ts';
import { placeOf, type Segment } from './segments.ts';

/** Far above any real object; keeps a sparse file from being walked for hours. */
export const mostSymbols = 16_777_216;
const alpha = 0x9026;
const s390 = 22;

/** Includes the empty symbol 0. Throws Malformed. */
export function countSymbols(
  fields: FieldReader,
  header: Header,
  segments: readonly Segment[],
  table: DynamicTable,
): number {
  const hash = table.last(dynamicTag.hash);
  const gnuHash = table.last(dynamicTag.gnuHash);
  const count =
    hash !== undefined
      ? countByHash(fields, header, placeOf(segments, hash, 'the hash table').offset)
      : gnuHash !== undefined
        ? countByGnuHash(fields, placeOf(segments, gnuHash, 'the hash table').offset)
        : 0;
  return limited(count > 0 ? count : countRelocated(fields, header, segments, table));
}

/** Bytes of an entry of DT_HASH: 8 on Alpha and 64-bit S/390, 4 elsewhere. */
export function hashEntrySize(fields: FieldReader, header: Header): 4 | 8 {
  return fields.wide && (header.machine === alpha || header.machine === s390) ? 8 : 4;
}

/** nbucket, nchain, ...: nchain is the number of symbols. */
export function countByHash(fields: FieldReader, header: Header, offset: number): number {
  return hashEntrySize(fields, header) === 8
    ? fields.word(offset + 8, 'the hash table')
    : fields.u32(offset + 4, 'the hash table');
}

/**
 * The chain of the highest bucket ends with the last symbol. 0 when the table is empty: GNU ld then writes 1 for the
 * first hashed symbol, which says nothing about how many unhashed, undefined ones there are.
 */
function countByGnuHash(fields: FieldReader, offset: number): number {
  const what = 'the hash table';
  const buckets = limited(fields.u32(offset, what));
  const firstHashed = fields.u32(offset + 4, what);
  const bloomWords = fields.u32(offset + 8, what);
  const bucketsAt = offset + 16 + bloomWords * (fields.wide ? 8 : 4);
  let highest = 0;
  for (let index = 0; index < buckets; index += 1) {
    highest = Math.max(highest, fields.u32(bucketsAt + 4 * index, what));
  }
  if (highest === 0) return 0;
  if (highest < firstHashed) throw new Malformed(`${what} contradicts itself`);
  const chainsAt = bucketsAt + 4 * buckets;
  let symbol = highest;
  while ((fields.u32(chainsAt + 4 * (symbol - firstHashed), what) & 1) === 0) symbol = limited(symbol + 1);
  return symbol + 1;
}

function limited(count: number): number {
  if (count > mostSymbols) throw new Malformed('it has more symbols than any real object');
  return count;
}
