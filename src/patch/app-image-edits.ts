// An AppImage → the edits that make its ELF file an ordinary one, which no rule takes for an AppImage.

import type { ByteEdit } from '../elf/byte-edits.ts';
import type { ByteSource } from '../elf/byte-source.ts';

const offset = 8;

/**
 * Clears the type in e_ident (AppImage specification, "image format"): glibc's loader refuses a program with it
 * ("nonzero padding in e_ident", elf/dl-load.c, open_verify), and the AppImage itself never looks at it. Empty for
 * every other file.
 */
export function appImageEdits(source: ByteSource): readonly ByteEdit[] {
  const [a, i, type] = source.read(offset, 3);
  const marked = a === 0x41 && i === 0x49 && (type === 1 || type === 2);
  return marked ? [{ offset, bytes: new Uint8Array(3) }] : [];
}
