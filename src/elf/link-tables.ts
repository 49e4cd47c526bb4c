// The bytes of a file → where the tables lie that ld.so binds symbols with, and the symbols that its relocations name.
//
// Done for every library of a set while somebody waits for a program to start: so the program headers and the dynamic
// table are read in whole pieces, and only what binding asks for is looked at (NOTES.md, Binding).

import { DYNAMIC_TAG, readStringTable, type StringTable } from './dynamic.ts';
import { DF_1_NOW, DF_BIND_NOW, ET_DYN, ET_EXEC } from './gabi.ts';
import { type Image, openImage } from './image.ts';
import { type ByteSource, type FieldReader, type Header, Malformed, readHeader } from './reader.ts';
import { type Mapping, SEGMENT_TYPE } from './segments.ts';
import { MOST_RELOCATIONS, symbolOf } from './symbols.ts';

/** Tables are given by their addresses; `undefined` where there is no such table. */
export interface LinkTables {
  readonly image: Image;
  readonly header: Header;
  /** The value of a dynamic tag: the last one, which ld.so keeps (elf/get-dynamic-info.h). */
  last(tag: number): number | undefined;
  readonly symbols: number;
  /** Of one entry of the symbol table. */
  readonly symbolSize: 16 | 24;
  readonly strings: StringTable;
  readonly versym: number | undefined;
  readonly gnuHash: number | undefined;
  readonly hash: number | undefined;
}

/** 4 MiB of blocks: a look-up touches one block of each of five tables. */
const CACHED_BLOCKS = 256;
/** As in dynamic.ts. */
const MOST_ENTRIES = 65_536;
const MOST_HEADERS = 0xffff;
const TWO_TO32 = 0x1_0000_0000;
const WHAT = 'the dynamic table';

/** `undefined` for what is no dynamic object or has no symbols. Throws Malformed. */
export function findLinkTables(source: ByteSource): LinkTables | undefined {
  const opened = readHeader(source, CACHED_BLOCKS);
  if (!opened || (opened.header.type !== ET_EXEC && opened.header.type !== ET_DYN)) return undefined;
  const { fields, header } = opened;
  const { segments, dynamic } = readMappings(fields, header);
  if (dynamic === undefined) return undefined;
  const image = openImage(fields, segments);
  const tags = readTags(image, dynamic);
  const symbols = tags.get(DYNAMIC_TAG.symtab);
  if (symbols === undefined) return undefined;
  return {
    image,
    header,
    last: (tag) => tags.get(tag),
    symbols,
    symbolSize: fields.wide ? 24 : 16,
    strings: readStringTable(image, tags.get(DYNAMIC_TAG.strtab)),
    versym: tags.get(DYNAMIC_TAG.versym),
    gnuHash: tags.get(DYNAMIC_TAG.gnuHash),
    hash: tags.get(DYNAMIC_TAG.hash),
  };
}

export const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Elf_Addr, Elf_Off and Elf_Xword; from 2^53 on it is no exact number, and beyond the end of anything. */
function wordOf(view: DataView, at: number, { wide, little }: FieldReader): number {
  if (!wide) return view.getUint32(at, little);
  return (
    view.getUint32(little ? at + 4 : at, little) * TWO_TO32 + view.getUint32(little ? at : at + 4, little)
  );
}

/** PT_LOAD in the order of the file, and the address of the last PT_DYNAMIC that is not empty. */
function readMappings(fields: FieldReader, { programHeaders }: Header) {
  const table = 'the program header table';
  const { offset, entrySize, count } = programHeaders;
  const step = fields.wide ? 8 : 4;
  if (entrySize !== 7 * step + (fields.wide ? 0 : 4) || count > MOST_HEADERS)
    throw new Malformed(`${table} has an unknown format`);
  const view = viewOf(fields.bytes(offset, count * entrySize, table));
  const segments: Mapping[] = [];
  let dynamic: number | undefined;
  for (let at = 0; at < view.byteLength; at += entrySize) {
    const type = view.getUint32(at, fields.little);
    if (type !== SEGMENT_TYPE.load && type !== SEGMENT_TYPE.dynamic) continue;
    // p_flags comes second in class 64 and last but one in class 32.
    const address = wordOf(view, at + 2 * step, fields);
    const fileSize = wordOf(view, at + 4 * step, fields);
    if (type === SEGMENT_TYPE.load) {
      const memorySize = wordOf(view, at + 5 * step, fields);
      segments.push({ type, offset: wordOf(view, at + step, fields), address, fileSize, memorySize });
    } else if (fileSize > 0) dynamic = address;
  }
  return { segments, dynamic };
}

