// PT_NOTE and PT_GNU_PROPERTY segments → their notes; a GNU property note → the x86 instruction set levels that ld.so
// demands; a `.note.dlopen` note → the libraries an object may dlopen (UAPI.12, specs/elf_dlopen_metadata.md).

import type { DlopenNote } from './elf-file.ts';
import { EM_386, EM_X86_64 } from './gabi.ts';
import type { Image } from './image.ts';
import type { FieldReader } from './reader.ts';
import { SEGMENT_TYPE, type Segment } from './segments.ts';

/** One note; the description is read only when asked for. */
interface Note {
  /** Without its NUL. */
  readonly owner: string;
  readonly type: number;
  readonly size: number;
  /** p_align of the segment: 4, or 8 for GNU properties in class 64. */
  readonly align: number;
  read(): Uint8Array;
}

/** Real objects have fewer than fifty. */
const MOST_NOTES = 4_096;
const LONGEST_OWNER = 32;

/**
 * Notes up to the first that does not fit its segment: like ld.so, a bad note is no reason to refuse the object. ld.so
 * reads them by address; notes that are for other tools only need not be mapped, and are read from the file.
 */
export function* readNotes(fields: FieldReader, image: Image, segments: readonly Segment[]): Generator<Note> {
  let left = MOST_NOTES;
  for (const { type, offset, address, fileSize, align: written } of segments) {
    if (type !== SEGMENT_TYPE.note && type !== SEGMENT_TYPE.gnuProperty) continue;
    const isMapped = fileSize > 0 && image.room(address, fileSize) === fileSize;
    const [bytes, from] = isMapped ? [image, address] : [fields, offset];
    const align = written === 8 ? 8 : 4;
    const end = isMapped ? address + fileSize : Math.min(offset + fileSize, fields.size);
    for (let at = from; at + 12 <= end && left > 0; left -= 1) {
      const ownerSize = bytes.u32(at, 'a note');
      const size = bytes.u32(at + 4, 'a note');
      // Name and description are padded to the alignment, counted from the start of the note.
      const description = roundUp(12 + ownerSize, align);
      const next = roundUp(description + size, align);
      if (at + description + size > end) break;
      const start = at + description;
      yield {
        owner: ownerSize > LONGEST_OWNER ? '' : ownerOf(bytes.bytes(at + 12, ownerSize, 'a note')),
        type: bytes.u32(at + 8, 'a note'),
        size,
        align,
        read: () => bytes.bytes(start, size, 'a note'),
      };
      at += next;
    }
  }
}

function roundUp(size: number, align: number): number {
  return Math.ceil(size / align) * align;
}

function ownerOf(bytes: Uint8Array): string {
  const nul = bytes.indexOf(0);
  return String.fromCharCode(...bytes.subarray(0, nul < 0 ? bytes.length : nul));
}

const ISA_NEEDED = 0xc0008002;

/** True for the note that `readIsaNeeded` reads: NT_GNU_PROPERTY_TYPE_0 of owner GNU. */
export function isPropertyNote({ owner, type }: Note): boolean {
  return owner === 'GNU' && type === 5;
}

/**
 * Bits of GNU_PROPERTY_X86_ISA_1_NEEDED, 0 when absent or for other machines. As sysdeps/x86/dl-prop.h: the note must
 * have the alignment of the class, the properties come in ascending order, and each is padded to a word.
 */
export function readIsaNeeded(note: Note, machine: number, word: 4 | 8): number {
  if ((machine !== EM_386 && machine !== EM_X86_64) || note.align !== word) return 0;
  const bytes = note.read();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let bits = 0;
  let last = 0;
  for (let at = 0; at + 8 <= view.byteLength; ) {
    const type = view.getUint32(at, true);
    const size = view.getUint32(at + 4, true);
    if (type < last || at + 8 + size > view.byteLength) break;
    if (type === ISA_NEEDED && size === 4) bits |= view.getUint32(at + 8, true);
    last = type;
    at += 8 + Math.ceil(size / word) * word;
  }
  return bits >>> 0;
}

/** True for the notes that `readDlopenNote` reads. */
export function isDlopenNote({ owner, type }: Note): boolean {
  return owner === 'FDO' && type === 0x407c0c0a;
}

/**
 * The entries of one note: a JSON array of objects, or one bare object with a string `soname`, as the first systemd to
 * write these notes had it. What is not of that shape is left out.
 */
export function readDlopenNote(note: Note): DlopenNote[] {
  const text = Buffer.from(note.read())
    .toString('latin1')
    .replace(/\0[\s\S]*$/, '');
  const parsed = parse(text);
  return (Array.isArray(parsed) ? parsed : [parsed]).flatMap((entry) => entryOf(entry));
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function entryOf(entry: unknown): DlopenNote[] {
  if (typeof entry !== 'object' || entry === null) return [];
  const { soname, feature, priority } = entry as Record<string, unknown>;
  const sonames = (Array.isArray(soname) ? soname : [soname]).filter(isName);
  if (sonames.length === 0) return [];
  return [
    { sonames, feature: typeof feature === 'string' ? feature : undefined, priority: priorityOf(priority) },
  ];
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && !value.includes('\0');
}

/** Absent means recommended. */
function priorityOf(value: unknown): DlopenNote['priority'] {
  return value === 'required' || value === 'suggested' ? value : 'recommended';
}
