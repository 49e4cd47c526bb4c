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

/**
 * All relocations with a symbol. DT_RELACOUNT says how many of the first have none, which in large objects are nearly
 * all. Throws Malformed.
 */
export function* relocationsOf(tables: LinkTables): Generator<Relocation> {
  const { fields, segments, last } = tables;
  const word = fields.wide ? 8 : 4;
  const withAddend = last(dynamicTag.pltrel) === dynamicTag.rela;
  const late = last(dynamicTag.jmprel);
  const lateEnd = (late ?? 0) + (last(dynamicTag.pltrelsz) ?? 0);
  const kinds = [
    [dynamicTag.rela, dynamicTag.relasz, 3 * word, dynamicTag.relacount, 'start'],
    [dynamicTag.rel, dynamicTag.relsz, 2 * word, dynamicTag.relcount, 'start'],
    [dynamicTag.jmprel, dynamicTag.pltrelsz, (withAddend ? 3 : 2) * word, undefined, 'call'],
  ] as const;
  for (const [tag, sizeTag, entry, countTag, when] of kinds) {
    const address = last(tag);
    const size = last(sizeTag) ?? 0;
    if (address === undefined || size === 0) continue;
    if (size / entry > mostRelocations) throw new Malformed(`${what} is longer than any real one`);
    const { offset, end } = placeOf(segments, address, what);
    if (offset + size > end) throw new Malformed(`${what} lies outside the loaded segments`);
    const without = countTag === undefined ? 0 : (last(countTag) ?? 0);
    for (let at = without * entry; at + entry <= size; at += entry) {
      // DT_JMPREL may be the end of DT_RELA (glibc elf/dynamic-link.h, _ELF_DYNAMIC_DO_RELOC).
      if (when === 'start' && late !== undefined && address + at >= late && address + at < lateEnd) continue;
      const symbol = symbolOf(fields, tables.header, offset + at);
      if (symbol !== 0) yield { symbol, when };
    }
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
