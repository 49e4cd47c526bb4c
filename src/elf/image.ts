// The PT_LOAD segments of an object → the bytes at its addresses, as the kernel and ld.so map them.
import { type FieldReader, Malformed } from './reader.ts';
import { type Mapping, SEGMENT_TYPE } from './segments.ts';

/** Positions are addresses: a table is read wherever it lies in memory, over the end of a segment too. */
export interface Image extends FieldReader {
  /** How many bytes are mapped from `address` on without a gap; at most `most`. */
  room(address: number, most: number): number;
}

/** Addresses that are mapped alike. `shift`: file offset minus address; undefined where the memory is zeros. */
interface Piece {
  readonly start: number;
  readonly end: number;
  readonly shift: number | undefined;
}

const PAGE = 4096;
/** Bounds what a small file can make of overlapping segments and zeros; a real table is no longer than its file. */
const SLACK = 1_048_576;
const NOWHERE: Piece = { start: 0, end: 0, shift: undefined };

const pageStart = (at: number) => Math.floor(at / PAGE) * PAGE;
const pageEnd = (at: number) => Math.ceil(at / PAGE) * PAGE;

/**
 * A segment is mapped in whole pages, so that bytes of the file around it are there too. Behind its bytes, up to
 * p_memsz, memory is zeros, and so is the rest of the page in which the file ends (glibc elf/dl-map-segments.h).
 */
function piecesOf({ offset, address, fileSize, memorySize }: Mapping, size: number): Piece[] {
  const shift = offset - address;
  const bytesEnd = address + fileSize;
  // What is not congruent nobody maps; it is read as it says, and refused as a library (read-elf.ts).
  const isAligned = shift % PAGE === 0;
  const start = isAligned ? pageStart(address) : address;
  const end = isAligned ? pageEnd(bytesEnd) : bytesEnd;
  const pieces: Piece[] = [];
  if (fileSize > 0) pieces.push({ start, end, shift });
  const fileEnd = size - shift;
  if (end > fileEnd) pieces.push({ start: fileEnd, end: Math.min(end, pageEnd(fileEnd)), shift: undefined });
  if (memorySize > fileSize)
    pieces.push({ start: bytesEnd, end: pageEnd(address + memorySize), shift: undefined });
  return pieces.filter((each) => each.start < each.end);
}

