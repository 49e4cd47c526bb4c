// The tables of an object -> a test of names: whether a reference without version, made by another object, binds there.
import { dynamicTag } from './dynamic-table.ts';
import { openHashTable } from './hash-lookup.ts';
import type { LinkTables } from './link-tables.ts';

/** STT_NOTYPE, OBJECT, FUNC, COMMON, TLS, GNU_IFUNC (glibc elf/dl-lookup.c, ALLOWED_STT). */
const allowedTypes: ReadonlySet<number> = new Set([0, 1, 2, 5, 6, 10]);
const tls = 6;
const absolute = 0xfff1;
const what = 'the symbol table';
const mips = 8;

/**
 * check_match of glibc elf/dl-lookup.c for a reference without version: the symbol has a place, is of a kind that can be bound
 * to, and is the base definition, of the first version, or not hidden. An undefined symbol with a value, a program's
 * own entry for a function, counts: other objects bind their pointers to it. Throws Malformed.
 */
export function openDefinitions(tables: LinkTables): (name: string) => boolean {
  const symbolsNamed = openHashTable(tables);
  return (name) => symbolsNamed(name).some((symbol) => canBindTo(tables, symbol));
}

function canBindTo({ fields, symbols, symbolSize, versym }: LinkTables, symbol: number): boolean {
  const at = symbols + symbol * symbolSize;
  const info = fields.u8(at + (fields.wide ? 4 : 12), what);
  const section = fields.u16(at + (fields.wide ? 6 : 14), what);
  const value = fields.word(at + (fields.wide ? 8 : 4), what);
  if (info >> 4 === 0 || !allowedTypes.has(info & 15)) return false;
  if (value === 0 && section !== absolute && (info & 15) !== tls) return false;
  if ((info & 15) === tls && section === 0) return false;
  if (versym === undefined) return true;
  const version = fields.u16(versym + 2 * symbol, 'the table of symbol versions');
  return version < 0x8000 || (version & 0x7fff) < 3;
}

/**
 * True where the tables do not tell all that the object brings: it has others loaded by DT_FILTER or DT_AUXILIARY, or
 * it is for MIPS without a hash table known here (DT_MIPS_XHASH).
 */
export function bringsUnknown({ last, header, gnuHash, hash }: LinkTables): boolean {
  const loads = [dynamicTag.filter, dynamicTag.auxiliary].some((tag) => last(tag) !== undefined);
  return loads || (header.machine === mips && gnuHash === undefined && hash === undefined);
}
