// What a program shall name → one loaded segment more, with all of it, at the end of the file or in front of a payload.

import { DYNAMIC_TAG } from '../../elf/dynamic.ts';
import { EM_386, EM_X86_64, PF_R, PF_W } from '../../elf/gabi.ts';
import type { Header } from '../../elf/reader.ts';
import { SEGMENT_TYPE, type Segment } from '../../elf/segments.ts';
import { isDynamicTableReferred } from './dynamic-references.ts';
import { draftOf, dynamicBytes, type ElfDraft, editsOfDraft, numberBytes } from './edit-draft.ts';
import { type DynamicEntry, type EditedImage, STRINGS_SIZE_TAG } from './elf-image.ts';
import type { FileChanges, FileEdit } from './file-changes.ts';
import { sortedEdits } from './file-changes.ts';
import { findLoadSlot, type Moved } from './load-slot.ts';
import { type IndexOf, newStrings, verneedEdits, type WantedNames, wantedEntries } from './wanted-names.ts';

type SegmentEditing =
  | { readonly kind: 'changes'; readonly changes: FileChanges }
  /** `why`: one clause. */
  | { readonly kind: 'no-room'; readonly why: string };

/** EM_386, EM_X86_64, EM_S390 and EM_RISCV have no larger page. */
const SMALL_PAGES = new Set([EM_386, EM_X86_64, 22, 243]);
/** What is inserted keeps the payload where it was within its page. */
const STEP = 4096;
const ALIGNMENT = 16;
const SHT_SYMTAB = 2;
const DYNAMIC_SYMBOL = Buffer.from('_DYNAMIC\0');
const REFERRED = 'its code refers to its dynamic table, which would have to move';
/** Relative to the address of the entry itself (elf.h). */
const DT_MIPS_RLD_MAP_REL = 0x70000035;

/** The largest page that a kernel for the machine may have. */
export function largestPage({ machine }: Pick<Header, 'machine'>): number {
  return SMALL_PAGES.has(machine) ? 4096 : 65_536;
}

function roundUp(value: number, to: number): number {
  return Math.ceil(value / to) * to;
}

/** Bytes of the new segment, put together one after the other. */
interface NewSegment {
  readonly offset: number;
  readonly address: number;
  size: number;
  readonly parts: Uint8Array[];
}

interface Put {
  readonly offset: number;
  readonly address: number;
  readonly size: number;
}

function put(block: NewSegment, bytes: Uint8Array, align: number): Put {
  const at = roundUp(block.address + block.size, align) - block.address;
  block.parts.push(new Uint8Array(at - block.size), bytes);
  block.size = at + bytes.length;
  return { offset: block.offset + at, address: block.address + at, size: bytes.length };
}

/** Behind everything in memory, where the file's offset fits into the page, so that nothing is padded. */
function openBlock({ segments, header }: EditedImage, at: number): NewSegment {
  const page = largestPage(header);
  const loads = segments.filter(({ type }) => type === SEGMENT_TYPE.load);
  const end = Math.max(...loads.map(({ address, memorySize }) => address + memorySize));
  const offset = roundUp(at, ALIGNMENT);
  return { offset, address: roundUp(end, page) + (offset % page), size: 0, parts: [] };
}

/** Segments and sections over a range are now over its copy. */
function follow(image: EditedImage, draft: ElfDraft, [from, to]: Moved[number], copy: Put): void {
  const shift = (offset: number) => ({
    offset: copy.offset + offset - from,
    address: copy.address + offset - from,
  });
  const isInside = (offset: number, size: number) => offset >= from && offset + size <= to && size > 0;
  draft.segments = draft.segments.map((each) =>
    each.type !== SEGMENT_TYPE.load && isInside(each.offset, each.fileSize) && image.segments.includes(each)
      ? { ...each, ...shift(each.offset) }
      : each,
  );
  image.sections.forEach(({ offset, size, address }, index) => {
    if (address === 0 || !isInside(offset, size)) return;
    draft.sections.set(index, { ...shift(offset), size });
    draft.entries = draft.entries.map(({ tag, value }) => {
      const isTable = tag === DYNAMIC_TAG.hash || tag === DYNAMIC_TAG.gnuHash;
      return isTable && value === BigInt(address)
        ? { tag, value: BigInt(shift(offset).address) }
        : { tag, value };
    });
  });
}