/** The first of sorted pieces that ends behind `address`. */
function indexAt(pieces: readonly Piece[], address: number): number {
  let [low, high] = [0, pieces.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((pieces[middle] ?? NOWHERE).end > address) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** A later mapping takes the place of an earlier one (MAP_FIXED). */
function mapOver(pieces: Piece[], added: Piece): void {
  if ((pieces.at(-1)?.end ?? 0) <= added.start) {
    pieces.push(added);
    return;
  }
  const first = indexAt(pieces, added.start);
  let after = first;
  while ((pieces[after]?.start ?? Number.POSITIVE_INFINITY) < added.end) after += 1;
  const covered = pieces.slice(first, after);
  const before = covered.slice(0, 1).map((each) => ({ ...each, end: added.start }));
  const behind = covered.slice(-1).map((each) => ({ ...each, start: added.end }));
  const rest = (part: readonly Piece[]) => part.filter(({ start, end }) => start < end);
  pieces.splice(first, after - first, ...rest(before), added, ...rest(behind));
}

/** Every method throws Malformed where nothing is mapped, and where the file ends before its segment does. */
export function openImage(fields: FieldReader, segments: readonly Mapping[]): Image {
  const pieces: Piece[] = [];
  for (const segment of segments) {
    if (segment.type !== SEGMENT_TYPE.load || !Number.isFinite(segment.address)) continue;
    for (const piece of piecesOf(segment, fields.size)) mapOver(pieces, piece);
  }
  const { size, wide, little } = fields;
  let recent = NOWHERE;
  let left = size + SLACK;

  const pieceAt = (address: number): Piece | undefined => {
    if (address >= recent.start && address < recent.end) return recent;
    const found = pieces[indexAt(pieces, address)];
    if (found === undefined || !(address >= found.start)) return undefined;
    recent = found;
    return found;
  };

  /** The file offset of bytes that lie in one piece of the file. */
  const offsetOf = (address: number, length: number): number | undefined => {
    const piece = pieceAt(address);
    if (piece?.shift === undefined || !(address + length <= piece.end)) return undefined;
    return address + piece.shift;
  };

  /** Each byte that is not simply one of the file counts. */
  const spend = (length: number, what: string): void => {
    left -= length;
    if (left < 0) throw new Malformed(`${what} is longer than the file`);
  };

  const joined = (address: number, length: number, what: string): Uint8Array => {
    if (room(address, length) < length) throw outside(what);
    spend(length, what);
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      const { end, shift } = pieceAt(address + done) ?? NOWHERE;
      const part = Math.min(length - done, end - address - done);
      if (shift !== undefined) bytes.set(fields.bytes(address + done + shift, part, what), done);
      done += part;
    }
    return bytes;
  };

  const room = (address: number, most: number): number => {
    if (!Number.isFinite(address)) return 0;
    let index = indexAt(pieces, address);
    let end = address;
    for (let piece = pieces[index]; piece !== undefined && piece.start <= end; piece = pieces[index]) {
      end = piece.end;
      if (end - address >= most) return most;
      index += 1;
    }
    return end - address;
  };

  const bytes = (address: number, length: number, what: string): Uint8Array => {
    const offset = offsetOf(address, length);
    return offset === undefined ? joined(address, length, what) : fields.bytes(offset, length, what);
  };

  /** In memory that no byte of the file fills, without making bytes of zeros for each number. */
  const isZero = (address: number, length: number, what: string): boolean => {
    const piece = pieceAt(address);
    if (piece === undefined || piece.shift !== undefined || !(address + length <= piece.end)) return false;
    spend(length, what);
    return true;
  };

  const number = (address: number, length: 2 | 4, what: string): number => {
    if (isZero(address, length, what)) return 0;
    const { buffer, byteOffset } = joined(address, length, what);
    const view = new DataView(buffer, byteOffset, length);
    return length === 2 ? view.getUint16(0, little) : view.getUint32(0, little);
  };

  const u8 = (address: number, what: string): number => {
    const offset = offsetOf(address, 1);
    return offset === undefined ? (joined(address, 1, what)[0] ?? 0) : fields.u8(offset, what);
  };

  const u16 = (address: number, what: string): number => {
    const offset = offsetOf(address, 2);
    return offset === undefined ? number(address, 2, what) : fields.u16(offset, what);
  };

  const u32 = (address: number, what: string): number => {
    const offset = offsetOf(address, 4);
    return offset === undefined ? number(address, 4, what) : fields.u32(offset, what);
  };

  const word = (address: number, what: string): number => {
    const offset = offsetOf(address, wide ? 8 : 4);
    if (offset !== undefined) return fields.word(offset, what);
    if (!wide) return u32(address, what);
    const high = u32(little ? address + 4 : address, what);
    const low = u32(little ? address : address + 4, what);
    return high < 0x20_0000 ? high * 0x1_0000_0000 + low : Number.POSITIVE_INFINITY;
  };

  const textPart = (address: number, last: number, what: string) => {
    const piece = pieceAt(address);
    if (piece === undefined) throw outside(what);
    if (piece.shift === undefined) return { text: '', next: undefined };
    const end = Math.min(piece.end, last);
    const { text, next } = fields.textPart(address + piece.shift, end + piece.shift, what);
    return { text, next: next === undefined ? undefined : next - piece.shift };
  };

  const text = (address: number, end: number, longest: number, what: string): string => {
    const last = Math.min(end, address + longest + 1);
    let found = '';
    for (let at: number | undefined = address; at < last; ) {
      if (at > address && pieceAt(at) === undefined) throw new Malformed(`${what} has no end`);
      const part: { text: string; next: number | undefined } = textPart(at, last, what);
      found += part.text;
      if (part.next === undefined) return found;
      at = part.next;
    }
    throw new Malformed(last === address + longest + 1 ? `${what} is too long` : `${what} has no end`);
  };

  return { size, wide, little, u8, u16, u32, word, bytes, textPart, text, room };
}

function outside(what: string): Malformed {
  return new Malformed(`${what} lies outside the loaded segments`);
}