/** Up to DT_NULL or the end of what is mapped; some hundred entries at a time, since most tables have thirty. */
function readTags(image: Image, address: number): Map<number, number> {
  const size = image.wide ? 16 : 8;
  const tags = new Map<number, number>();
  const last = address + image.room(address, MOST_ENTRIES * size);
  if (last === address) throw new Malformed(`${WHAT} lies outside the loaded segments`);
  for (let from = address; from + size <= last; from += 128 * size) {
    const view = viewOf(image.bytes(from, Math.min(128 * size, last - from), WHAT));
    for (let at = 0; at + size <= view.byteLength; at += size) {
      const tag = wordOf(view, at, image);
      if (tag === 0) return tags;
      tags.set(tag, wordOf(view, at + size / 2, image));
    }
  }
  return tags;
}

interface Relocation {
  /** Index in the symbol table; not 0. */
  readonly symbol: number;
  /** `call`: of DT_JMPREL, bound when the function is first called unless everything is bound at the start. */
  readonly when: 'start' | 'call';
}

const TABLE = 'a relocation table';

/** All relocations with a symbol. Throws Malformed. */
export function* relocationsOf(tables: LinkTables): Generator<Relocation> {
  const word = tables.image.wide ? 8 : 4;
  const { rela, relasz, relacount, rel, relsz, relcount } = DYNAMIC_TAG;
  yield* entriesOf(tables, 'start', { tag: rela, size: relasz, entry: 3 * word, without: relacount });
  yield* entriesOf(tables, 'start', { tag: rel, size: relsz, entry: 2 * word, without: relcount });
  const entry = tables.last(DYNAMIC_TAG.pltrel) === DYNAMIC_TAG.rela ? 3 * word : 2 * word;
  yield* entriesOf(tables, 'call', { tag: DYNAMIC_TAG.jmprel, size: DYNAMIC_TAG.pltrelsz, entry });
}

interface RelocationKind {
  readonly tag: number;
  /** The tag of its size in bytes. */
  readonly size: number;
  /** Bytes of one entry. */
  readonly entry: number;
  /** The tag that says how many of the first have no symbol, which in large objects are nearly all. */
  readonly without?: number;
}

function* entriesOf(
  tables: LinkTables,
  when: Relocation['when'],
  kind: RelocationKind,
): Generator<Relocation> {
  const { image, header, last } = tables;
  const address = last(kind.tag);
  const size = last(kind.size) ?? 0;
  if (address === undefined || size === 0) return;
  if (size / kind.entry > MOST_RELOCATIONS) throw new Malformed(`${TABLE} is longer than any real one`);
  if (image.room(address, size) < size) throw new Malformed(`${TABLE} lies outside the loaded segments`);
  const calls = last(DYNAMIC_TAG.jmprel) ?? 0;
  const callsEnd = calls + (last(DYNAMIC_TAG.pltrelsz) ?? 0);
  const first = kind.without === undefined ? 0 : (last(kind.without) ?? 0);
  for (let at = first * kind.entry; at + kind.entry <= size; at += kind.entry) {
    // DT_JMPREL may be the end of DT_RELA (glibc elf/dynamic-link.h, _ELF_DYNAMIC_DO_RELOC).
    if (when === 'start' && address + at >= calls && address + at < callsEnd) continue;
    const symbol = symbolOf(image, header, address + at);
    if (symbol !== 0) yield { symbol, when };
  }
}

/** True if ld.so binds functions too before the program starts (glibc elf/get-dynamic-info.h, DT_BIND_NOW). */
export function bindsAllAtStart({ last }: LinkTables): boolean {
  const has = (tag: number, flag: number) => ((last(tag) ?? 0) & flag) !== 0;
  const own = last(DYNAMIC_TAG.bindNow) !== undefined;
  return own || has(DYNAMIC_TAG.flags, DF_BIND_NOW) || has(DYNAMIC_TAG.flags1, DF_1_NOW);
}
