// The bytes of a file -> its dynamic symbols: those it defines and those it leaves to others, with their versions.
import type { ByteSource } from './byte-source.ts';
import { type DynamicTable, dynamicTag, readDynamicTable } from './dynamic-table.ts';
import type { FieldReader } from './field-reader.ts';
import { readHeader } from './header.ts';
import { Malformed } from './malformed.ts';
import { placeOf, readSegments, type Segment } from './segments.ts';
import { longestList, readStringTable, type StringTable } from './string-table.ts';
import { countSymbols } from './symbol-count.ts';
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

export type SymbolReading =
  | {
      readonly kind: 'symbols';
      readonly defined: readonly DynamicSymbol[];
      readonly undefined: readonly DynamicSymbol[];
    }
  | { readonly kind: 'not-elf' }
  | { readonly kind: 'bad-elf'; readonly why: string };

/** 64 MiB of blocks: names are scattered over the whole string table. */
const keptBlocks = 4_096;

/** All dynamic symbols, in the order of the file. Total and linear like `readElf`; a static program has none. */
export function readSymbols(source: ByteSource): SymbolReading {
  return read(source, () => true);
}

/** Like `readSymbols`, but `defined` stays empty and the names of defined symbols are not read. */
export function readUndefinedSymbols(source: ByteSource): SymbolReading {
  return read(source, (section) => section === 0);
}

function read(source: ByteSource, wanted: (section: number) => boolean): SymbolReading {
  try {
    const opened = readHeader(source, keptBlocks);
    if (!opened) return { kind: 'not-elf' };
    const { fields, header } = opened;
    const defined: DynamicSymbol[] = [];
    const missing: DynamicSymbol[] = [];
    const loadable = header.type === 2 || header.type === 3;
    const segments = loadable ? readSegments(fields, header) : [];
    const table = readDynamicTable(fields, segments);
    if (table) {
      const count = countSymbols(fields, header, segments, table);
      collect({ fields, segments, table, count }, wanted, defined, missing);
    }
    return { kind: 'symbols', defined, undefined: missing };
  } catch (error) {
    if (error instanceof Malformed) return { kind: 'bad-elf', why: error.message };
    throw error;
  }
}

interface Tables {
  readonly fields: FieldReader;
  readonly segments: readonly Segment[];
  readonly table: DynamicTable;
  readonly count: number;
}

function collect(
  { fields, segments, table, count }: Tables,
  wanted: (section: number) => boolean,
  defined: DynamicSymbol[],
  missing: DynamicSymbol[],
): void {
  const what = 'the symbol table';
  const address = table.last(dynamicTag.symtab);
  if (address === undefined || count <= 1) return;
  const { offset, end } = placeOf(segments, address, what);
  const size = fields.wide ? 24 : 16;
  // st_info and st_shndx follow st_name in class 64, and st_value and st_size in class 32.
  const infoAt = fields.wide ? 4 : 12;
  if (offset + count * size > end) throw new Malformed(`${what} lies outside the loaded segments`);
  const strings = readStringTable(fields, segments, table.last(dynamicTag.strtab));
  const versionOf = versionsBySymbol(fields, segments, table, strings);
  for (let index = 1; index < count; index += 1) {
    const at = offset + index * size;
    const info = fields.u8(at + infoAt, what);
    const section = fields.u16(at + infoAt + 2, what);
    const binding = info >> 4;
    if (binding === 0 || !wanted(section)) continue;
    const name = strings.at(fields.u32(at, what), 'the name of a symbol', longestList);
    if (name === '') continue;
    const symbol = { name, ...versionOf(index), weak: binding === 2, type: info & 15 };
    (section === 0 ? missing : defined).push(symbol);
  }
}

type SymbolVersion = Pick<DynamicSymbol, 'version' | 'from' | 'hidden'>;

/** DT_VERSYM: one half per symbol, 0 and 1 for none, bit 15 for hidden. */
function versionsBySymbol(
  fields: FieldReader,
  segments: readonly Segment[],
  table: DynamicTable,
  strings: StringTable,
): (symbol: number) => SymbolVersion {
  const place = (tag: number, what: string) => {
    const address = table.last(tag);
    return address === undefined ? undefined : placeOf(segments, address, what).offset;
  };
  const versym = place(dynamicTag.versym, 'the table of symbol versions');
  if (versym === undefined) return () => ({ version: undefined, from: undefined, hidden: false });
  const verdef = place(dynamicTag.verdef, 'the table of defined versions');
  const verneed = place(dynamicTag.verneed, 'the table of needed versions');
  const versions = new Map<number, { name: string; file?: string }>([
    ...(verdef === undefined ? [] : readVerdef(fields, verdef, strings)).map((it) => [it.index, it] as const),
    ...(verneed === undefined ? [] : readVerneed(fields, verneed, strings).indexed).map(
      (it) => [it.index, it] as const,
    ),
  ]);
  return (symbol) => {
    const entry = fields.u16(versym + 2 * symbol, 'the table of symbol versions');
    const version = versions.get(entry & 0x7fff);
    return { version: version?.name, from: version?.file, hidden: entry >= 0x8000 };
  };
}
