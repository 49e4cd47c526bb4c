// The section header table → the sections, for those who look beyond what the kernel and ld.so read.
import type { FieldReader, Header } from './reader.ts';

/** One Shdr; offsets and sizes in bytes. */
export interface Section {
  /** File offset of the header itself. */
  readonly at: number;
  /** Offset of its name in the section of names. */
  readonly name: number;
  readonly type: number;
  readonly address: number;
  readonly offset: number;
  readonly size: number;
  /** sh_link: of a table with names, the section that has them. */
  readonly link: number;
  readonly align: number;
}

/** Programs have some thirty; more than this many are not looked at. */
const MOST_SECTIONS = 4096;

const TABLE_NAME = 'a section header';

/** Empty where the table is missing, makes no sense or is larger than that of any program. Throws Malformed. */
export function readSections(fields: FieldReader, header: Header): Section[] {
  const { offset, entrySize, count } = header.sectionHeaders;
  const wide = fields.wide;
  if (offset === 0 || entrySize !== (wide ? 64 : 40) || count > MOST_SECTIONS) return [];
  if (offset + count * entrySize > fields.size) return [];
  return Array.from({ length: count }, (_, index) => {
    const at = offset + index * entrySize;
    const word = (inWide: number, inNarrow: number) =>
      fields.word(at + (wide ? inWide : inNarrow), TABLE_NAME);
    return {
      at,
      name: fields.u32(at, TABLE_NAME),
      type: fields.u32(at + 4, TABLE_NAME),
      address: word(16, 12),
      offset: word(24, 16),
      size: word(32, 20),
      link: fields.u32(at + (wide ? 40 : 24), TABLE_NAME),
      align: word(48, 32),
    };
  });
}

/** e_shstrndx: which section has the names. Throws Malformed. */
export function sectionNamesIndex(fields: FieldReader, { class: elfClass }: Header): number {
  return fields.u16(elfClass === 64 ? 62 : 50, 'the ELF header');
}

const LONGEST_SECTION_NAME = 64;

/** The names of sections, in the order of the table; empty text for what has none. `index`: e_shstrndx. */
export function namesOfSections(fields: FieldReader, sections: readonly Section[], index: number): string[] {
  const table = sections[index];
  if (table === undefined) return [];
  const end = Math.min(table.offset + table.size, fields.size);
  return sections.map(({ name }) => {
    const at = table.offset + name;
    if (at >= end) return '';
    const text = Buffer.from(fields.bytes(at, Math.min(LONGEST_SECTION_NAME, end - at), 'a section name'));
    return text.toString('latin1').split('\0')[0] ?? '';
  });
}
