// The first bytes of a file → whether they have the mark of an AppImage, and of which type.
import { hasElfMagic } from './header.ts';

/** Where the mark lies: in the padding of e_ident (AppImage specification, "image format"). */
export const appImageMark = { offset: 8, size: 3 } as const;

/** 1: an ISO 9660 image that begins with a program; 2: a program with a file system behind it. */
export type AppImageType = 1 | 2;

/** `AI` and the type, in an ELF header; `head`: at least 16 bytes. */
export function appImageType(head: Uint8Array): AppImageType | undefined {
  const [a, i, type] = head.subarray(appImageMark.offset, appImageMark.offset + appImageMark.size);
  if (!hasElfMagic(head) || a !== 0x41 || i !== 0x49) return undefined;
  return type === 1 || type === 2 ? type : undefined;
}

export function isAppImage(head: Uint8Array): boolean {
  return appImageType(head) !== undefined;
}
