// PT_NOTE and PT_GNU_PROPERTY segments -> their notes, one by one.
import type { FieldReader } from './field-reader.ts';
import { type Segment, segmentType } from './segments.ts';

/** One note; the description is read only when asked for. */
export interface Note {
  /** Without its NUL. */
  readonly owner: string;
  readonly type: number;
  readonly size: number;
  /** p_align of the segment: 4, or 8 for GNU properties in class 64. */
  readonly align: number;
  read(): Uint8Array;
}

/** Real objects have fewer than fifty. */
const mostNotes = 4_096;
const longestOwner = 32;

/** Notes up to the first that does not fit its segment: like ld.so, a bad note is no reason to refuse the object. */
export function* readNotes(fields: FieldReader, segments: readonly Segment[]): Generator<Note> {
  let left = mostNotes;
  for (const { type, offset, fileSize, align: written } of segments) {
    if (type !== segmentType.note && type !== segmentType.gnuProperty) continue;
    const align = written === 8 ? 8 : 4;
    const end = Math.min(offset + fileSize, fields.size);
    for (let at = offset; at + 12 <= end && left > 0; left -= 1) {
      const ownerSize = fields.u32(at, 'a note');
      const size = fields.u32(at + 4, 'a note');
      // Name and description are padded to the alignment, counted from the start of the note.
      const description = roundUp(12 + ownerSize, align);
      const next = roundUp(description + size, align);
      if (at + description + size > end) break;
      const start = at + description;
      yield {
        owner: ownerSize > longestOwner ? '' : ownerOf(fields.bytes(at + 12, ownerSize, 'a note')),
        type: fields.u32(at + 8, 'a note'),
        size,
        align,
        read: () => fields.bytes(start, size, 'a note'),
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
