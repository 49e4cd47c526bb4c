// The first bytes of a file → whether it is an AppImage, and of which type.
import { hasElfMagic } from './header.ts';

/** 1: an ISO 9660 image that begins with a program; 2: a program with a file system behind it. */
export type AppImageType = 1 | 2;

/** AppImage specification, "image format": `AI` and the type in the padding of e_ident. `head`: at least 16 bytes. */
export function appImageType(head: Uint8Array): AppImageType | undefined {
  const [a, i, type] = head.subarray(8, 11);
  if (!hasElfMagic(head) || a !== 0x41 || i !== 0x49) return undefined;
  return type === 1 || type === 2 ? type : undefined;
}
