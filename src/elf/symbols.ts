// The bytes of a file → its dynamic symbols: those it defines and those it leaves to others, with their versions. Their
// number is that of the hash tables or, where these do not tell, of the relocations.

import {
  DYNAMIC_TAG,
  type DynamicTable,
  LONGEST_LIST,
  readDynamicTable,
  readStringTable,
  type StringTable,
} from './dynamic.ts';
import { EM_MIPS, ET_DYN, ET_EXEC } from './gabi.ts';
import { type Image, openImage } from './image.ts';
import { type ByteSource, type FieldReader, type Header, Malformed, readHeader } from './reader.ts';
import { readSegments } from './segments.ts';
import { readVerdef, readVerneed } from './versions.ts';

/** One global or weak symbol of DT_SYMTAB. */
export interface DynamicSymbol {
  readonly name: string;
  /** `undefined` for the base version and for objects without versions. */
  readonly version: string | undefined;
  /** The file its version is needed from. On a defined symbol: a copy of that file's variable (R_*_COPY). */
  readonly from: string | undefined;
  /** Defined, but not the default version: `name@version`, not `name@@version`. Only references by version find it. */
  readonly hidden: boolean;
  readonly weak: boolean;
  /** STT_*: 0 none, 1 object, 2 function, 6 thread-local, 10 indirect function. */
  readonly type: number;
}

type SymbolReading =
  | {
      readonly kind: 'symbols';
      readonly defined: readonly DynamicSymbol[];
      readonly undefined: readonly DynamicSymbol[];
    }
  | { readonly kind: 'not-elf' }
  | { readonly kind: 'bad-elf'; readonly why: string };

/** 64 MiB of blocks: names are scattered over the whole string table. */
const CACHED_BLOCKS = 4_096;

/** All dynamic symbols, in the order of the file. Total and linear like `readElf`; a static program has none. */
export function readSymbols(source: ByteSource): SymbolReading {
  try {
    const opened = openTables(source);
    if (opened === undefined) return { kind: 'not-elf' };
    const defined: DynamicSymbol[] = [];
    const missing: DynamicSymbol[] = [];
    if (opened.kind === 'tables') collect(opened, defined, missing);
    return { kind: 'symbols', defined, undefined: missing };
  } catch (error) {
    if (error instanceof Malformed) return { kind: 'bad-elf', why: error.message };
    throw error;
  }
}

/** A longer string table is not looked through. */
const LONGEST_STRINGS = 64 * 1024 * 1024;

/**
 * Whether it leaves a symbol of one of these names to others. No name is read: the strings are searched for them, then
 * the symbols for where they stand. False for what is no ELF file, or a damaged one. Total.
 */
export function leavesUndefined(source: ByteSource, names: readonly string[]): boolean {
  try {
    const opened = openTables(source);
    if (opened?.kind !== 'tables') return false;
    if ((opened.table.last(DYNAMIC_TAG.strsz) ?? 0) > LONGEST_STRINGS) return readsUndefined(source, names);
    const places = placesInStrings(opened, names);
    return places.size > 0 && hasUndefinedAt(opened, places);
  } catch (error) {
    if (error instanceof Malformed) return false;
    throw error;
  }
}

/** The same, each name read. */
function readsUndefined(source: ByteSource, names: readonly string[]): boolean {
  const symbols = readSymbols(source);
  return symbols.kind === 'symbols' && symbols.undefined.some(({ name }) => names.includes(name));
}

/** Where these names begin in DT_STRTAB; a name may be the end of another. */
function placesInStrings({ image, table }: SymbolTables, names: readonly string[]): ReadonlySet<number> {
  const places = new Set<number>();
  const address = table.last(DYNAMIC_TAG.strtab);
  if (address === undefined) return places;
  const room = image.room(address, LONGEST_STRINGS);
  const bytes = image.bytes(address, Math.min(table.last(DYNAMIC_TAG.strsz) ?? room, room), 'the strings');
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const name of names)
    for (let at = text.indexOf(`${name}\0`); at >= 0; at = text.indexOf(`${name}\0`, at + 1)) places.add(at);
  return places;
}

const SYMBOLS_AT_ONCE = 65_536;

function hasUndefinedAt({ image, table, count }: SymbolTables, places: ReadonlySet<number>): boolean {
  const address = table.last(DYNAMIC_TAG.symtab);
  if (address === undefined) return false;
  const { size, sectionAt } = symbolShape(image);
  for (let index = 0; index < count; index += SYMBOLS_AT_ONCE) {
    const length = Math.min(SYMBOLS_AT_ONCE, count - index) * size;
    const bytes = image.bytes(address + index * size, length, 'the symbol table');
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0; at < length; at += size) {
      if (view.getUint16(at + sectionAt, image.little) !== 0) continue;
      if (places.has(view.getUint32(at, image.little))) return true;
    }
  }
  return false;
}

interface SymbolTables {
  readonly kind: 'tables';
  readonly image: Image;
  readonly table: DynamicTable;
  readonly count: number;
}

/** Undefined where it is no ELF file. Throws Malformed. */
function openTables(source: ByteSource): SymbolTables | { readonly kind: 'static' } | undefined {
  const opened = readHeader(source, CACHED_BLOCKS);
  if (!opened) return undefined;
  const { fields, header } = opened;
  const loadable = header.type === ET_EXEC || header.type === ET_DYN;
  const segments = loadable ? readSegments(fields, header) : [];
  const image = openImage(fields, segments);
  const table = readDynamicTable(image, segments);
  if (table === undefined) return { kind: 'static' };
  return { kind: 'tables', image, table, count: countSymbols(image, header, table) };
}

