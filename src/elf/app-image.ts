// A file → whether it has the mark of an AppImage, of which type, and where the file system is that it carries.

import { readElf } from './read-elf.ts';
import { type ByteSource, hasElfMagic, Malformed, readHeader } from './reader.ts';

/** Where the mark lies: in the padding of e_ident (AppImage specification, "image format"). */
export const APP_IMAGE_MARK = { offset: 8, size: 3 } as const;

/** 1: an ISO 9660 image that begins with a program; 2: a program with a file system behind it. */
type AppImageType = 1 | 2;

/** `AI` and the type, in an ELF header; `head`: at least 16 bytes. */
export function appImageType(head: Uint8Array): AppImageType | undefined {
  const [a, i, type] = head.subarray(APP_IMAGE_MARK.offset, APP_IMAGE_MARK.offset + APP_IMAGE_MARK.size);
  if (!hasElfMagic(head) || a !== 0x41 || i !== 0x49) return undefined;
  return type === 1 || type === 2 ? type : undefined;
}

export function isAppImage(head: Uint8Array): boolean {
  return appImageType(head) !== undefined;
}

export type AppImage =
  /** The whole file is an ISO 9660 image. */
  | { readonly type: 1 }
  /** A squashfs image begins at this offset. */
  | { readonly type: 2; readonly offset: number };

/** squashfs 4, little-endian: s_magic 0x73717368 (fs/squashfs/squashfs_fs.h). */
const SQUASHFS = { magic: Buffer.from('hsqs') };
/** The first volume descriptor (ECMA-119, 8.1): sector 16, of 2048 bytes, after its type. */
const ISO9660 = { offset: 16 * 2048 + 1, magic: Buffer.from('CD001') };

function has(source: ByteSource, offset: number, magic: Buffer): boolean {
  return Buffer.from(source.read(offset, magic.length)).equals(magic);
}

/**
 * Where the ELF file ends: its section header table as AppImages' own programs reckon, or the last byte it describes.
 */
function endsOf(source: ByteSource): number[] {
  try {
    const read = readHeader(source, 4);
    if (read === undefined) return [];
    const { offset, entrySize, count } = read.header.sectionHeaders;
    const reading = readElf(source);
    return [offset + entrySize * count, ...(reading.kind === 'elf' ? [reading.file.end] : [])];
  } catch (error) {
    if (error instanceof Malformed) return [];
    throw error;
  }
}

/**
 * Undefined for a file without the mark, and for one whose file system is none of these: its own program may know it.
 * Total: any bytes give an answer.
 */
export function readAppImage(source: ByteSource): AppImage | undefined {
  const type = appImageType(source.read(0, 16));
  if (type === 1) return has(source, ISO9660.offset, ISO9660.magic) ? { type } : undefined;
  if (type === undefined) return undefined;
  const offset = endsOf(source).find((each) => has(source, each, SQUASHFS.magic));
  return offset === undefined ? undefined : { type, offset };
}