function moveRange(image: EditedImage, draft: ElfDraft, block: NewSegment, range: Moved[number]): void {
  const [from, to] = range;
  // As far within 16 bytes as before: notes are aligned to 4 or 8.
  const lead = from % ALIGNMENT;
  const bytes = image.fields.bytes(from, to - from, 'a note');
  const padded = Buffer.concat([new Uint8Array(lead), bytes]);
  const { offset, address } = put(block, padded, ALIGNMENT);
  follow(image, draft, range, { offset: offset + lead, address: address + lead, size: bytes.length });
}

function sectionAt({ sections }: EditedImage, offset: number, address: number): number {
  return sections.findIndex((each) => each.offset === offset && each.address === address && each.size > 0);
}

function putInterpreter(image: EditedImage, draft: ElfDraft, block: NewSegment, text: string): void {
  const old = image.segments[image.interpreter?.index ?? -1];
  if (old === undefined) return;
  const { offset, address, size } = put(block, Buffer.from(`${text}\0`, 'latin1'), 1);
  draft.segments = draft.segments.map((each) =>
    each.type === SEGMENT_TYPE.interpreter
      ? { ...each, offset, address, fileSize: size, memorySize: size }
      : each,
  );
  const section = sectionAt(image, old.offset, old.address);
  if (section >= 0) draft.sections.set(section, { offset, address, size });
}

function putStrings(image: EditedImage, draft: ElfDraft, block: NewSegment, texts: readonly string[]) {
  const { strings, fields } = image;
  const ends = new Map<string, number>();
  const parts = texts.map((text) => Buffer.from(`${text}\0`, 'latin1'));
  let size = strings.size;
  texts.forEach((text, index) => {
    ends.set(text, size);
    size += parts[index]?.length ?? 0;
  });
  if (texts.length > 0) {
    const table = fields.bytes(strings.offset, strings.size, 'the string table');
    const copy = put(block, Buffer.concat([table, ...parts]), 1);
    const values = new Map([
      [DYNAMIC_TAG.strtab, copy.address],
      [STRINGS_SIZE_TAG, copy.size],
    ]);
    draft.entries = draft.entries.map(({ tag, value }) => ({ tag, value: BigInt(values.get(tag) ?? value) }));
    const section = sectionAt(image, strings.offset, strings.address);
    if (section >= 0) draft.sections.set(section, copy);
  }
  return (text: string, tail?: number): number => tail ?? ends.get(text) ?? 0;
}

/**
 * `_DYNAMIC` in .symtab, for debuggers and eu-elflint(1): st_value follows st_shndx in class 64 and st_name in class
 * 32.
 */
function symbolEdits({ header, fields, sections, dynamic }: EditedImage, address: number): FileEdit[] {
  const what = 'a symbol';
  const [entry, valueAt] = fields.wide ? [24, 8] : [16, 4];
  const table = sections.find(({ type }) => type === SHT_SYMTAB);
  const names = sections[table?.link ?? -1];
  if (table === undefined || names === undefined) return [];
  const edits: FileEdit[] = [];
  const end = Math.min(table.offset + table.size, fields.size);
  for (let at = table.offset; at + entry <= end; at += entry) {
    if (fields.word(at + valueAt, what) !== dynamic.address) continue;
    const name = names.offset + fields.u32(at, what);
    const isIt = fields
      .bytes(name, DYNAMIC_SYMBOL.length, what)
      .every((byte, i) => byte === DYNAMIC_SYMBOL[i]);
    const bytes = numberBytes(header, fields.wide ? 8 : 4, BigInt(address));
    if (isIt) edits.push({ offset: at + valueAt, bytes, what: 'symbol _DYNAMIC' });
  }
  return edits;
}

/** The table in the new segment, which becomes writable: ld.so writes DT_DEBUG. */
function putDynamic(image: EditedImage, draft: ElfDraft, block: NewSegment): void {
  const { header, dynamic } = image;
  const capacity = draft.entries.length + 1;
  const entry = 2 * (header.class === 64 ? 8 : 4);
  const start = roundUp(block.address + block.size, ALIGNMENT);
  const moved = draft.entries.map(({ tag, value }, index): DynamicEntry => {
    if (tag !== DT_MIPS_RLD_MAP_REL) return { tag, value };
    const before = dynamic.entries.findIndex((each) => each.tag === tag);
    return { tag, value: value + BigInt(dynamic.address + before * entry - (start + index * entry)) };
  });
  const { offset, address, size } = put(block, dynamicBytes(header, moved, capacity), ALIGNMENT);
  draft.segments = draft.segments.map((each) =>
    each.type === SEGMENT_TYPE.dynamic
      ? { ...each, offset, address, fileSize: size, memorySize: size }
      : each,
  );
  const section = sectionAt(image, dynamic.offset, dynamic.address);
  if (section >= 0) draft.sections.set(section, { offset, address, size });
  draft.texts.push(...symbolEdits(image, address));
  draft.dynamic = 'moved';
}

