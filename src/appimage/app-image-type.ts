// A file → whether it is an AppImage, and of which type.
import type { ByteSource } from '../elf/byte-source.ts';
import { hasElfMagic } from '../elf/header.ts';
import { openFileSource } from '../platform/file-source.ts';

/** 1: an ISO 9660 image that begins with a program; 2: a program with a file system behind it. */
export type AppImageType = 1 | 2;

/** AppImage specification, "image format": `AI` and the type in the padding of e_ident. */
export function appImageType(source: ByteSource): AppImageType | undefined {
  const ident = source.read(0, 16);
  const [a, i, type] = ident.subarray(8, 11);
  if (!hasElfMagic(ident) || a !== 0x41 || i !== 0x49) return undefined;
  return type === 1 || type === 2 ? type : undefined;
}

/** Undefined also for what cannot be read. */
export function appImageTypeAt(file: string): AppImageType | undefined {
  try {
    const source = openFileSource(file);
    try {
      return appImageType(source);
    } finally {
      source.close();
    }
  } catch {
    return undefined;
  }
}
