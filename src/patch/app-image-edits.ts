// An AppImage → the edits that make its ELF file an ordinary one, which no rule takes for an AppImage.

import { appImageMark, isAppImage } from '../elf/app-image.ts';
import type { ByteEdit } from '../elf/byte-edits.ts';
import type { ByteSource } from '../elf/byte-source.ts';

/**
 * Clears the mark: glibc's loader refuses a program with it ("ELF file ABI version invalid", elf/dl-load.c,
 * open_verify), and the AppImage itself never looks at it. Empty for every other file.
 */
export function appImageEdits(source: ByteSource): readonly ByteEdit[] {
  const { offset, size } = appImageMark;
  return isAppImage(source.read(0, 16)) ? [{ offset, bytes: new Uint8Array(size) }] : [];
}
