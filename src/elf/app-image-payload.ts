// A file with the mark of an AppImage → where the file system is that it carries.
import { appImageType } from './app-image.ts';
import type { ByteSource } from './byte-source.ts';
import { readHeader } from './header.ts';
import { Malformed } from './malformed.ts';
import { readElf } from './read-elf.ts';

export type AppImage =
  /** The whole file is an ISO 9660 image. */
  | { readonly type: 1 }
  /** A squashfs image begins at this offset. */
  | { readonly type: 2; readonly offset: number };

/** squashfs 4, little-endian: s_magic 0x73717368 (fs/squashfs/squashfs_fs.h). */
const squashfs = { magic: Buffer.from('hsqs') };
/** The first volume descriptor (ECMA-119, 8.1): sector 16, of 2048 bytes, after its type. */
const iso9660 = { offset: 16 * 2048 + 1, magic: Buffer.from('CD001') };

function has(source: ByteSource, offset: number, magic: Buffer): boolean {
  return Buffer.from(source.read(offset, magic.length)).equals(magic);
}

/** Where the ELF file ends: its section header table as AppImages' own programs reckon, or the last byte it describes. */
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
  if (type === 1) return has(source, iso9660.offset, iso9660.magic) ? { type } : undefined;
  if (type === undefined) return undefined;
  const offset = endsOf(source).find((each) => has(source, each, squashfs.magic));
  return offset === undefined ? undefined : { type, offset };
}
