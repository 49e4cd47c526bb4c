// How the headers and the dynamic table shall be → the edits that make them so.

import type { Header } from '../../elf/reader.ts';
import { Malformed } from '../../elf/reader.ts';
import type { Segment } from '../../elf/segments.ts';
import type { DynamicEntry, EditedImage } from './elf-image.ts';
import { differences, type FileEdit } from './file-changes.ts';

interface SectionPlace {
  readonly address: number;
  readonly offset: number;
  readonly size: number;
}

/** What is changed step by step; `draftOf` begins with everything as it is. */
export interface ElfDraft {
  /** The program headers, one more than before where the table grows. */
  segments: Segment[];
  /** By index among the sections. */
  readonly sections: Map<number, SectionPlace>;
  entries: DynamicEntry[];
  /** Whether the table stays where it is; moved, it is among the bytes of a new segment. */
  dynamic: 'in place' | 'moved';
  /** Strings and other bytes that are written over. */
  readonly texts: FileEdit[];
}

export function draftOf({ segments, dynamic }: EditedImage): ElfDraft {
  return {
    segments: [...segments],
    sections: new Map(),
    entries: [...dynamic.entries],
    dynamic: 'in place',
    texts: [],
  };
}

interface FieldValue {
  readonly size: 4 | 8;
  readonly value: bigint;
}

function put(header: Header, bytes: Uint8Array, at: number, { size, value }: FieldValue): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = header.byteOrder === 'little';
  if (size === 8) view.setBigUint64(at, BigInt.asUintN(64, value), little);
  else view.setUint32(at, Number(BigInt.asUintN(32, value)), little);
}

/** A number in the class and byte order of a file. */
export function numberBytes(header: Header, size: 4 | 8, value: bigint): Uint8Array {
  const bytes = new Uint8Array(size);
  put(header, bytes, 0, { size, value });
  return bytes;
}

function exact(value: number): bigint {
  if (!Number.isSafeInteger(value)) throw new Malformed('a program header has an impossible size');
  return BigInt(value);
}

/** One Phdr. p_paddr is p_vaddr for what changed, since nothing but a boot loader reads it. */
function writeSegment(header: Header, bytes: Uint8Array, at: number, segment: Segment): void {
  const { type, flags, offset, address, fileSize, memorySize, align } = segment;
  const wide = header.class === 64;
  const step = wide ? 8 : 4;
  put(header, bytes, at, { size: 4, value: BigInt(type) });
  put(header, bytes, at + (wide ? 4 : 24), { size: 4, value: BigInt(flags) });
  [offset, address, address, fileSize, memorySize].forEach((value, index) => {
    put(header, bytes, at + step + index * step, { size: step, value: exact(value) });
  });
  put(header, bytes, at + (wide ? 48 : 28), { size: step, value: exact(align) });
}

/** Entries that stay keep their bytes: a p_paddr, or a size from 2^53 on. */
function segmentEdits({ header, segments: before, fields }: EditedImage, { segments }: ElfDraft): FileEdit[] {
  const { offset, entrySize } = header.programHeaders;
  const old = fields.bytes(offset, segments.length * entrySize, 'the program header table');
  const table = Uint8Array.from(old);
  segments.forEach((segment, index) => {
    const at = index * entrySize;
    const from = before.indexOf(segment);
    if (from < 0) writeSegment(header, table, at, segment);
    else table.set(old.subarray(from * entrySize, (from + 1) * entrySize), at);
  });
  return differences(offset, old, table, 'program headers');
}

function countEdits({ header, segments: before, fields }: EditedImage, { segments }: ElfDraft): FileEdit[] {
  if (segments.length === before.length) return [];
  const at = header.class === 64 ? 56 : 44;
  const bytes = Uint8Array.from(fields.bytes(at, 2, 'the ELF header'));
  new DataView(bytes.buffer).setUint16(0, segments.length, header.byteOrder === 'little');
  return [{ offset: at, bytes, what: 'number of program headers' }];
}

/** The table as bytes of `capacity` entries, at least one of them DT_NULL. */
export function dynamicBytes(header: Header, entries: readonly DynamicEntry[], capacity: number): Uint8Array {
  const word = header.class === 64 ? 8 : 4;
  const bytes = new Uint8Array(capacity * 2 * word);
  entries.forEach(({ tag, value }, index) => {
    put(header, bytes, index * 2 * word, { size: word, value: BigInt(tag) });
    put(header, bytes, index * 2 * word + word, { size: word, value });
  });
  return bytes;
}

function dynamicEdits(
  { header, fields, dynamic }: EditedImage,
  { entries, dynamic: where }: ElfDraft,
): FileEdit[] {
  if (where === 'moved') return [];
  const bytes = dynamicBytes(header, entries, dynamic.capacity);
  const old = fields.bytes(dynamic.offset, bytes.length, 'the dynamic table');
  return differences(dynamic.offset, old, bytes, 'dynamic table');
}

function sectionEdits({ header, sections, fields }: EditedImage, draft: ElfDraft): FileEdit[] {
  const [address, offset, size] = header.class === 64 ? ([16, 24, 32] as const) : ([12, 16, 20] as const);
  return [...draft.sections].flatMap(([index, place]) => {
    const section = sections[index];
    if (section === undefined) return [];
    return [
      [section.at + address, place.address],
      [section.at + offset, place.offset],
      [section.at + size, place.size],
    ].flatMap(([at = 0, value = 0]) => {
      const bytes = numberBytes(header, header.class === 64 ? 8 : 4, BigInt(value));
      return differences(
        at,
        fields.bytes(at, bytes.length, 'a section header'),
        bytes,
        `section ${section.label}`,
      );
    });
  });
}

/** Texts are not compared with what is there: what undo holds depends on the length of names, not on them. */
export function editsOfDraft(image: EditedImage, draft: ElfDraft): FileEdit[] {
  return [
    ...segmentEdits(image, draft),
    ...countEdits(image, draft),
    ...dynamicEdits(image, draft),
    ...sectionEdits(image, draft),
    ...draft.texts,
  ];
}
