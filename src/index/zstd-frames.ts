// A file of zstd frames → its decoded bytes, piece by piece, with a bound on the window and on the whole.
import { readSync } from 'node:fs';
import { Readable } from 'node:stream';
import { constants, createZstdDecompress } from 'node:zlib';
import { errnoOf, reasonOf } from '../host/errors.ts';

/** 128 MiB: what level 22 needs, and the memory a hostile file can take. */
const WINDOW_LOG = 27;

/** RFC 8878, 3.1.1.2.4: no block is larger. */
const LARGEST_BLOCK = 1 << 17;

/** More frames than any machine that made one has processors. */
const MOST_FRAMES = 65_536;

const DATA_MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;
const PIECE = 1 << 18;

export interface Frame {
  readonly kind: 'data' | 'skippable';
  readonly start: number;
  /** Offset behind its last byte. */
  readonly end: number;
}

/** `why` is one clause, for "is damaged (...)". */
export interface Damage {
  readonly kind: 'damaged';
  readonly why: string;
}

export function damage(why: string): Damage {
  return { kind: 'damaged', why };
}

/** A part of a file that is open. */
export interface FilePart {
  readonly fd: number;
  readonly start: number;
  readonly end: number;
}

/** Gets each piece, and how far the packed bytes were read (a file offset); a text stops it as damage. */
type Take = (piece: Uint8Array, offset: number) => string | undefined;

/** Reads few bytes here and there; those near the last ones come from memory. */
type Peek = (offset: number, length: number) => Buffer | undefined;

function peekIn({ fd, end }: FilePart): Peek {
  const window = Buffer.alloc(4096);
  let [from, to] = [0, 0];
  return (offset, length) => {
    if (offset + length > end) return undefined;
    if (offset < from || offset + length > to) {
      from = offset;
      to = offset + readSync(fd, window, 0, Math.min(window.length, end - offset), offset);
    }
    return offset + length > to ? undefined : window.subarray(offset - from, offset - from + length);
  };
}

const TRUNCATED = damage('it ends too early');

interface FrameHeader {
  readonly kind: 'header';
  readonly length: number;
  readonly checksum: number;
}

function unsigned(bytes: Buffer): number {
  return bytes.length === 0 ? 0 : Number(bytes.length > 6 ? bytes.readBigUInt64LE() : readUpTo6(bytes));
}

function readUpTo6(bytes: Buffer): number {
  return bytes.readUIntLE(0, bytes.length);
}

/** RFC 8878, 3.1.1.1: after the magic number a descriptor, the window, a dictionary id, the content size. */
function readHeader(peek: Peek, offset: number): FrameHeader | Damage {
  const descriptor = peek(offset + 4, 1)?.[0];
  if (descriptor === undefined) return TRUNCATED;
  const isSingle = (descriptor & 0x20) !== 0;
  const windowSize = isSingle ? 0 : 1;
  const dictionarySize = [0, 1, 2, 4][descriptor & 3] as number;
  const contentSize = [isSingle ? 1 : 0, 2, 4, 8][descriptor >> 6] as number;
  const length = 5 + windowSize + dictionarySize + contentSize;
  const bytes = peek(offset, length);
  if (bytes === undefined) return TRUNCATED;
  const content = unsigned(bytes.subarray(length - contentSize));
  if (unsigned(bytes.subarray(5 + windowSize, 5 + windowSize + dictionarySize)) !== 0) {
    return damage('it needs a dictionary');
  }
  const window = isSingle ? content : windowOf(bytes[5] ?? 0);
  if (window > 2 ** WINDOW_LOG) return damage('it was made with a window over 128 MiB');
  return { kind: 'header', length, checksum: (descriptor & 4) === 0 ? 0 : 4 };
}

function windowOf(byte: number): number {
  const base = 2 ** (10 + (byte >> 3));
  return base + (base / 8) * (byte & 7);
}

function endOfData(peek: Peek, offset: number): number | Damage {
  const header = readHeader(peek, offset);
  if (header.kind === 'damaged') return header;
  for (let at = offset + header.length; ; ) {
    const word = peek(at, 3)?.readUIntLE(0, 3);
    if (word === undefined) return TRUNCATED;
    const [type, size] = [(word >> 1) & 3, word >> 3];
    if (type === 3 || size > LARGEST_BLOCK) return damage('a block of a kind that does not exist');
    at += 3 + (type === 1 ? 1 : size);
    if ((word & 1) !== 0) return at + header.checksum;
  }
}

