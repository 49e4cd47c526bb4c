// What a program shall name → the edits that say so in the room that its linker left: no byte moves, none is added.

import { DYNAMIC_TAG } from '../../elf/dynamic.ts';
import { SHT_NOBITS } from '../../elf/gabi.ts';
import { SEGMENT_TYPE, type Segment } from '../../elf/segments.ts';
import { draftOf, type ElfDraft, editsOfDraft } from './edit-draft.ts';
import { type EditedImage, STRINGS_SIZE_TAG, sectionOf } from './elf-image.ts';
import type { FileEdit } from './file-changes.ts';
import { extended, type FreeRoom, roomsOf, takeRoom } from './free-room.ts';
import { rewriteStrings } from './rewrite-strings.ts';
import { isStringTag } from './string-references.ts';
import {
  type IndexOf,
  newStrings,
  stringAt,
  verneedEdits,
  type WantedNames,
  wantedEntries,
} from './wanted-names.ts';

type Editing =
  | { readonly kind: 'edits'; readonly edits: readonly FileEdit[] }
  /** `why`: one clause. */
  | { readonly kind: 'no-room'; readonly why: string };

/** How new strings become part of the string table. */
export type NewStrings =
  /** The whole table is copied, they stand behind the copy. */
  | 'copied'
  /** They stand somewhere behind the table, which then counts as long enough to hold them. */
  | 'behind'
  /** The table is written anew where it is: what nobody names goes, tails are shared. */
  | 'rewritten';

const SHT_PROGBITS = 1;

function textBytes(text: string): Uint8Array {
  return Buffer.from(`${text}\0`, 'latin1');
}

/** Takes room, extends its segment and writes there. */
function place(
  draft: ElfDraft,
  rooms: readonly FreeRoom[],
  { bytes, what }: Pick<FileEdit, 'bytes' | 'what'>,
  fits?: (room: FreeRoom) => boolean,
) {
  const taken = takeRoom(rooms, bytes.length, fits);
  if (taken === undefined) return undefined;
  const { room, left } = taken;
  draft.segments[room.index] = extended(draft.segments[room.index] as Segment, room);
  draft.texts.push({ offset: room.offset, bytes, what });
  return { room, left };
}

function setTag(draft: ElfDraft, tag: number, value: number): void {
  draft.entries = draft.entries.map((entry) => (entry.tag === tag ? { tag, value: BigInt(value) } : entry));
}

interface Placed {
  readonly rooms: readonly FreeRoom[];
  /** File range [start, end) of a table that is written anew. */
  readonly rewritten?: readonly [number, number];
  readonly indexOf: IndexOf;
}

/** Undefined where there is no room. */
function placeCopied(
  image: EditedImage,
  draft: ElfDraft,
  texts: readonly string[],
  rooms: readonly FreeRoom[],
) {
  const { strings, fields } = image;
  const parts = texts.map(textBytes);
  const table = Buffer.concat([fields.bytes(strings.offset, strings.size, 'the string table'), ...parts]);
  const taken = place(draft, rooms, { bytes: table, what: 'string table' });
  if (taken === undefined) return undefined;
  const { room, left } = taken;
  setTag(draft, DYNAMIC_TAG.strtab, room.address);
  setTag(draft, STRINGS_SIZE_TAG, table.length);
  const section = sectionOf(image, strings.offset, strings.address);
  if (section >= 0) draft.sections.set(section, { ...room, size: table.length });
  const ends = new Map<string, number>();
  texts.reduce((at, text, index) => {
    ends.set(text, at);
    return at + (parts[index]?.length ?? 0);
  }, strings.size);
  return { rooms: left, indexOf: (text: string, tail?: number) => tail ?? ends.get(text) ?? 0 };
}

/**
 * In the table's own segment, so as far from it in the file as in memory: everybody finds them who adds an index to its
 * start, and readers that hold the table for a part of one segment still do.
 */
function placeBehind(
  image: EditedImage,
  draft: ElfDraft,
  texts: readonly string[],
  rooms: readonly FreeRoom[],
) {
  const { strings, segments } = image;
  const isBehind = ({ index, offset, address }: FreeRoom) => {
    const { address: from = 0, memorySize = 0 } = segments[index] ?? {};
    const isOwn = strings.address >= from && strings.address < from + memorySize;
    return isOwn && address > strings.address && address - strings.address === offset - strings.offset;
  };
  const indexes = new Map<string, number>();
  let left = rooms;
  let end = strings.size;
  for (const text of texts) {
    const taken = place(draft, left, { bytes: textBytes(text), what: 'name' }, isBehind);
    if (taken === undefined) return undefined;
    left = taken.left;
    indexes.set(text, taken.room.address - strings.address);
    end = Math.max(end, taken.room.address + taken.room.size - strings.address);
  }
  if (end > 0xffff_ffff) return undefined; // vn_file has 32 bits
  setTag(draft, STRINGS_SIZE_TAG, end);
  const section = sectionOf(image, strings.offset, strings.address);
  if (section >= 0 && texts.length > 0) draft.sections.set(section, { ...strings, size: end });
  return { rooms: left, indexOf: (text: string, tail?: number) => tail ?? indexes.get(text) ?? 0 };
}

