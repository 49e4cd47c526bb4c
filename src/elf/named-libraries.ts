// The bytes of a file → the library names that stand in what it loads as data: what it may hand to dlopen as they are.
import { PF_X } from './gabi.ts';
import type { ByteSource } from './reader.ts';
import { fillFrom, Malformed, readHeader } from './reader.ts';
import { hasConstantsInCode, readSegments, SEGMENT_TYPE } from './segments.ts';

interface NamedLibraries {
  /** Each once, in the order in which they stand in the file. */
  readonly names: readonly string[];
  /** False when a limit ended the search. */
  readonly complete: boolean;
}

interface SearchLimits {
  readonly bytes: number;
  readonly names: number;
}

const USUAL_LIMITS: SearchLimits = { bytes: 512 * 1024 * 1024, names: 1000 };

/** A name that lies across the end of a piece is found in the next one, which begins this much earlier. */
const OVERLAP = 512;
const PIECE_SIZE = 1024 * 1024;
const LONGEST_NAME = 255;

/** What a name consists of, by code. */
const isNameCode = Uint8Array.from({ length: 256 }, (_, code) =>
  /[A-Za-z0-9_+.-]/.test(String.fromCharCode(code)) ? 1 : 0,
);

interface Range {
  readonly from: number;
  readonly to: number;
}

/**
 * Only segments that are loaded and may hold data are read, 5 to 10 ns a byte. A file that is no ELF object, or a
 * broken one, names nothing. Names that a longer text only begins with (`libfoo.so.%d`) and paths are left out.
 */
export function namedLibraries(source: ByteSource, limits: SearchLimits = USUAL_LIMITS): NamedLibraries {
  const found = new Set<string>();
  let left = limits.bytes;
  const buffer = Buffer.allocUnsafeSlow(PIECE_SIZE + OVERLAP);
  for (const { from, to } of dataRanges(source)) {
    for (let at = from; at < to; at += PIECE_SIZE) {
      if (left <= 0 || found.size > limits.names)
        return { names: firstOf(found, limits.names), complete: false };
      const begin = Math.max(from, at - OVERLAP);
      const end = Math.min(to, at + PIECE_SIZE);
      left -= end - begin;
      const { length } = fillFrom(source, buffer.subarray(0, end - begin), begin);
      const piece = { bytes: buffer.subarray(0, length), isFirst: begin === from, isLast: end === to };
      collect(piece, found, limits.names);
    }
  }
  const complete = found.size <= limits.names;
  return { names: firstOf(found, limits.names), complete };
}

function firstOf(names: ReadonlySet<string>, count: number): string[] {
  return [...names].slice(0, count);
}

/** Segments may overlap: no byte is read twice for that. */
function dataRanges(source: ByteSource): Range[] {
  const ranges: Range[] = [];
  for (const { from, to } of loadedData(source).sort((a, b) => a.from - b.from)) {
    const last = ranges.at(-1);
    if (last === undefined || from > last.to) ranges.push({ from, to });
    else if (to > last.to) ranges[ranges.length - 1] = { from: last.from, to };
  }
  return ranges;
}

function loadedData(source: ByteSource): Range[] {
  try {
    const read = readHeader(source, 4);
    if (!read) return [];
    const segments = readSegments(read.fields, read.header);
    const inCode = hasConstantsInCode(segments);
    return segments
      .filter(({ type, flags }) => type === SEGMENT_TYPE.load && (inCode || (flags & PF_X) === 0))
      .map(({ offset, fileSize }) => ({ from: offset, to: Math.min(source.size, offset + fileSize) }))
      .filter(({ from, to }) => from < to);
  } catch (error) {
    if (error instanceof Malformed) return [];
    throw error;
  }
}

interface DataPiece {
  readonly bytes: Buffer;
  /** Of its range: else a run at its edge is whole in the piece before or after. */
  readonly isFirst: boolean;
  readonly isLast: boolean;
}

/** Each run of characters that a name may have is looked at once: the time is linear whatever the bytes are. */
function collect({ bytes, isFirst, isLast }: DataPiece, found: Set<string>, most: number): void {
  for (let dot = bytes.indexOf('.so'); dot >= 0 && found.size <= most; ) {
    let begin = dot;
    const earliest = Math.max(0, dot - LONGEST_NAME);
    while (begin > earliest && isNameCode[bytes[begin - 1] as number] === 1) begin -= 1;
    let end = dot + 3;
    const latest = Math.min(bytes.length, dot + LONGEST_NAME);
    while (end < latest && isNameCode[bytes[end] as number] === 1) end += 1;
    if ((begin > 0 || isFirst) && (end < bytes.length || isLast))
      for (const name of namesIn(runOf(bytes, begin, end))) found.add(name);
    dot = bytes.indexOf('.so', end);
  }
}

interface Run {
  readonly text: string;
  /** The characters beside it; NUL at the edges of the data. */
  readonly before: number;
  readonly after: number;
}

function runOf(bytes: Buffer, begin: number, end: number): Run {
  return {
    text: bytes.toString('latin1', begin, end),
    before: bytes[begin - 1] ?? 0,
    after: bytes[end] ?? 0,
  };
}

const SLASH = '/'.charCodeAt(0);
const PERCENT = '%'.charCodeAt(0);
const NAME = /lib[A-Za-z0-9_+.-]*?\.so(?:\.\d+)*/y;

/**
 * A string of C ends in NUL and is one name. Rust and Go put strings side by side without one, so that a run can be
 * several names, one after the other. What only contains a name, or goes on after it, is another word.
 */
function namesIn({ text, before, after }: Run): string[] {
  if (before === SLASH || after === PERCENT || after === SLASH) return [];
  const names: string[] = [];
  for (let at = 0; text.startsWith('lib', at); ) {
    NAME.lastIndex = at;
    const name = NAME.exec(text)?.[0];
    if (name === undefined) break;
    at += name.length;
    if (at < text.length && !text.startsWith('lib', at)) break;
    names.push(name);
  }
  return names;
}
