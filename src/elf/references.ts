// The tables of an object → the symbols that it leaves to others without saying which version of them it means, and
// whether such a reference, made by another object, binds there.
import { DYNAMIC_TAG, LONGEST_LIST } from './dynamic.ts';
import { openHashTable } from './hash-table.ts';
import { type LinkTables, relocationsOf, viewOf } from './link-tables.ts';
import { Malformed } from './reader.ts';
import { countByHash, MOST_SYMBOLS } from './symbols.ts';

export interface UnversionedReference {
  readonly name: string;
  /** In the symbol table. */
  readonly index: number;
}

const WHAT = 'the symbol table';
const EXECUTABLE = 2;
const GLOBAL = 1;
/** STT_SECTION and STT_FILE never stand for a reference. */
const STRANGE_TYPES: ReadonlySet<number> = new Set([3, 4]);

/**
 * Strong references without version, in the order of the symbol table. Weak ones may stay without a definition
 * (glibc elf/dl-lookup.c, _dl_lookup_symbol_x). Throws Malformed.
 */
export function readUnversionedReferences(tables: LinkTables): UnversionedReference[] {
  const { image, symbolSize, symbols, versym } = tables;
  const count = countUndefined(tables);
  const found: UnversionedReference[] = [];
  if (count > 1) {
    if (image.room(symbols, count * symbolSize) < count * symbolSize)
      throw new Malformed(`${WHAT} lies outside the loaded segments`);
    // Two bytes of every symbol and a few fields of the others: whole tables, not field by field.
    const versions = versym === undefined ? undefined : viewOf(image.bytes(versym, 2 * count, WHAT));
    const entries = viewOf(image.bytes(symbols, symbolSize * count, WHAT));
    for (let index = 1; index < count; index += 1) {
      if (versions !== undefined && (versions.getUint16(2 * index, image.little) & 0x7fff) > 1) continue;
      const name = strongReference(tables, entries, index * symbolSize);
      if (name !== undefined) found.push({ name, index });
    }
  }
  return [...found, ...hashedReferences(tables, count)];
}

/**
 * The name, if the entry at `at` is a strong reference. st_info follows st_name in class 64 and st_size in class 32.
 */
function strongReference({ image, strings }: LinkTables, entries: DataView, at: number): string | undefined {
  const infoAt = at + (image.wide ? 4 : 12);
  const info = entries.getUint8(infoAt);
  if (info >> 4 !== GLOBAL || STRANGE_TYPES.has(info & 15)) return undefined;
  if (entries.getUint16(infoAt + 2, image.little) !== 0) return undefined;
  const name = strings.at(entries.getUint32(at, image.little), 'the name of a symbol', LONGEST_LIST);
  return name === '' ? undefined : name;
}

/**
 * How many symbols, from the first, have all undefined ones but `hashedReferences` among them: DT_GNU_HASH puts them
 * in front of what it hashes. Where it hashes nothing it does not tell (symbols.ts).
 */
function countUndefined(tables: LinkTables): number {
  const { image, header, gnuHash, hash } = tables;
  if (gnuHash !== undefined && hashesSomething(tables, gnuHash)) return limited(image.u32(gnuHash + 4, WHAT));
  if (hash !== undefined) return limited(countByHash(image, header, hash));
  let highest = 0;
  for (const relocation of relocationsOf(tables)) highest = Math.max(highest, relocation.symbol);
  return limited(highest + 1);
}

function hashesSomething({ image }: LinkTables, gnuHash: number): boolean {
  const buckets = limited(image.u32(gnuHash, WHAT));
  const at = gnuHash + 16 + image.u32(gnuHash + 8, WHAT) * (image.wide ? 8 : 4);
  for (let index = 0; index < buckets; index += 1) if (image.u32(at + 4 * index, WHAT) !== 0) return true;
  return false;
}

/**
 * A program may take the address of a function by an entry of its own: an undefined symbol with a value, which is
 * hashed, and stays among the hashed ones where GNU ld did without the entry in the end. Relocations name them.
 * Linkers give programs, and no library, a DT_DEBUG.
 */
function hashedReferences(tables: LinkTables, from: number): UnversionedReference[] {
  const { image, header, last, symbols, symbolSize, versym } = tables;
  if (header.type !== EXECUTABLE && last(DYNAMIC_TAG.debug) === undefined) return [];
  const found: UnversionedReference[] = [];
  const hashed = new Set<number>();
  for (const { symbol } of relocationsOf(tables)) if (symbol >= from) hashed.add(symbol);
  for (const symbol of hashed) {
    if (versym !== undefined && (image.u16(versym + 2 * symbol, WHAT) & 0x7fff) > 1) continue;
    const entry = viewOf(image.bytes(symbols + symbol * symbolSize, symbolSize, WHAT));
    const name = strongReference(tables, entry, 0);
    if (name !== undefined) found.push({ name, index: symbol });
  }
  return found;
}

function limited(count: number): number {
  if (count > MOST_SYMBOLS) throw new Malformed('it has more symbols than any real object');
  return count;
}

/** STT_NOTYPE, OBJECT, FUNC, COMMON, TLS, GNU_IFUNC (glibc elf/dl-lookup.c, ALLOWED_STT). */
const ALLOWED_TYPES: ReadonlySet<number> = new Set([0, 1, 2, 5, 6, 10]);
const TLS = 6;
const ABSOLUTE = 0xfff1;
const MIPS = 8;

/**
 * check_match of glibc elf/dl-lookup.c for a reference without version: the symbol has a place, is of a kind that can
 * be bound to, and is the base definition, of the first version, or not hidden. An undefined symbol with a value, a
 * program's own entry for a function, counts: other objects bind their pointers to it. Throws Malformed.
 */
export function openDefinitions(tables: LinkTables): (name: string) => boolean {
  const symbolsNamed = openHashTable(tables);
  return (name) => symbolsNamed(name).some((symbol) => canBindTo(tables, symbol));
}

function canBindTo({ image, symbols, symbolSize, versym }: LinkTables, symbol: number): boolean {
  const at = symbols + symbol * symbolSize;
  const info = image.u8(at + (image.wide ? 4 : 12), WHAT);
  const section = image.u16(at + (image.wide ? 6 : 14), WHAT);
  const value = image.word(at + (image.wide ? 8 : 4), WHAT);
  if (info >> 4 === 0 || !ALLOWED_TYPES.has(info & 15)) return false;
  if (value === 0 && section !== ABSOLUTE && (info & 15) !== TLS) return false;
  if ((info & 15) === TLS && section === 0) return false;
  if (versym === undefined) return true;
  const version = image.u16(versym + 2 * symbol, 'the table of symbol versions');
  return version < 0x8000 || (version & 0x7fff) < 3;
}

/**
 * True where the tables do not tell all that the object brings: it has others loaded by DT_FILTER or DT_AUXILIARY, or
 * it is for MIPS without a hash table known here (DT_MIPS_XHASH).
 */
export function bringsUnknown({ last, header, gnuHash, hash }: LinkTables): boolean {
  const loads = [DYNAMIC_TAG.filter, DYNAMIC_TAG.auxiliary].some((tag) => last(tag) !== undefined);
  return loads || (header.machine === MIPS && gnuHash === undefined && hash === undefined);
}
