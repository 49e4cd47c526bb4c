// The first 52 or 64 bytes of an ELF object -> its ELF header (Ehdr, elf.h; gABI chapter 4).
import type { ByteSource } from './byte-source.ts';
import { type FieldReader, readFields } from './field-reader.ts';
import { Malformed } from './malformed.ts';

export interface Header {
  readonly class: 32 | 64;
  readonly byteOrder: 'little' | 'big';
  /** All 16 bytes of e_ident. */
  readonly ident: Uint8Array;
  readonly type: number;
  readonly machine: number;
  readonly version: number;
  readonly entry: number;
  readonly programHeaders: TablePlace;
  readonly sectionHeaders: TablePlace;
  /** Size of this header by its class, in bytes. */
  readonly size: 52 | 64;
}

/** Where a table of equal entries lies: file offset and entry size in bytes. */
export interface TablePlace {
  readonly offset: number;
  readonly entrySize: number;
  readonly count: number;
}

const magic = [0x7f, 0x45, 0x4c, 0x46];
const headerName = 'the ELF header';

/** True when the bytes begin with `\x7fELF`. */
export function hasElfMagic(bytes: Uint8Array): boolean {
  return magic.every((byte, index) => bytes[index] === byte);
}

/** `undefined` when the file does not begin with the ELF magic. Throws Malformed. */
export function readHeader(
  source: ByteSource,
  keptBlocks: number,
): { header: Header; fields: FieldReader } | undefined {
  if (source.size < magic.length) return undefined;
  const ident = source.read(0, 16);
  if (!hasElfMagic(ident)) return undefined;
  if (ident.length < 16) throw new Malformed('the file ends within the ELF header');
  const wide = classOf(ident) === 64;
  const little = byteOrderOf(ident) === 'little';
  const size = wide ? 64 : 52;
  if (source.size < size) throw new Malformed('the file ends within the ELF header');
  const fields = readFields(source, { wide, little, keptBlocks });
  // Up to e_version both classes agree; then e_entry, e_phoff and e_shoff are words.
  const counts = wide ? 52 : 40;
  const half = (index: number) => fields.u16(counts + 2 * index, headerName);
  const table = (offset: number, first: number): TablePlace => ({
    offset: fields.word(offset, headerName),
    entrySize: half(first),
    count: half(first + 1),
  });
  const header: Header = {
    class: classOf(ident),
    byteOrder: byteOrderOf(ident),
    ident,
    type: fields.u16(16, headerName),
    machine: fields.u16(18, headerName),
    version: fields.u32(20, headerName),
    entry: fields.word(24, headerName),
    programHeaders: table(wide ? 32 : 28, 1),
    sectionHeaders: table(wide ? 40 : 32, 3),
    size,
  };
  return { header, fields };
}

function classOf(ident: Uint8Array): 32 | 64 {
  if (ident[4] === 1) return 32;
  if (ident[4] === 2) return 64;
  throw new Malformed(`its ELF class ${ident[4]} is neither 32-bit nor 64-bit`);
}

function byteOrderOf(ident: Uint8Array): 'little' | 'big' {
  if (ident[5] === 1) return 'little';
  if (ident[5] === 2) return 'big';
  throw new Malformed(`its byte order ${ident[5]} is neither little-endian nor big-endian`);
}
