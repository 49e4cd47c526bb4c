// An AppImage of type 2 → where its file system begins.
import type { ByteSource } from '../elf/byte-source.ts';
import { readHeader } from '../elf/header.ts';
import { Malformed } from '../elf/malformed.ts';
import { readElf } from '../elf/read-elf.ts';

/** squashfs 4, little-endian: s_magic 0x73717368 (fs/squashfs/squashfs_fs.h). */
const SQUASHFS = Buffer.from('hsqs');
const DWARFS = Buffer.from('DWARFS');

export type Payload =
  | { readonly kind: 'squashfs'; readonly offset: number }
  /** `why`: one clause. */
  | { readonly kind: 'unknown'; readonly why: string };

function startsWith(source: ByteSource, offset: number, magic: Buffer): boolean {
  return Buffer.from(source.read(offset, magic.length)).equals(magic);
}

/** Where the ELF file ends: its section header table as AppImages' own programs reckon, or the last byte it describes. */
function ends(source: ByteSource): number[] {
  const read = readHeader(source, 4);
  if (read === undefined) return [];
  const { offset, entrySize, count } = read.header.sectionHeaders;
  const reading = readElf(source);
  return [offset + entrySize * count, ...(reading.kind === 'elf' ? [reading.file.end] : [])];
}

/** Total: any bytes give an answer. */
export function findPayload(source: ByteSource): Payload {
  let offsets: number[];
  try {
    offsets = ends(source);
  } catch (error) {
    if (error instanceof Malformed) return { kind: 'unknown', why: error.message };
    throw error;
  }
  const offset = offsets.find((each) => startsWith(source, each, SQUASHFS));
  if (offset !== undefined) return { kind: 'squashfs', offset };
  if (offsets.some((each) => startsWith(source, each, DWARFS)))
    return { kind: 'unknown', why: 'its files are packed as DwarFS, not as squashfs' };
  return { kind: 'unknown', why: 'no squashfs follows its ELF file' };
}