/** Bytes of a symbol; st_info and st_shndx follow st_name in class 64, and st_value and st_size in class 32. */
function symbolShape({ wide }: Image): { size: number; infoAt: number; sectionAt: number } {
  return wide ? { size: 24, infoAt: 4, sectionAt: 6 } : { size: 16, infoAt: 12, sectionAt: 14 };
}

function collect(
  { image, table, count }: SymbolTables,
  defined: DynamicSymbol[],
  missing: DynamicSymbol[],
): void {
  const what = 'the symbol table';
  const address = table.last(DYNAMIC_TAG.symtab);
  if (address === undefined || count <= 1) return;
  const { size, infoAt, sectionAt } = symbolShape(image);
  if (image.room(address, count * size) < count * size)
    throw new Malformed(`${what} lies outside the loaded segments`);
  const strings = readStringTable(image, table.last(DYNAMIC_TAG.strtab));
  const versionOf = versionsBySymbol(image, table, strings);
  for (let index = 1; index < count; index += 1) {
    const at = address + index * size;
    const info = image.u8(at + infoAt, what);
    const section = image.u16(at + sectionAt, what);
    const binding = info >> 4;
    if (binding === 0) continue;
    const name = strings.at(image.u32(at, what), 'the name of a symbol', LONGEST_LIST);
    if (name === '') continue;
    const symbol = { name, ...versionOf(index), weak: binding === 2, type: info & 15 };
    (section === 0 ? missing : defined).push(symbol);
  }
}

type SymbolVersion = Pick<DynamicSymbol, 'version' | 'from' | 'hidden'>;

/** DT_VERSYM: one half per symbol, 0 and 1 for none, bit 15 for hidden. */
function versionsBySymbol(
  image: Image,
  table: DynamicTable,
  strings: StringTable,
): (symbol: number) => SymbolVersion {
  const versym = table.last(DYNAMIC_TAG.versym);
  if (versym === undefined) return () => ({ version: undefined, from: undefined, hidden: false });
  const verdef = table.last(DYNAMIC_TAG.verdef);
  const verneed = table.last(DYNAMIC_TAG.verneed);
  const versions = new Map<number, { name: string; file?: string }>([
    ...(verdef === undefined ? [] : readVerdef(image, verdef, strings)).map((it) => [it.index, it] as const),
    ...(verneed === undefined ? [] : readVerneed(image, verneed, strings).indexed).map(
      (it) => [it.index, it] as const,
    ),
  ]);
  return (symbol) => {
    const entry = image.u16(versym + 2 * symbol, 'the table of symbol versions');
    const version = versions.get(entry & 0x7fff);
    return { version: version?.name, from: version?.file, hidden: entry >= 0x8000 };
  };
}

/** Far above any real object; a sparse file must not be read for hours. */
export const MOST_SYMBOLS = 16_777_216;
const ALPHA = 0x9026;
const S390 = 22;

/** Includes the empty symbol 0. Throws Malformed. */
function countSymbols(image: Image, header: Header, table: DynamicTable): number {
  const hash = table.last(DYNAMIC_TAG.hash);
  const gnuHash = table.last(DYNAMIC_TAG.gnuHash);
  const count =
    hash !== undefined
      ? countByHash(image, header, hash)
      : gnuHash !== undefined
        ? countByGnuHash(image, gnuHash)
        : 0;
  return limited(count > 0 ? count : countRelocated(image, header, table));
}

/** Bytes of an entry of DT_HASH: 8 on Alpha and 64-bit S/390, 4 elsewhere. */
export function hashEntrySize(fields: FieldReader, header: Header): 4 | 8 {
  return fields.wide && (header.machine === ALPHA || header.machine === S390) ? 8 : 4;
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
  if (count > MOST_SYMBOLS) throw new Malformed('it has more symbols than any real object');
  return count;
}

const WHAT = 'a relocation table';
export const MOST_RELOCATIONS = 67_108_864;

/** One more than the highest symbol index of DT_RELA, DT_REL and DT_JMPREL; 0 without any. Throws Malformed. */
function countRelocated(image: Image, header: Header, table: DynamicTable): number {
  const word = image.wide ? 8 : 4;
  const pltEntry = table.last(DYNAMIC_TAG.pltrel) === DYNAMIC_TAG.rela ? 3 * word : 2 * word;
  const tables = [
    [DYNAMIC_TAG.rela, DYNAMIC_TAG.relasz, 3 * word],
    [DYNAMIC_TAG.rel, DYNAMIC_TAG.relsz, 2 * word],
    [DYNAMIC_TAG.jmprel, DYNAMIC_TAG.pltrelsz, pltEntry],
  ] as const;
  let highest = -1;
  for (const [tag, sizeTag, entry] of tables) {
    const address = table.last(tag);
    const size = table.last(sizeTag) ?? 0;
    if (address === undefined || size === 0) continue;
    if (image.room(address, size) < size) throw new Malformed(`${WHAT} lies outside the loaded segments`);
    if (size / entry > MOST_RELOCATIONS) throw new Malformed(`${WHAT} is longer than any real one`);
    for (let at = address; at + entry <= address + size; at += entry) {
      highest = Math.max(highest, symbolOf(image, header, at));
    }
  }
  return highest + 1;
}

/** ELF64_R_SYM is the upper half of r_info, ELF32_R_SYM its upper 24 bits; 64-bit MIPS has the symbol first. */
export function symbolOf(fields: FieldReader, header: Header, at: number): number {
  if (!fields.wide) return fields.u32(at + 4, WHAT) >>> 8;
  const upper = fields.little && header.machine !== EM_MIPS ? 4 : 0;
  return fields.u32(at + 8 + upper, WHAT);
}
