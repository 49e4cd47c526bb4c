// A name and a hash table → the symbols of that name, read where the hash leads and nowhere else.

import { LONGEST_LIST } from './dynamic.ts';
import { type LinkTables, viewOf } from './link-tables.ts';
import { Malformed } from './reader.ts';
import { hashEntrySize, MOST_SYMBOLS } from './symbols.ts';

const WHAT = 'the hash table';

/** One name is looked for in object after object. */
const latest = { name: '', hash: 5381 };

/** The hash of DT_GNU_HASH (glibc elf/dl-hash.h, _dl_new_hash). */
function gnuHashOf(name: string): number {
  if (name === latest.name) return latest.hash;
  let hash = 5381;
  for (let i = 0; i < name.length; i += 1) hash = (Math.imul(hash, 33) + name.charCodeAt(i)) | 0;
  latest.name = name;
  latest.hash = hash >>> 0;
  return latest.hash;
}

/** The hash of DT_HASH (gABI chapter 5, elf_hash). */
function sysvHashOf(name: string): number {
  let hash = 0;
  for (let i = 0; i < name.length; i += 1) {
    hash = (hash * 16 + name.charCodeAt(i)) % 0x1_0000_0000;
    hash = (hash ^ ((hash >>> 24) & 0xf0)) & 0x0fff_ffff;
  }
  return hash;
}

/**
 * Gives the indexes of the symbols of a name; DT_GNU_HASH is asked where both tables are there (glibc
 * elf/dl-setup_hash.c). None in an object without a hash table, as for ld.so. Throws Malformed, also when asked.
 */
export function openHashTable(tables: LinkTables): (name: string) => readonly number[] {
  const { gnuHash, hash } = tables;
  if (gnuHash !== undefined) return openGnuHash(tables, gnuHash);
  return hash === undefined ? () => NONE : (name) => byHash(tables, hash, name);
}

const NONE: readonly number[] = [];

/** nbuckets, symoffset, bloom_size, bloom_shift, then the Bloom filter in words, the buckets and the chains. */
function openGnuHash(tables: LinkTables, at: number): (name: string) => readonly number[] {
  const { image } = tables;
  const header = viewOf(image.bytes(at, 16, WHAT));
  const [buckets, first, words, shift] = [0, 4, 8, 12].map((each) => header.getUint32(each, image.little));
  if (!buckets || !words || first === undefined || shift === undefined) return () => NONE;
  const bits = image.wide ? 64 : 32;
  const bucketsAt = at + 16 + words * (bits / 8);
  const chainsAt = bucketsAt + 4 * buckets - 4 * first;
  const isInFilter = (word: number, bit: number) => {
    const byte = image.little ? bit >>> 3 : bits / 8 - 1 - (bit >>> 3);
    return ((image.u8(word + byte, WHAT) >>> (bit & 7)) & 1) === 1;
  };
  return (name) => {
    const hash = gnuHashOf(name);
    const word = at + 16 + (Math.floor(hash / bits) % words) * (bits / 8);
    if (!isInFilter(word, hash % bits) || !isInFilter(word, (hash >>> shift) % bits)) return NONE;
    let symbol = image.u32(bucketsAt + 4 * (hash % buckets), WHAT);
    if (symbol === 0) return NONE;
    if (symbol < first) throw new Malformed(`${WHAT} contradicts itself`);
    const found: number[] = [];
    for (const last = symbol + MOST_SYMBOLS; symbol < last; symbol += 1) {
      const link = image.u32(chainsAt + 4 * symbol, WHAT);
      if ((link | 1) === (hash | 1) && nameOf(tables, symbol) === name) found.push(symbol);
      if ((link & 1) === 1) return found;
    }
    throw new Malformed(`${WHAT} has no end`);
  };
}

/** nbucket, nchain, the buckets, the chains. */
function byHash(tables: LinkTables, at: number, name: string): number[] {
  const { image, header } = tables;
  const size = hashEntrySize(image, header);
  const entry = (index: number) =>
    size === 8 ? image.word(at + 8 * index, WHAT) : image.u32(at + 4 * index, WHAT);
  const buckets = entry(0);
  if (buckets === 0) return [];
  const found: number[] = [];
  let symbol = entry(2 + (sysvHashOf(name) % buckets));
  // A damaged chain may go round in a circle, but not through more entries than the file has room for.
  const most = Math.min(entry(1), image.size / size);
  for (let looked = 0; symbol !== 0; looked += 1) {
    if (looked > most) throw new Malformed(`${WHAT} has no end`);
    if (nameOf(tables, symbol) === name) found.push(symbol);
    symbol = entry(2 + buckets + symbol);
  }
  return found;
}

function nameOf({ image, symbols, symbolSize, strings }: LinkTables, symbol: number): string {
  const index = image.u32(symbols + symbol * symbolSize, 'the symbol table');
  return strings.at(index, 'the name of a symbol', LONGEST_LIST);
}