function frameAt(peek: Peek, start: number): Frame | Damage {
  const magic = peek(start, 4)?.readUInt32LE();
  if (magic === undefined) return TRUNCATED;
  if (magic >>> 4 === SKIPPABLE_MAGIC >>> 4) {
    const length = peek(start + 4, 4)?.readUInt32LE();
    return length === undefined ? TRUNCATED : { kind: 'skippable', start, end: start + 8 + length };
  }
  if (magic !== DATA_MAGIC) return damage('there is something else than zstd frames in it');
  const end = endOfData(peek, start);
  return typeof end === 'number' ? { kind: 'data', start, end } : end;
}

/**
 * The frames of a part of a file, from the headers of their blocks (RFC 8878), before anything is decoded: a file that
 * was cut, or asks for too much memory, is known at once. Node decodes one frame only, and drops what follows it.
 */
export function walkFrames(part: FilePart): { kind: 'frames'; frames: readonly Frame[] } | Damage {
  const peek = peekIn(part);
  const frames: Frame[] = [];
  for (let at = part.start; at < part.end; ) {
    const frame = frameAt(peek, at);
    if (frame.kind === 'damaged') return frame;
    if (frame.end > part.end) return TRUNCATED;
    if (frames.length === MOST_FRAMES) return damage(`it has more than ${MOST_FRAMES} frames`);
    frames.push(frame);
    at = frame.end;
  }
  return { kind: 'frames', frames };
}

function whyNotDecoded(error: unknown): string {
  const clauses: Record<string, string> = {
    Z_BUF_ERROR: 'it ends too early',
    ZSTD_error_corruption_detected: 'its bytes were altered',
    ZSTD_error_checksum_wrong: 'its checksum is wrong',
    ZSTD_error_frameParameter_windowTooLarge: 'it was made with a window over 128 MiB',
  };
  return clauses[errnoOf(error) ?? ''] ?? reasonOf(error);
}

function* piecesOf(fd: number, { start, end }: Frame): Generator<Buffer> {
  for (let at = start; at < end; ) {
    const piece = Buffer.allocUnsafe(Math.min(PIECE, end - at));
    const count = readSync(fd, piece, 0, piece.length, at);
    if (count === 0) return; // the file was cut meanwhile, which the decoder says
    yield piece.subarray(0, count);
    at += count;
  }
}

async function decodeFrame(fd: number, frame: Frame, take: Take): Promise<Damage | undefined> {
  const packed = Readable.from(piecesOf(fd, frame), { objectMode: false });
  const params = { [constants.ZSTD_d_windowLogMax]: WINDOW_LOG };
  const decoder = createZstdDecompress({ chunkSize: PIECE, params });
  packed.on('error', (error) => decoder.destroy(error));
  // Errors come again after the iteration has ended (Node 24, lib/zlib.js), and would end the process.
  decoder.on('error', () => {});
  try {
    for await (const piece of packed.pipe(decoder) as AsyncIterable<Buffer>) {
      const stopped = take(piece, frame.start + decoder.bytesWritten);
      if (stopped !== undefined) return damage(stopped);
    }
    return undefined;
  } catch (error) {
    if (error instanceof Error && 'syscall' in error) throw error; // of read(2): the file may be whole
    return damage(whyNotDecoded(error));
  } finally {
    packed.destroy();
    decoder.destroy();
  }
}

/**
 * Decodes frames one after the other; skippable ones are skipped. `most`: bytes of the decoded whole.
 * @throws Node's errors of reading the file.
 */
export async function decodeFrames(
  fd: number,
  frames: readonly Frame[],
  most: number,
  take: Take,
): Promise<{ kind: 'decoded'; bytes: number } | Damage> {
  let bytes = 0;
  for (const frame of frames) {
    if (frame.kind === 'skippable') continue;
    const failed = await decodeFrame(fd, frame, (piece, offset) => {
      bytes += piece.length;
      return bytes > most ? `it unpacks to more than ${Math.floor(most / 2 ** 20)} MiB` : take(piece, offset);
    });
    if (failed !== undefined) return damage(`${failed.why}, after ${(bytes / 1e6).toFixed(0)} MB`);
  }
  return { kind: 'decoded', bytes };
}
