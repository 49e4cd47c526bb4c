// The bytes of a file -> where the tables lie that ld.so binds symbols with.
import type { ByteSource } from './byte-source.ts';
import { type DynamicTable, dynamicTag, readDynamicTable } from './dynamic-table.ts';
import type { FieldReader } from './field-reader.ts';
import { type Header, readHeader } from './header.ts';
import { placeOf, readSegments, type Segment } from './segments.ts';
import { readStringTable, type StringTable } from './string-table.ts';

/** Offsets are file offsets in bytes; `undefined` where there is no such table. */
export interface LinkTables {
  readonly fields: FieldReader;
  readonly header: Header;
  readonly segments: readonly Segment[];
  readonly table: DynamicTable;
  readonly symbols: number;
  /** First byte behind the segment that holds the symbols. */
  readonly symbolsEnd: number;
  /** Of one entry of the symbol table. */
  readonly symbolSize: 16 | 24;
  readonly strings: StringTable;
  readonly versym: number | undefined;
  readonly gnuHash: number | undefined;
  readonly hash: number | undefined;
}

/** 4 MiB of blocks: a look-up touches one block of each of five tables. */
const keptBlocks = 256;

/** `undefined` for what is no dynamic object or has no symbols. Throws Malformed. */
export function findLinkTables(source: ByteSource): LinkTables | undefined {
  const opened = readHeader(source, keptBlocks);
  if (!opened) return undefined;
  const { fields, header } = opened;
  const segments = header.type === 2 || header.type === 3 ? readSegments(fields, header) : [];
  const table = readDynamicTable(fields, segments);
  const address = table?.last(dynamicTag.symtab);
  if (table === undefined || address === undefined) return undefined;
  const place = (tag: number, what: string) => {
    const at = table.last(tag);
    return at === undefined ? undefined : placeOf(segments, at, what).offset;
  };
  const { offset, end } = placeOf(segments, address, 'the symbol table');
  return {
    fields,
    header,
    segments,
    table,
    symbols: offset,
    symbolsEnd: end,
    symbolSize: fields.wide ? 24 : 16,
    strings: readStringTable(fields, segments, table.last(dynamicTag.strtab)),
    versym: place(dynamicTag.versym, 'the table of symbol versions'),
    gnuHash: place(dynamicTag.gnuHash, 'the hash table'),
    hash: place(dynamicTag.hash, 'the hash table'),
  };
}
