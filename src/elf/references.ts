// The tables of an object → the symbols that it leaves to others, and whether such a reference, made by another object,
// binds there.

import { DYNAMIC_TAG, LONGEST_LIST } from './dynamic.ts';
import { EM_MIPS, ET_EXEC } from './gabi.ts';
import { openHashTable } from './hash-table.ts';
import { type LinkTables, relocationsOf, viewOf } from './link-tables.ts';
import { Malformed } from './reader.ts';
import { countByHash, MOST_SYMBOLS } from './symbols.ts';
import { readVerdef, readVerneed } from './versions.ts';

interface StrongReference {
  readonly name: string;
  readonly version: string | undefined;
  /** In the symbol table. */
  readonly index: number;
}

/** Index of DT_VERSYM → the version; `null`: not asked for. */
type WantedVersions = (entry: number) => string | undefined | null;

const WHAT = 'the symbol table';
const GLOBAL = 1;
/** STT_SECTION and STT_FILE never stand for a reference. */
const STRANGE_TYPES: ReadonlySet<number> = new Set([3, 4]);

/**
 * Strong references without version, and those with a version of a file that `isAsked`, in the order of the symbol
 * table. Weak ones may stay without a definition (glibc elf/dl-lookup.c, _dl_lookup_symbol_x). Throws Malformed.
 */
export function readStrongReferences(
  tables: LinkTables,
  isAsked: (file: string) => boolean = () => false,
): StrongReference[] {
  const { image, symbolSize, symbols, versym } = tables;
  const count = countUndefined(tables);
  const wanted = wantedVersions(tables, isAsked);
  const found: StrongReference[] = [];
  if (count > 1) {
    if (image.room(symbols, count * symbolSize) < count * symbolSize)
      throw new Malformed(`${WHAT} lies outside the loaded segments`);
    // Two bytes of every symbol and a few fields of the others: whole tables, not field by field.
    const versions = versym === undefined ? undefined : viewOf(image.bytes(versym, 2 * count, WHAT));
    const entries = viewOf(image.bytes(symbols, symbolSize * count, WHAT));
    for (let index = 1; index < count; index += 1) {
      const version = versions && wanted(versions.getUint16(2 * index, image.little));
      if (version === null) continue;
      const name = strongReference(tables, entries, index * symbolSize);
      if (name !== undefined) found.push({ name, version, index });
    }
  }
  return [...found, ...hashedReferences(tables, count, wanted)];
}

/** 0 and 1 are none. */
function wantedVersions(
  { image, last, strings }: LinkTables,
  isAsked: (file: string) => boolean,
): WantedVersions {
  const verneed = last(DYNAMIC_TAG.verneed);
  const { indexed } = verneed === undefined ? { indexed: [] } : readVerneed(image, verneed, strings);
  const asked = new Map(indexed.flatMap(({ index, name, file }) => (isAsked(file) ? [[index, name]] : [])));
  return (entry) => ((entry & 0x7fff) > 1 ? (asked.get(entry & 0x7fff) ?? null) : undefined);
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
function hashedReferences(tables: LinkTables, from: number, wanted: WantedVersions): StrongReference[] {
  const { image, header, last, symbols, symbolSize, versym } = tables;
  if (header.type !== ET_EXEC && last(DYNAMIC_TAG.debug) === undefined) return [];
  const found: StrongReference[] = [];
  const hashed = new Set<number>();
  for (const { symbol } of relocationsOf(tables)) if (symbol >= from) hashed.add(symbol);
  for (const symbol of hashed) {
    const version = versym === undefined ? undefined : wanted(image.u16(versym + 2 * symbol, WHAT));
    if (version === null) continue;
    const entry = viewOf(image.bytes(symbols + symbol * symbolSize, symbolSize, WHAT));
    const name = strongReference(tables, entry, 0);
    if (name !== undefined) found.push({ name, version, index: symbol });
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

/**
 * check_match of glibc elf/dl-lookup.c: the symbol has a place and is of a kind that can be bound to. To a reference
 * without version, it is the base definition, of the first version, or not hidden; to one with a version, it is of that
 * version, or of none and not hidden. An undefined symbol with a value, a program's own entry for a function, counts:
 * other objects bind their pointers to it. musl finds nothing that is hidden (ldso/dynlink.c, sysv_lookup and
 * gnu_lookup). Throws Malformed.
 */
export function openDefinitions(
  tables: LinkTables,
  libc: 'glibc' | 'musl' = 'glibc',
): (name: string, version?: string) => boolean {
  const symbolsNamed = openHashTable(tables);
  let known: ReadonlyMap<number, string> | undefined;
  return (name, version) =>
    symbolsNamed(name).some((symbol) => {
      if (!isDefinition(tables, symbol)) return false;
      const { image, versym } = tables;
      if (versym === undefined) return true;
      const entry = image.u16(versym + 2 * symbol, 'the table of symbol versions');
      if (version === undefined) return entry < 0x8000 || (libc === 'glibc' && (entry & 0x7fff) < 3);
      known ??= versionsIn(tables);
      const defined = known.get(entry & 0x7fff);
      return defined === version || (defined === undefined && entry < 0x8000);
    });
}

/** By the index of DT_VERSYM, those it needs too: what it needs and has an entry of its own for is of these. */
function versionsIn({ image, last, strings }: LinkTables): ReadonlyMap<number, string> {
  const [verdef, verneed] = [last(DYNAMIC_TAG.verdef), last(DYNAMIC_TAG.verneed)];
  const versions = [
    ...(verdef === undefined ? [] : readVerdef(image, verdef, strings)),
    ...(verneed === undefined ? [] : readVerneed(image, verneed, strings).indexed),
  ];
  return new Map(versions.map(({ index, name }) => [index, name]));
}

function isDefinition({ image, symbols, symbolSize }: LinkTables, symbol: number): boolean {
  const at = symbols + symbol * symbolSize;
  const info = image.u8(at + (image.wide ? 4 : 12), WHAT);
  const section = image.u16(at + (image.wide ? 6 : 14), WHAT);
  const value = image.word(at + (image.wide ? 8 : 4), WHAT);
  if (info >> 4 === 0 || !ALLOWED_TYPES.has(info & 15)) return false;
  if (value === 0 && section !== ABSOLUTE && (info & 15) !== TLS) return false;
  return (info & 15) !== TLS || section !== 0;
}

/**
 * True where the tables do not tell all that the object brings: it has others loaded by DT_FILTER or DT_AUXILIARY (musl
 * reads neither), or it is for MIPS without a hash table known here (DT_MIPS_XHASH).
 */
export function bringsUnknown(
  { last, header, gnuHash, hash }: LinkTables,
  libc: 'glibc' | 'musl' = 'glibc',
): boolean {
  const loads = [DYNAMIC_TAG.filter, DYNAMIC_TAG.auxiliary].some((tag) => last(tag) !== undefined);
  return (
    (loads && libc === 'glibc') || (header.machine === EM_MIPS && gnuHash === undefined && hash === undefined)
  );
}
