// Headers -> the first byte after all they describe; what follows in the file is a payload.
import type { FieldReader } from './field-reader.ts';
import type { Header } from './header.ts';
import type { Segment } from './segments.ts';

const noBits = 8;
/** Compilers that put every function in a section of its own stay below it even before linking. */
const mostSections = 1_048_576;

/**
 * A file offset in bytes, at most the file's size. The section headers are read only when bytes are left after the
 * segments and their own table, since most linkers write that table last; Go's writes it first.
 * They count for nothing where they make no sense: neither the kernel nor ld.so looks at them.
 */
export function describedEnd(fields: FieldReader, header: Header, segments: readonly Segment[]): number {
  const { offset, entrySize } = header.sectionHeaders;
  const fits = (end: number) => end <= fields.size;
  let end: number = header.size;
  const programHeaders = header.programHeaders;
  const cover = (to: number) => {
    if (fits(to)) end = Math.max(end, to);
  };
  if (segments.length > 0) cover(programHeaders.offset + programHeaders.count * programHeaders.entrySize);
  for (const segment of segments) cover(segment.offset + segment.fileSize);
  if (offset === 0 || entrySize !== (fields.wide ? 64 : 40)) return end;
  const count = sectionCount(fields, header);
  if (count > mostSections || !fits(offset + count * entrySize)) return end;
  cover(offset + count * entrySize);
  if (end === fields.size) return end;
  for (let at = offset; at < offset + count * entrySize; at += entrySize) {
    if (fields.u32(at + 4, 'a section header') === noBits) continue;
    const start = fields.word(at + (fields.wide ? 24 : 16), 'a section header');
    cover(start + fields.word(at + (fields.wide ? 32 : 20), 'a section header'));
  }
  return end;
}

/** e_shnum, or sh_size of the first section header when there are more than 65279 (gABI chapter 4). */
function sectionCount(fields: FieldReader, header: Header): number {
  const { offset, entrySize, count } = header.sectionHeaders;
  if (count !== 0 || offset + entrySize > fields.size) return count;
  return fields.word(offset + (fields.wide ? 32 : 20), 'a section header');
}
