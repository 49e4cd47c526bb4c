// The relocation tables of an object -> the symbols they speak of, and whether ld.so binds each at the start.
import { dynamicTag } from './dynamic-table.ts';
import type { LinkTables } from './link-tables.ts';
import { Malformed } from './malformed.ts';
import { mostRelocations, symbolOf } from './relocated-symbols.ts';
import { placeOf } from './segments.ts';

export interface Relocation {
  /** Index in the symbol table; not 0. */
  readonly symbol: number;
  /** `call`: of DT_JMPREL, bound when the function is first called unless everything is bound at the start. */
  readonly when: 'start' | 'call';
}

const what = 'a relocation table';

/** All relocations with a symbol. Throws Malformed. */
export function* relocationsOf(tables: LinkTables): Generator<Relocation> {
  const word = tables.fields.wide ? 8 : 4;
  const { rela, relasz, relacount, rel, relsz, relcount } = dynamicTag;
  yield* entriesOf(tables, 'start', { tag: rela, size: relasz, entry: 3 * word, without: relacount });
  yield* entriesOf(tables, 'start', { tag: rel, size: relsz, entry: 2 * word, without: relcount });
  const entry = tables.last(dynamicTag.pltrel) === dynamicTag.rela ? 3 * word : 2 * word;
  yield* entriesOf(tables, 'call', { tag: dynamicTag.jmprel, size: dynamicTag.pltrelsz, entry });
}

interface Kind {
  readonly tag: number;
  /** The tag of its size in bytes. */
  readonly size: number;
  /** Bytes of one entry. */
  readonly entry: number;
  /** The tag that says how many of the first have no symbol, which in large objects are nearly all. */
  readonly without?: number;
}

function* entriesOf(tables: LinkTables, when: Relocation['when'], kind: Kind): Generator<Relocation> {
  const { fields, header, segments, last } = tables;
  const address = last(kind.tag);
  const size = last(kind.size) ?? 0;
  if (address === undefined || size === 0) return;
  if (size / kind.entry > mostRelocations) throw new Malformed(`${what} is longer than any real one`);
  const { offset, end } = placeOf(segments, address, what);
  if (offset + size > end) throw new Malformed(`${what} lies outside the loaded segments`);
  const calls = last(dynamicTag.jmprel) ?? 0;
  const callsEnd = calls + (last(dynamicTag.pltrelsz) ?? 0);
  const first = kind.without === undefined ? 0 : (last(kind.without) ?? 0);
  for (let at = first * kind.entry; at + kind.entry <= size; at += kind.entry) {
    // DT_JMPREL may be the end of DT_RELA (glibc elf/dynamic-link.h, _ELF_DYNAMIC_DO_RELOC).
    if (when === 'start' && address + at >= calls && address + at < callsEnd) continue;
    const symbol = symbolOf(fields, header, offset + at);
    if (symbol !== 0) yield { symbol, when };
  }
}

const flagBindNow = 8;
const flag1Now = 1;

/** True if ld.so binds functions too before the program starts (glibc elf/get-dynamic-info.h, DT_BIND_NOW). */
export function bindsAllAtStart({ last }: LinkTables): boolean {
  const has = (tag: number, flag: number) => ((last(tag) ?? 0) & flag) !== 0;
  const own = last(dynamicTag.bindNow) !== undefined;
  return own || has(dynamicTag.flags, flagBindNow) || has(dynamicTag.flags1, flag1Now);
}