/** What shall be named, and where each new name is in the string table. */
interface NamesInStrings {
  readonly wanted: WantedNames;
  readonly indexOf: IndexOf;
}

/** In place where the table has free entries, else longer, and moved. False where it must move and may not. */
function putEntries(
  image: EditedImage,
  draft: ElfDraft,
  block: NewSegment,
  { wanted, indexOf }: NamesInStrings,
): boolean {
  const now = { ...image, dynamic: { ...image.dynamic, entries: draft.entries } };
  const within = (spare: 'few' | 'all') =>
    wantedEntries(now, wanted, indexOf, { capacity: image.dynamic.capacity, spare });
  const few = within('few');
  const isStuck = few === undefined && isDynamicTableReferred(image);
  const inPlace = isStuck ? within('all') : few;
  if (inPlace !== undefined) {
    draft.entries = inPlace;
    return true;
  }
  if (isStuck) return false;
  const capacity = draft.entries.length + wanted.lifted.length + 2;
  draft.entries = wantedEntries(now, wanted, indexOf, { capacity, spare: 'few' }) ?? draft.entries;
  putDynamic(image, draft, block);
  return true;
}

function bytesOf(block: NewSegment, at: number, isInserted: boolean): Uint8Array {
  const lead = new Uint8Array(block.offset - at);
  const length = lead.length + block.size;
  const tail = new Uint8Array(isInserted ? roundUp(length, STEP) - length : 0);
  return Buffer.concat([lead, ...block.parts, tail]);
}

/**
 * Adds a segment with the interpreter's name, the string table and what else has to move. p_align is the machine's
 * page, not the largest of the file's own, by which files grow by megabytes.
 * @throws Malformed for a table that makes no sense.
 */
export function editBySegment(
  image: EditedImage,
  wanted: WantedNames,
  where: 'end' | 'before payload',
): SegmentEditing {
  const slot = findLoadSlot(image);
  if (slot.kind === 'none') return { kind: 'no-room', why: slot.why };
  const at = where === 'end' ? image.fields.size : image.end;
  const block = openBlock(image, at);
  const draft = draftOf(image);
  for (const range of slot.moved) moveRange(image, draft, block, range);
  if (wanted.interpreter !== undefined) putInterpreter(image, draft, block, wanted.interpreter);
  const indexOf = putStrings(image, draft, block, newStrings(wanted));
  if (!putEntries(image, draft, block, { wanted, indexOf })) return { kind: 'no-room', why: REFERRED };
  draft.texts.push(...verneedEdits(image, wanted, indexOf));
  if (block.size === 0) return { kind: 'no-room', why: 'there is nothing to add' };
  const load: Segment = {
    type: SEGMENT_TYPE.load,
    flags: PF_R + (draft.dynamic === 'moved' ? PF_W : 0),
    offset: block.offset,
    address: block.address,
    fileSize: block.size,
    memorySize: block.size,
    align: largestPage(image.header),
  };
  if (image.header.class === 32 && block.address + block.size > 0xffff_ffff)
    return { kind: 'no-room', why: 'there is no address left for another segment' };
  draft.segments = withLoad(image, slot.place(load), draft.segments);
  const edits = sortedEdits(editsOfDraft(image, draft));
  return { kind: 'changes', changes: { edits, added: { at, bytes: bytesOf(block, at, where !== 'end') } } };
}

/** `placed` has the segments as they were, `drafted` as they shall be, in the old order. */
function withLoad(image: EditedImage, placed: readonly Segment[], drafted: readonly Segment[]): Segment[] {
  return placed.map((each) => {
    const index = image.segments.indexOf(each);
    const now = index < 0 ? each : (drafted[index] ?? each);
    return now;
  });
}
