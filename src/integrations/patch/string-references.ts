// The tables of a program → every place that holds an index of its dynamic string table, where all can be known.

import { DYNAMIC_TAG } from '../../elf/dynamic.ts';
import { EM_MIPS } from '../../elf/gabi.ts';
import { sectionNamesIndex } from '../../elf/sections.ts';
import { rangeOf } from '../../elf/segments.ts';
import { type EditedImage, lastOf } from './elf-image.ts';
import { stringAt } from './wanted-names.ts';

/** A word of four bytes. */
interface StringReference {
  /** In the file. */
  readonly offset: number;
  readonly text: string;
  /** What the text names; a `file` is renamed with the needed library. */
  readonly of: 'symbol' | 'version' | 'file';
}

const DT_CONFIG = 0x6ffffefa;
const STRING_TAGS: ReadonlySet<number> = new Set([
  DYNAMIC_TAG.needed,
  DYNAMIC_TAG.soname,
  DYNAMIC_TAG.rpath,
  DYNAMIC_TAG.runpath,
  DYNAMIC_TAG.audit,
  DYNAMIC_TAG.depaudit,
  DYNAMIC_TAG.auxiliary,
  DYNAMIC_TAG.filter,
  DT_CONFIG,
]);

/** Whether the entry's value is an index of the string table. */
export function isStringTag(tag: number): boolean {
  return STRING_TAGS.has(tag);
}

/** Tags of other systems and of MIPS, some of which are indexes too (elf.h). */
const OTHERS_FROM = 0x6000_0000;
const OTHERS_TO = 0x6fff_f000;

/** SHT_DYNAMIC, SHT_DYNSYM, SHT_GNU_verdef and SHT_GNU_verneed: the readers here. */
const KNOWN_SECTIONS: ReadonlySet<number> = new Set([6, 11, 0x6ffffffd, 0x6ffffffe]);
const SHT_DYNSYM = 11;
/** st_name is the first word of a symbol in both classes. */
const SYMBOL_SIZE = { 32: 16, 64: 24 } as const;
const MOST_SYMBOLS = 65_536;
const MOST_VERSIONS = 32_768;

function symbolReferences(image: EditedImage): StringReference[] | undefined {
  const { sections, dynamic, fields, header } = image;
  const address = lastOf(dynamic, DYNAMIC_TAG.symtab);
  const table = sections.find((each) => each.type === SHT_DYNSYM && each.address === address);
  const step = SYMBOL_SIZE[header.class];
  if (table === undefined || table.size % step !== 0 || table.size / step > MOST_SYMBOLS) return undefined;
  return Array.from({ length: table.size / step }, (_, index) => {
    const offset = table.offset + index * step;
    return { offset, text: stringAt(image, fields.u32(offset, 'a symbol')), of: 'symbol' as const };
  });
}

/** The chain of a table of versions: where each entry is, by its field for the next one. */
function chained(image: EditedImage, from: number, field: number): number[] | undefined {
  const found: number[] = [];
  for (let at = from, next = 1; next !== 0; at += next) {
    if (found.length > MOST_VERSIONS) return undefined;
    found.push(at);
    next = image.fields.u32(at + field, 'a table of versions');
  }
  return found;
}

/** Entries of Verneed have 16 bytes, of Verdef 20; their auxiliaries are found by `field`, names in these at `name`. */
interface VersionLayout {
  readonly tag: number;
  readonly next: number;
  readonly auxiliary: number;
  readonly auxiliaryNext: number;
  readonly name: number;
}

const VERNEED: VersionLayout = {
  tag: DYNAMIC_TAG.verneed,
  next: 12,
  auxiliary: 8,
  auxiliaryNext: 12,
  name: 8,
};
const VERDEF: VersionLayout = {
  tag: DYNAMIC_TAG.verdef,
  next: 16,
  auxiliary: 12,
  auxiliaryNext: 4,
  name: 0,
};

function versionReferences(image: EditedImage, table: VersionLayout): StringReference[] | undefined {
  const address = lastOf(image.dynamic, table.tag);
  if (address === undefined) return [];
  const { fields } = image;
  const what = 'a table of versions';
  const heads = chained(image, rangeOf(image.segments, address, what).offset, table.next);
  const read = (offset: number, of: 'version' | 'file'): StringReference => ({
    offset,
    text: stringAt(image, fields.u32(offset, what)),
    of,
  });
  const names = heads?.map((at) =>
    chained(image, at + fields.u32(at + table.auxiliary, what), table.auxiliaryNext),
  );
  if (heads === undefined || names?.some((each) => each === undefined)) return undefined;
  return [
    ...(table === VERNEED ? heads.map((at) => read(at + 4, 'file')) : []),
    ...(names ?? []).flatMap((each) => (each ?? []).map((at) => read(at + table.name, 'version'))),
  ];
}

/** Whether somebody reads the table of whom nothing is known here. */
function hasOtherReaders({ header, fields, dynamic, sections }: EditedImage, strings: number): boolean {
  return (
    sectionNamesIndex(fields, header) === strings ||
    header.machine === EM_MIPS ||
    dynamic.entries.some(({ tag }) => tag >= OTHERS_FROM && tag < OTHERS_TO) ||
    sections.some(({ link, type, size }) => link === strings && size > 0 && !KNOWN_SECTIONS.has(type))
  );
}

/**
 * Without those of the dynamic table. `strings`: the section of the string table. Undefined where it cannot be said
 * that these are all. @throws Malformed for a table that makes no sense.
 */
export function stringReferences(image: EditedImage, strings: number): StringReference[] | undefined {
  if (hasOtherReaders(image, strings)) return undefined;
  const found = [
    symbolReferences(image),
    versionReferences(image, VERNEED),
    versionReferences(image, VERDEF),
  ];
  if (found.some((each) => each === undefined)) return undefined;
  const all = found.flatMap((each) => each ?? []);
  return new Set(all.map(({ offset }) => offset)).size === all.length ? all : undefined;
}
