// What a program shall name → the entries of its dynamic table and the words of its verneed that say so.

import { DYNAMIC_TAG } from '../../elf/dynamic.ts';
import { DF_1_NOW, DF_BIND_NOW } from '../../elf/gabi.ts';
import { Malformed } from '../../elf/reader.ts';
import { rangeOf } from '../../elf/segments.ts';
import { numberBytes } from './edit-draft.ts';
import { type DynamicEntry, type EditedImage, lastOf } from './elf-image.ts';
import type { FileEdit } from './file-changes.ts';

export interface WantedNames {
  /** Undefined: as it is. */
  readonly interpreter: string | undefined;
  /** In place of every run path there is. */
  readonly runPath: { readonly tag: 'rpath' | 'runpath'; readonly text: string } | undefined;
  /** Needed names that become others, in DT_NEEDED and in verneed. */
  readonly renamed: ReadonlyMap<string, string>;
  /** Needed names more, behind the own ones. */
  readonly lifted: readonly string[];
}

/** The interpreter's name is another, and names that the store serves by others; everything else is as it is. */
export function interpreterOnly(
  interpreter: string,
  renamed: WantedNames['renamed'] = new Map(),
): WantedNames {
  const text = Buffer.from(interpreter).toString('latin1');
  return { interpreter: text, runPath: undefined, renamed, lifted: [] };
}

/** Strings are read as latin1, so that no byte is lost. */
const LONGEST_TEXT = 1 << 20;
const MOST_VERNEED = 32_768;

export function stringAt({ fields, strings }: EditedImage, index: number): string {
  if (!(index < strings.size)) throw new Malformed('a name lies outside the dynamic string table');
  return fields.text(strings.offset + index, strings.offset + strings.size, LONGEST_TEXT, 'a name');
}

export function neededOf(image: EditedImage): string[] {
  return image.dynamic.entries
    .filter(({ tag }) => tag === DYNAMIC_TAG.needed)
    .map(({ value }) => stringAt(image, Number(value)));
}

/** Every new string, once. What is the end of the name that it stands for, as of a path, is in the table already. */
export function newStrings(wanted: WantedNames): string[] {
  const { runPath, renamed, lifted } = wanted;
  const names = [...renamed].filter(([old, name]) => !old.endsWith(name)).map(([, name]) => name);
  return [...new Set([...(runPath === undefined ? [] : [runPath.text]), ...names, ...lifted])];
}

/** Of a string: `tail` where it is the end of one that the table has anyhow. */
export type IndexOf = (text: string, tail?: number) => number;

function tailOf(old: string, index: number, name: string): number | undefined {
  return old.endsWith(name) ? index + old.length - name.length : undefined;
}

/**
 * Entries whose place can be had: hints that ld.so does without, and what another entry says as well.
 * `few`: without DT_HASH, which some tools count symbols by.
 */
function spareEntries({ dynamic }: EditedImage, spare: 'few' | 'all'): number[] {
  const flags = lastOf(dynamic, DYNAMIC_TAG.flags) ?? 0;
  const bindsNow = ((lastOf(dynamic, DYNAMIC_TAG.flags1) ?? 0) & DF_1_NOW) !== 0;
  const hasGnuHash = lastOf(dynamic, DYNAMIC_TAG.gnuHash) !== undefined;
  const isSpare = (tag: number): boolean => {
    if (tag === DYNAMIC_TAG.relacount || tag === DYNAMIC_TAG.relcount) return true;
    if (tag === DYNAMIC_TAG.flags) return flags === DF_BIND_NOW && bindsNow;
    if (tag === DYNAMIC_TAG.bindNow) return bindsNow;
    return tag === DYNAMIC_TAG.hash && spare === 'all' && hasGnuHash;
  };
  return dynamic.entries.flatMap(({ tag }, index) => (isSpare(tag) ? [index] : []));
}

function isRunPath({ tag }: DynamicEntry): boolean {
  return tag === DYNAMIC_TAG.rpath || tag === DYNAMIC_TAG.runpath;
}

/** Places for entries that are to be behind every needed name, then at the table's end. */
function* freePlaces(
  image: EditedImage,
  entries: readonly DynamicEntry[],
  capacity: number,
  spare: 'few' | 'all',
) {
  const needed = entries.findLastIndex(({ tag }) => tag === DYNAMIC_TAG.needed);
  for (let at = image.dynamic.entries.length; at < capacity - 1; at += 1) yield at;
  for (const at of spareEntries(image, spare)) if (at > needed) yield at;
}

/** The entries, or undefined where `capacity` is too small. `indexOf`: of a new string. */
export function wantedEntries(
  image: EditedImage,
  wanted: WantedNames,
  indexOf: IndexOf,
  { capacity, spare }: { capacity: number; spare: 'few' | 'all' },
): DynamicEntry[] | undefined {
  const entries = image.dynamic.entries.map((entry) => {
    if (entry.tag !== DYNAMIC_TAG.needed) return entry;
    const index = Number(entry.value);
    const old = stringAt(image, index);
    const name = wanted.renamed.get(old);
    if (name === undefined) return entry;
    return { tag: entry.tag, value: BigInt(indexOf(name, tailOf(old, index, name))) };
  });
  const added: DynamicEntry[] = wanted.lifted.map((name) => ({
    tag: DYNAMIC_TAG.needed,
    value: BigInt(indexOf(name)),
  }));
  if (wanted.runPath !== undefined) {
    const { tag, text } = wanted.runPath;
    const entry = { tag: DYNAMIC_TAG[tag], value: BigInt(indexOf(text)) };
    if (!entries.some(isRunPath)) added.push(entry);
    // Of several of one kind the last counts, and they are the same.
    entries.forEach((each, index) => {
      if (isRunPath(each)) entries[index] = entry;
    });
  }
  const places = [...freePlaces(image, entries, capacity, spare)]
    .slice(0, added.length)
    .sort((a, b) => a - b);
  if (places.length < added.length) return undefined;
  places.forEach((place, index) => {
    entries[place] = added[index] as DynamicEntry;
  });
  return entries;
}

/** vn_file of every Verneed that a renamed library is needed in (elf.h; elf/dl-version.c finds the library by it). */
export function verneedEdits(image: EditedImage, { renamed }: WantedNames, indexOf: IndexOf): FileEdit[] {
  const address = lastOf(image.dynamic, DYNAMIC_TAG.verneed);
  if (address === undefined || renamed.size === 0) return [];
  const what = 'the table of needed versions';
  const { fields, header, segments } = image;
  const edits: FileEdit[] = [];
  let at = rangeOf(segments, address, what).offset;
  for (let count = 0, next = 1; next !== 0; at += next, count += 1) {
    if (count > MOST_VERNEED) throw new Malformed(`${what} has no end`);
    const index = fields.u32(at + 4, what);
    const old = stringAt(image, index);
    const name = renamed.get(old);
    if (name !== undefined) {
      const bytes = numberBytes(header, 4, BigInt(indexOf(name, tailOf(old, index, name))));
      edits.push({ offset: at + 4, bytes, what: 'needed versions' });
    }
    next = fields.u32(at + 12, what);
  }
  return edits;
}
