// Bytes → the numbers and strings of one ELF object, in its class and byte order, never beyond its end, read in few
// whole blocks; its first 52 or 64 bytes → its ELF header (Ehdr, elf.h; gABI chapter 4).

export interface Header {
  readonly class: 32 | 64;
  readonly byteOrder: 'little' | 'big';
  /** All 16 bytes of e_ident. */
  readonly ident: Uint8Array;
  readonly type: number;
  readonly machine: number;
  readonly version: number;
  readonly entry: number;
  readonly programHeaders: TableRange;
  readonly sectionHeaders: TableRange;
  /** Size of this header by its class, in bytes. */
  readonly size: 52 | 64;
}

/** Where a table of equal entries lies: file offset and entry size in bytes. */
interface TableRange {
  readonly offset: number;
  readonly entrySize: number;
  readonly count: number;
}

const MAGIC = [0x7f, 0x45, 0x4c, 0x46];
const HEADER_NAME = 'the ELF header';

/** True when the bytes begin with `\x7fELF`. */
export function hasElfMagic(bytes: Uint8Array): boolean {
  return MAGIC.every((byte, index) => bytes[index] === byte);
}

/** `undefined` when the file does not begin with the ELF magic. Throws Malformed. */
export function readHeader(
  source: ByteSource,
  cachedBlocks: number,
): { header: Header; fields: FieldReader } | undefined {
  if (source.size < MAGIC.length) return undefined;
  const ident = source.read(0, 16);
  if (!hasElfMagic(ident)) return undefined;
  if (ident.length < 16) throw new Malformed('the file ends within the ELF header');
  const wide = classOf(ident) === 64;
  const little = byteOrderOf(ident) === 'little';
  const size = wide ? 64 : 52;
  if (source.size < size) throw new Malformed('the file ends within the ELF header');
  const fields = readFields(source, { wide, little, cachedBlocks });
  // Up to e_version both classes agree; then e_entry, e_phoff and e_shoff are words.
  const counts = wide ? 52 : 40;
  const half = (index: number) => fields.u16(counts + 2 * index, HEADER_NAME);
  const table = (offset: number, first: number): TableRange => ({
    offset: fields.word(offset, HEADER_NAME),
    entrySize: half(first),
    count: half(first + 1),
  });
  const header: Header = {
    class: classOf(ident),
    byteOrder: byteOrderOf(ident),
    ident,
    type: fields.u16(16, HEADER_NAME),
    machine: fields.u16(18, HEADER_NAME),
    version: fields.u32(20, HEADER_NAME),
    entry: fields.word(24, HEADER_NAME),
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

/**
 * Thrown within `src/elf` only; every public reader turns it into `{kind: 'bad-elf', why}`.
 * `message` is one clause for people, without a full stop.
 */
export class Malformed extends Error {
  override readonly name = 'Malformed';
}

/** Something with bytes. `read` returns exactly `length` bytes, or fewer where the file ends. */
export interface ByteSource {
  readonly size: number;
  /** Of a file that is read as it is: device, inode, size and times. */
  readonly identity?: string;
  read(offset: number, length: number): Uint8Array;
  /** The same into `bytes`, where whole files are read: what was read of it. */
  readInto?(bytes: Uint8Array, offset: number): Uint8Array;
}

/** Into `bytes` from anything. */
export function fillFrom(source: ByteSource, bytes: Uint8Array, offset: number): Uint8Array {
  if (source.readInto !== undefined) return source.readInto(bytes, offset);
  const read = source.read(offset, bytes.length);
  bytes.set(read);
  return bytes.subarray(0, read.length);
}

/** A source over bytes already in memory. */
export function bytesInMemory(bytes: Uint8Array): ByteSource {
  return { size: bytes.length, read: (offset, length) => bytes.subarray(offset, offset + length) };
}

/**
 * Every method takes a position in bytes, a file offset or an address (image.ts), and `what` is read there, for the
 * message; all throw Malformed beyond the end of the file.
 */
export interface FieldReader {
  /** Of the file. */
  readonly size: number;
  /** True for class 64. */
  readonly wide: boolean;
  readonly little: boolean;
  u8(offset: number, what: string): number;
  u16(offset: number, what: string): number;
  u32(offset: number, what: string): number;
  /** Elf_Addr, Elf_Off and Elf_Xword: 4 or 8 bytes. Infinity from 2^53 on: beyond the end of anything. */
  word(offset: number, what: string): number;
  bytes(offset: number, length: number, what: string): Uint8Array;
  /** The text from `offset` to a NUL or to `end`; `next`: where it goes on, undefined after a NUL. */
  textPart(offset: number, end: number, what: string): TextPart;
  /** The string that ends in NUL before `end`, a position, as latin1, of at most `longest` bytes. */
  text(offset: number, end: number, longest: number, what: string): string;
}

interface TextPart {
  readonly text: string;
  readonly next: number | undefined;
}

interface StructLayout {
  readonly wide: boolean;
  readonly little: boolean;
  /** How many blocks stay in memory. */
  readonly cachedBlocks: number;
}

const TWO_TO32 = 0x1_0000_0000;

export function readFields(source: ByteSource, layout: StructLayout): FieldReader {
  const { wide, little } = layout;
  const size = source.size;
  const blockAt = cacheBlocks(source, layout.cachedBlocks);

  const bytes = (offset: number, length: number, what: string): Uint8Array => {
    if (!(offset >= 0 && offset + length <= size)) throw beyondTheEnd(what);
    const first = Math.floor(offset / BLOCK_SIZE);
    const within = offset - first * BLOCK_SIZE;
    if (within + length <= BLOCK_SIZE) {
      const slice = blockAt(first).bytes.subarray(within, within + length);
      if (slice.length !== length) throw beyondTheEnd(what);
      return slice;
    }
    const joined = new Uint8Array(length);
    for (let done = 0, index = first, from = within; done < length; index += 1, from = 0) {
      const part = blockAt(index).bytes.subarray(from, from + length - done);
      if (part.length === 0) throw beyondTheEnd(what);
      joined.set(part, done);
      done += part.length;
    }
    return joined;
  };

  const number = (offset: number, length: 2 | 4, what: string): number => {
    const index = Math.floor(offset / BLOCK_SIZE);
    const within = offset - index * BLOCK_SIZE;
    if (offset >= 0 && offset + length <= size && within + length <= BLOCK_SIZE) {
      const { view } = blockAt(index);
      if (within + length > view.byteLength) throw beyondTheEnd(what);
      return length === 2 ? view.getUint16(within, little) : view.getUint32(within, little);
    }
    const split = bytes(offset, length, what);
    const view = new DataView(split.buffer, split.byteOffset, length);
    return length === 2 ? view.getUint16(0, little) : view.getUint32(0, little);
  };

  const u8 = (offset: number, what: string): number => {
    const index = Math.floor(offset / BLOCK_SIZE);
    if (!(offset >= 0 && offset < size)) throw beyondTheEnd(what);
    const byte = blockAt(index).bytes[offset - index * BLOCK_SIZE];
    if (byte === undefined) throw beyondTheEnd(what);
    return byte;
  };

  const u32 = (offset: number, what: string) => number(offset, 4, what);

  const word = (offset: number, what: string): number => {
    if (!wide) return u32(offset, what);
    const high = u32(little ? offset + 4 : offset, what);
    const low = u32(little ? offset : offset + 4, what);
    return high < 0x20_0000 ? high * TWO_TO32 + low : Number.POSITIVE_INFINITY;
  };

  const textPart = (offset: number, end: number, what: string): TextPart => {
    let found = '';
    for (let at = offset; at < end; ) {
      const index = Math.floor(at / BLOCK_SIZE);
      const block = blockAt(index).bytes;
      const from = at - index * BLOCK_SIZE;
      const to = Math.min(block.length, end - index * BLOCK_SIZE);
      if (to <= from) throw beyondTheEnd(what);
      const nul = block.indexOf(0, from);
      if (nul >= 0 && nul < to) return { text: found + block.toString('latin1', from, nul), next: undefined };
      found += block.toString('latin1', from, to);
      at = index * BLOCK_SIZE + to;
    }
    return { text: found, next: end };
  };

  const text = (offset: number, end: number, longest: number, what: string): string => {
    if (!(offset >= 0 && offset < end && offset < size)) throw beyondTheEnd(what);
    const last = Math.min(end, size, offset + longest + 1);
    const part = textPart(offset, last, what);
    if (part.next === undefined) return part.text;
    throw new Malformed(last === offset + longest + 1 ? `${what} is too long` : `${what} has no end`);
  };

  const u16 = (offset: number, what: string) => number(offset, 2, what);

  return { size, wide, little, u8, u16, u32, word, bytes, textPart, text };
}

function beyondTheEnd(what: string): Malformed {
  return new Malformed(`${what} lies beyond the end of the file`);
}

/** A power of two, in bytes: headers, notes and the first tables of most objects lie in one block. */
export const BLOCK_SIZE = 16_384;

/** A block and the same bytes as numbers. `bytes` is shorter than `blockSize` where the file ends. */
interface Block {
  readonly bytes: Buffer;
  readonly view: DataView;
}

/**
 * Gives block `index` (byte offset `index * blockSize`), with at most `most` blocks in memory, the oldest dropped
 * first.
 */
export function cacheBlocks(source: ByteSource, most: number): (index: number) => Block {
  const blocks = new Map<number, Block>();
  return (index) => {
    const known = blocks.get(index);
    if (known) return known;
    if (blocks.size >= most) {
      const [oldest] = blocks.keys();
      if (oldest !== undefined) blocks.delete(oldest);
    }
    const read = source.read(index * BLOCK_SIZE, BLOCK_SIZE);
    const block = {
      bytes: Buffer.from(read.buffer, read.byteOffset, read.length),
      view: new DataView(read.buffer, read.byteOffset, read.length),
    };
    blocks.set(index, block);
    return block;
  };
}
