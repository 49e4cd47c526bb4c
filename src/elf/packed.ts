// A program that UPX packed → whether the program within names a loader.
import { openFileSource } from './open-elf.ts';

/** `unknown`: packed in a way that is not read here (LZMA, zstd). */
type Packed = 'needs-loader' | 'static' | 'unknown';

const HEAD_SIZE = 1024;
const ELF = Buffer.from('\x7fELF');
const MARK = Buffer.from('UPX!');
/** Behind the mark: the rest of l_info, then p_info (upx, src/p_unix.h, src/stub/src/include/linux.h). */
const TO_FIRST_BLOCK = 20;
/** b_info: sz_unc, sz_cpr, b_method and three bytes more. */
const BLOCK_HEADER = 12;
/** No ELF header with its program headers is larger: 64 bytes, and 56 for each of some. */
const MOST_UNPACKED = 1 << 14;
const PT_INTERP = 3;

/** Undefined for what UPX has not packed, and for what cannot be read. */
export function packingOf(file: string): Packed | undefined {
  const head = headOf(file);
  const mark = head.indexOf(MARK);
  if (mark < 0 || !head.subarray(0, ELF.length).equals(ELF)) return undefined;
  const block = head.subarray(mark + TO_FIRST_BLOCK);
  if (block.length < BLOCK_HEADER) return 'unknown';
  const headers = unpackBlock(block);
  return headers === undefined ? 'unknown' : readHeaders(headers);
}

function headOf(file: string): Buffer {
  try {
    const source = openFileSource(file);
    try {
      return Buffer.from(source.read(0, HEAD_SIZE));
    } finally {
      source.close();
    }
  } catch {
    return Buffer.alloc(0);
  }
}

function unpackBlock(block: Buffer): Buffer | undefined {
  const [unpacked, packed, method] = [block.readUInt32LE(0), block.readUInt32LE(4), block[8]];
  if (unpacked > MOST_UNPACKED) return undefined;
  const bytes = block.subarray(BLOCK_HEADER, BLOCK_HEADER + packed);
  if (packed === unpacked) return bytes;
  const scheme = SCHEMES.get(method ?? 0);
  return scheme === undefined ? undefined : unpackNrv(bytes, unpacked, scheme);
}

function readHeaders(bytes: Buffer): Packed {
  const wide = bytes[4] === 2;
  const little = bytes[5] === 1;
  if (bytes.length < 64 || !bytes.subarray(0, ELF.length).equals(ELF) || !little) return 'unknown';
  const start = wide ? Number(bytes.readBigUInt64LE(32)) : bytes.readUInt32LE(28);
  const size = bytes.readUInt16LE(wide ? 54 : 42);
  const count = bytes.readUInt16LE(wide ? 56 : 44);
  if (size !== (wide ? 56 : 32) || start + size * count > bytes.length) return 'unknown';
  const types = Array.from({ length: count }, (_, index) => bytes.readUInt32LE(start + size * index));
  return types.includes(PT_INTERP) ? 'needs-loader' : 'static';
}

/** UCL's three ways to write an offset and a length (ucl, src/n2b_d.c, n2d_d.c, n2e_d.c). */
interface Scheme {
  readonly offset: 'plain' | 'with-length-bit';
  readonly length: 'two-bits' | 'by-cases';
  /** Farther ones are copied one byte longer. */
  readonly far: number;
}

/** By b_method: NRV2B, NRV2D and NRV2E with 32 bits at a time. */
const SCHEMES: ReadonlyMap<number, Scheme> = new Map([
  [2, { offset: 'plain', length: 'two-bits', far: 0xd00 }],
  [5, { offset: 'with-length-bit', length: 'two-bits', far: 0x500 }],
  [8, { offset: 'with-length-bit', length: 'by-cases', far: 0x500 }],
] as const);

/** Bits and bytes of one stream; behind its end there are zeros. */
interface Stream {
  bit(): number;
  byte(): number;
  ended(): boolean;
}

function openStream(bytes: Buffer): Stream {
  let at = 0;
  let word = 0;
  let left = 0;
  const byte = () => bytes[at++] ?? 0;
  return {
    byte,
    bit: () => {
      if (left === 0) {
        word = byte() + byte() * 0x100 + byte() * 0x1_0000 + byte() * 0x100_0000;
        left = 32;
      }
      left -= 1;
      return Math.floor(word / 2 ** left) % 2;
    },
    ended: () => at > bytes.length,
  };
}

/** Undefined where it does not give `size` bytes. */
function unpackNrv(bytes: Buffer, size: number, scheme: Scheme): Buffer | undefined {
  const stream = openStream(bytes);
  const out: number[] = [];
  let last = 1;
  while (out.length < size && !stream.ended()) {
    if (stream.bit() === 1) {
      out.push(stream.byte());
      continue;
    }
    const { distance, lengthBit } = readOffset(stream, scheme, last);
    if (distance > out.length) return undefined;
    const length = readLength(stream, scheme, lengthBit) + (distance > scheme.far ? 1 : 0) + 1;
    if (length > size - out.length) return undefined;
    for (let index = 0; index < length; index++) out.push(out[out.length - distance] ?? 0);
    last = distance;
  }
  return out.length === size ? Buffer.from(out) : undefined;
}

function readOffset(stream: Stream, { offset }: Scheme, last: number) {
  let value = 2 + stream.bit();
  while (stream.bit() === 0 && !stream.ended()) {
    if (offset === 'with-length-bit') value = (value - 1) * 2 + stream.bit();
    value = value * 2 + stream.bit();
  }
  const isLast = value === 2;
  if (offset === 'plain') {
    const distance = isLast ? last : (value - 3) * 256 + stream.byte() + 1;
    return { distance, lengthBit: stream.bit() };
  }
  if (isLast) return { distance: last, lengthBit: stream.bit() };
  const both = (value - 3) * 256 + stream.byte();
  return { distance: Math.floor(both / 2) + 1, lengthBit: (both + 1) % 2 };
}

function readLength(stream: Stream, { length }: Scheme, lengthBit: number): number {
  if (length === 'by-cases') {
    if (lengthBit === 1) return 1 + stream.bit();
    if (stream.bit() === 1) return 3 + stream.bit();
    return 3 + readRun(stream);
  }
  const value = lengthBit * 2 + stream.bit();
  return value === 0 ? 2 + readRun(stream) : value;
}

function readRun(stream: Stream): number {
  let value = 1;
  do value = value * 2 + stream.bit();
  while (stream.bit() === 0 && !stream.ended());
  return value;
}
