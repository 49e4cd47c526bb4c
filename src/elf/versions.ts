// DT_VERNEED and DT_VERDEF → the versions an object needs from each file, and those it defines.
// Two version names → their order: GLIBC_2.9 before GLIBC_2.36.

import type { StringTable } from './dynamic.ts';
import type { Verneed } from './elf-file.ts';
import { type FieldReader, Malformed } from './reader.ts';

/** A version and the index by which DT_VERSYM names it. */
interface IndexedVersion {
  readonly index: number;
  readonly name: string;
}

interface NeededVersions {
  readonly verneed: readonly Verneed[];
  /** The same versions by index, with the file they are needed from. */
  readonly indexed: readonly (IndexedVersion & { readonly file: string })[];
}

/** DT_VERSYM has 15 bits for the index of a version, so no object can use more. */
const MOST_VERSIONS = 32_768;
const FLAG_BASE = 1;
const FLAG_WEAK = 2;

/**
 * Follows vn_next and vna_next to the first zero, as ld.so does: it reads neither the counts nor DT_VERNEEDNUM
 * (elf/dl-version.c, _dl_check_map_versions). Throws Malformed.
 */
export function readVerneed(fields: FieldReader, offset: number, strings: StringTable): NeededVersions {
  const what = 'the table of needed versions';
  const { u16, u32 } = fields;
  if (u16(offset, what) !== 1) throw new Malformed(`${what} has an unknown format ${u16(offset, what)}`);
  const verneed: Verneed[] = [];
  const indexed: (IndexedVersion & { file: string })[] = [];
  const count = countUpTo(MOST_VERSIONS, what);
  for (let at = offset, next = 1; next !== 0; at += next) {
    count();
    const file = strings.at(u32(at + 4, what), 'the file of a needed version');
    const versions: Verneed['versions'][number][] = [];
    for (let aux = at + u32(at + 8, what), nextAux = 1; nextAux !== 0; aux += nextAux) {
      count();
      const name = strings.at(u32(aux + 8, what), 'the name of a needed version');
      versions.push({ name, weak: (u16(aux + 4, what) & FLAG_WEAK) !== 0 });
      indexed.push({ index: u16(aux + 6, what) & 0x7fff, name, file });
      nextAux = u32(aux + 12, what);
    }
    verneed.push({ file, versions });
    next = u32(at + 12, what);
  }
  return { verneed, indexed };
}

/** Follows vd_next to the first zero; the first Verdaux names the version, the others its parents. Throws Malformed. */
export function readVerdef(fields: FieldReader, offset: number, strings: StringTable): IndexedVersion[] {
  const what = 'the table of defined versions';
  const { u16, u32 } = fields;
  const verdef: IndexedVersion[] = [];
  const count = countUpTo(MOST_VERSIONS, what);
  for (let at = offset, next = 1; next !== 0; at += next) {
    count();
    if (u16(at, what) !== 1) throw new Malformed(`${what} has an unknown format ${u16(at, what)}`);
    if ((u16(at + 2, what) & FLAG_BASE) === 0) {
      const name = strings.at(u32(at + u32(at + 12, what), what), 'the name of a defined version');
      verdef.push({ index: u16(at + 4, what) & 0x7fff, name });
    }
    next = u32(at + 16, what);
  }
  return verdef;
}

function countUpTo(most: number, what: string): () => void {
  let counted = 0;
  return () => {
    counted += 1;
    if (counted > most) throw new Malformed(`${what} has no end`);
  };
}

/**
 * Compares for `Array.sort`: runs of digits by their value, everything else by code unit, a prefix before what extends
 * it. A total order: only equal strings give 0.
 */
export function compareVersions(left: string, right: string): number {
  const leftParts = partsOf(left);
  const rightParts = partsOf(right);
  const shared = Math.min(leftParts.length, rightParts.length);
  for (let index = 0; index < shared; index += 1) {
    const order = comparePart(leftParts[index] ?? '', rightParts[index] ?? '');
    if (order !== 0) return order;
  }
  return leftParts.length - rightParts.length || compareText(left, right);
}

function partsOf(version: string): string[] {
  return version.match(/\d+|\D+/g) ?? [];
}

/** Digits without leading zeros: the longer run is the larger number, at any length. */
function comparePart(left: string, right: string): number {
  if (!/^\d/.test(left) || !/^\d/.test(right)) return compareText(left, right);
  const [a, b] = [left.replace(/^0+/, ''), right.replace(/^0+/, '')];
  return a.length - b.length || compareText(a, b);
}

function compareText(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
