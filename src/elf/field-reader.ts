// Bytes -> the numbers and strings of one ELF object, in its class and byte order, never beyond its end.
import { blockSize, cacheBlocks } from './block-cache.ts';
import type { ByteSource } from './byte-source.ts';
import { Malformed } from './malformed.ts';

/**
 * Every method takes a file offset in bytes and `what` is read there, for the message;
 * all throw Malformed beyond the end of the file.
 */
export interface FieldReader {
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
  /** The string that ends in NUL before `end` (a file offset), as latin1, of at most `longest` bytes. */
  text(offset: number, end: number, longest: number, what: string): string;
}

export interface Layout {
  readonly wide: boolean;
  readonly little: boolean;
  /** How many blocks stay in memory. */
  readonly keptBlocks: number;
}

const twoTo32 = 0x1_0000_0000;

export function readFields(source: ByteSource, layout: Layout): FieldReader {
  const { wide, little } = layout;
  const size = source.size;
  const blockAt = cacheBlocks(source, layout.keptBlocks);

  const bytes = (offset: number, length: number, what: string): Uint8Array => {
    if (!(offset >= 0 && offset + length <= size)) throw beyondTheEnd(what);
    const first = Math.floor(offset / blockSize);
    const within = offset - first * blockSize;
    if (within + length <= blockSize) {
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
    const index = Math.floor(offset / blockSize);
    const within = offset - index * blockSize;
    if (offset >= 0 && offset + length <= size && within + length <= blockSize) {
      const { view } = blockAt(index);
      if (within + length > view.byteLength) throw beyondTheEnd(what);
      return length === 2 ? view.getUint16(within, little) : view.getUint32(within, little);
    }
    const split = bytes(offset, length, what);
    const view = new DataView(split.buffer, split.byteOffset, length);
    return length === 2 ? view.getUint16(0, little) : view.getUint32(0, little);
  };

  const u8 = (offset: number, what: string): number => {
    const index = Math.floor(offset / blockSize);
    if (!(offset >= 0 && offset < size)) throw beyondTheEnd(what);
    const byte = blockAt(index).bytes[offset - index * blockSize];
    if (byte === undefined) throw beyondTheEnd(what);
    return byte;
  };

  const u32 = (offset: number, what: string) => number(offset, 4, what);

  const word = (offset: number, what: string): number => {
    if (!wide) return u32(offset, what);
    const high = u32(little ? offset + 4 : offset, what);
    const low = u32(little ? offset : offset + 4, what);
    return high < 0x20_0000 ? high * twoTo32 + low : Number.POSITIVE_INFINITY;
  };

  const text = (offset: number, end: number, longest: number, what: string): string => {
    if (!(offset >= 0 && offset < end && offset < size)) throw beyondTheEnd(what);
    const last = Math.min(end, size, offset + longest + 1);
    let found = '';
    for (let at = offset; at < last; ) {
      const index = Math.floor(at / blockSize);
      const block = blockAt(index).bytes;
      const from = at - index * blockSize;
      const to = Math.min(block.length, last - index * blockSize);
      if (to <= from) throw beyondTheEnd(what);
      const nul = block.indexOf(0, from);
      if (nul >= 0 && nul < to) return found + block.toString('latin1', from, nul);
      found += block.toString('latin1', from, to);
      at = index * blockSize + to;
    }
    throw new Malformed(last === offset + longest + 1 ? `${what} is too long` : `${what} has no end`);
  };

  return { size, wide, little, u8, u16: (offset, what) => number(offset, 2, what), u32, word, bytes, text };
}

function beyondTheEnd(what: string): Malformed {
  return new Malformed(`${what} lies beyond the end of the file`);
}