/** What the table leaves of its place is room. Its entries in the dynamic table follow in `followStrings`. */
function placeRewritten(
  image: EditedImage,
  draft: ElfDraft,
  wanted: WantedNames,
  rooms: readonly FreeRoom[],
): Placed | undefined {
  const made = rewriteStrings(image, wanted);
  if (made === undefined) return undefined;
  const { bytes, room, section, references, indexOf } = made;
  const { offset, address } = image.strings;
  setTag(draft, STRINGS_SIZE_TAG, bytes.length);
  draft.sections.set(section, { offset, address, size: bytes.length });
  draft.texts.push({ offset, bytes, what: 'string table' }, ...references);
  const index = image.segments.findIndex(
    (each) =>
      each.type === SEGMENT_TYPE.load && each.offset <= offset && offset < each.offset + each.fileSize,
  );
  const left = {
    index,
    offset: offset + bytes.length,
    address: address + bytes.length,
    size: room - bytes.length,
  };
  // The table goes on over zeros that were room for others.
  const others = rooms.filter((each) => each.offset < offset || each.offset >= offset + room);
  // The ends of old strings are elsewhere now.
  return { rooms: [...others, left], rewritten: [offset, offset + room], indexOf: (text) => indexOf(text) };
}

/** Entries that are as they were name their strings by the new indexes. */
function followStrings(image: EditedImage, draft: ElfDraft, indexOf: (text: string) => number): void {
  const old = new Set(image.dynamic.entries);
  draft.entries = draft.entries.map((entry) => {
    if (!old.has(entry) || !isStringTag(entry.tag)) return entry;
    return { tag: entry.tag, value: BigInt(indexOf(stringAt(image, Number(entry.value)))) };
  });
}

/** Nothing is left of the old table behind the new one. */
function clearRest(draft: ElfDraft, [from, to]: readonly [number, number]): void {
  const ends = draft.texts.map(({ offset, bytes }) => [offset, offset + bytes.length] as const);
  const end = Math.max(...ends.filter(([start]) => start >= from && start < to).map(([, last]) => last));
  if (end < to) draft.texts.push({ offset: end, bytes: new Uint8Array(to - end), what: 'string table' });
}

/** A section of compilers' names, which is not in memory and nobody reads while the program runs. */
function commentOf(
  { sections, segments, fields }: EditedImage,
  size: number,
): { offset: number } | undefined {
  const comment = sections.find(({ label }) => label === '.comment');
  if (comment === undefined || comment.type !== SHT_PROGBITS || comment.address !== 0) return undefined;
  const end = comment.offset + comment.size;
  const overlaps = (each: { offset: number }, length: number) =>
    length > 0 && each.offset < end && each.offset + length > comment.offset;
  const isAlone =
    !segments.some((each) => overlaps(each, each.fileSize)) &&
    !sections.some((each) => each !== comment && each.type !== SHT_NOBITS && overlaps(each, each.size));
  return isAlone && end <= fields.size && comment.size >= size ? comment : undefined;
}

/** In a room, else over the old one, else in `.comment`: the kernel reads it from the file. */
function placeInterpreter(
  image: EditedImage,
  draft: ElfDraft,
  text: string,
  { rooms, rewritten }: Placed,
): boolean {
  const index = image.interpreter?.index ?? -1;
  const old = image.segments[index];
  if (old === undefined) return false;
  const bytes = textBytes(text);
  const size = bytes.length;
  const name = { fileSize: size, memorySize: size };
  const taken = place(draft, rooms, { bytes, what: 'interpreter' });
  if (taken !== undefined) {
    const { offset, address } = taken.room;
    draft.segments[index] = { ...old, ...name, offset, address };
    const section = sectionOf(image, old.offset, old.address);
    if (section >= 0) draft.sections.set(section, { offset, address, size });
    return true;
  }
  if (size <= old.fileSize) {
    draft.texts.push({
      offset: old.offset,
      bytes: Buffer.concat([bytes], old.fileSize),
      what: 'interpreter',
    });
    return true;
  }
  const comment = commentOf(image, size);
  // There strip(1) loses it, and the file shall bear to be stripped.
  if (comment === undefined || rewritten !== undefined) return false;
  draft.segments[index] = { ...old, ...name, offset: comment.offset };
  draft.texts.push({ offset: comment.offset, bytes, what: 'interpreter' });
  return true;
}

function placeStrings(
  image: EditedImage,
  draft: ElfDraft,
  wanted: WantedNames,
  strings: NewStrings,
): Placed | undefined {
  const rooms = roomsOf(image);
  const texts = newStrings(wanted);
  if (strings === 'rewritten') return placeRewritten(image, draft, wanted, rooms);
  if (texts.length === 0) return { rooms, indexOf: (_, tail = 0) => tail };
  return strings === 'copied'
    ? placeCopied(image, draft, texts, rooms)
    : placeBehind(image, draft, texts, rooms);
}

/**
 * Every string goes into the zero bytes behind a loaded segment, every entry into a free one of the dynamic table.
 * @throws Malformed for a table that makes no sense.
 */
export function editInPlace(
  image: EditedImage,
  wanted: WantedNames,
  strings: NewStrings,
  spare: 'few' | 'all',
): Editing {
  const draft = draftOf(image);
  const placed = placeStrings(image, draft, wanted, strings);
  if (placed === undefined) return { kind: 'no-room', why: 'there are too few free bytes for its names' };
  const room = { capacity: image.dynamic.capacity, spare };
  const entries = wantedEntries(
    { ...image, dynamic: { ...image.dynamic, entries: draft.entries } },
    wanted,
    placed.indexOf,
    room,
  );
  if (entries === undefined) return { kind: 'no-room', why: 'its dynamic table has no free entry' };
  draft.entries = entries;
  if (placed.rewritten !== undefined) followStrings(image, draft, placed.indexOf);
  else draft.texts.push(...verneedEdits(image, wanted, placed.indexOf));
  if (wanted.interpreter !== undefined && !placeInterpreter(image, draft, wanted.interpreter, placed))
    return { kind: 'no-room', why: "there are too few free bytes for its interpreter's name" };
  if (placed.rewritten !== undefined) clearRest(draft, placed.rewritten);
  return { kind: 'edits', edits: editsOfDraft(image, draft) };
}
