// A program or library → whether its own code or data has the address of its dynamic table (`_DYNAMIC`).
//
// Code that looks for r_debug that way (link.h), or for its own tables, finds the old table wherever PT_DYNAMIC leads:
// ld.so writes DT_DEBUG into the one of PT_DYNAMIC only (elf/rtld.c), so in the other it stays 0.

import { DYNAMIC_TAG } from '../../elf/dynamic.ts';
import { EM_386, EM_AARCH64, EM_X86_64, ET_EXEC, PF_X } from '../../elf/gabi.ts';
import { openImage } from '../../elf/image.ts';
import { SEGMENT_TYPE, type Segment } from '../../elf/segments.ts';
import { type EditedImage, lastOf } from './elf-image.ts';

const PIECE = 1 << 20;
/** Bytes at the end of a piece that are looked at again with the next one. */
const OVERLAP = 128;
/** musl's _start hands `_DYNAMIC` to a function that looks at it in static programs only (crt/crt1.c). */
const START_CODE = 32;

/** The parts of the global offset table, by the names of their sections. */
function offsetTables({ sections }: EditedImage) {
  return sections.filter(({ label, address }) => address > 0 && /^\.got(\.|$)/.test(label));
}

/** Code at an address, in little-endian order. */
interface Code {
  readonly bytes: Buffer;
  readonly address: number;
}

/** Where in the code the address of one of `targets` is made: addresses. */
type Finder = (code: Code, targets: readonly number[]) => Generator<number>;

/**
 * ModRM with mod 0 and rm 5: an address relative to the next instruction, which begins behind an immediate of 0, 1 or 4
 * bytes (Intel SDM, volume 2, 2.2.1.6).
 */
function* ripRelative({ bytes, address }: Code, targets: readonly number[]): Generator<number> {
  const ends = new Set(targets.flatMap((target) => [0, 1, 4].map((immediate) => target - immediate)));
  for (let at = 0; at + 5 <= bytes.length; at += 1) {
    if (((bytes[at] ?? 0) & 0xc7) !== 5) continue;
    const next = address + at + 5;
    if (ends.has(next + bytes.readInt32LE(at + 1))) yield next - 4;
  }
}

function* occurrences({ bytes, address }: Code, number: number): Generator<number> {
  const pattern = Buffer.alloc(4);
  pattern.writeInt32LE(number | 0);
  for (let at = bytes.indexOf(pattern); at >= 0; at = bytes.indexOf(pattern, at + 1)) yield address + at;
}

/** As an operand of 32 bits. */
function* absolute(code: Code, targets: readonly number[]): Generator<number> {
  for (const target of targets) if (target < 2 ** 32) yield* occurrences(code, target);
}

const LEA = 0x8d;

/**
 * i386: a displacement from a register that has the address of the global offset table, never %esp or %ebp. For bfd,
 * gold and lld that is DT_PLTGOT, for mold the start of `.got`. Where a displacement leads from another of them to an
 * entry of the table, an instruction other than `lea` reads that entry.
 */
function relativeTo(image: EditedImage): Finder {
  const tables = offsetTables(image);
  const pltgot = lastOf(image.dynamic, DYNAMIC_TAG.pltgot);
  const bases = new Set([...(pltgot === undefined ? [] : [pltgot]), ...tables.map(({ address }) => address)]);
  const isEntry = (at: number) => tables.some(({ address, size }) => at >= address && at < address + size);
  return function* find(code, targets) {
    for (const target of targets)
      for (const base of bases) {
        const isOther = [...bases].some((each) => each !== base && isEntry(each + target - base));
        for (const found of occurrences(code, target - base)) {
          const at = found - code.address;
          const operand = code.bytes[at - 1] ?? 0;
          const isMade = !isOther || code.bytes[at - 2] === LEA;
          if (isMade && (operand & 0xc0) === 0x80 && (operand & 7) !== 4 && (operand & 7) !== 5) yield found;
        }
      }
  };
}

/** Instructions behind an `adrp` in which its register is looked for. */
const NEAR = 16;

/** `adrp` gives the page, `add` or a load of 64 bits the rest; `adr` gives all (Arm ARM, C6.2). */
function* pageAndOffset({ bytes, address }: Code, targets: readonly number[]): Generator<number> {
  const pages = new Set(targets.map((target) => Math.floor(target / 4096)));
  for (let at = (4 - (address % 4)) % 4; at + 4 <= bytes.length; at += 4) {
    const word = bytes.readUInt32LE(at);
    if ((word & 0x1f000000) !== 0x10000000) continue;
    const distance = (((word << 8) >> 13) << 2) | ((word >>> 29) & 3);
    if (word >>> 31 === 0) {
      if (targets.includes(address + at + distance)) yield address + at;
      continue;
    }
    const page = Math.floor((address + at) / 4096) + distance;
    if (!pages.has(page)) continue;
    for (let next = at + 4; next <= at + 4 * NEAR && next + 4 <= bytes.length; next += 4) {
      const user = bytes.readUInt32LE(next);
      if (((user >>> 5) & 31) !== (word & 31)) continue;
      const immediate = (user >>> 10) & 0xfff;
      const isAdd = user >>> 22 === 0x244;
      const isLoad = user >>> 22 === 0x3e5;
      if ((isAdd || isLoad) && targets.includes(page * 4096 + immediate * (isLoad ? 8 : 1)))
        yield address + at;
    }
  }
}

function findersFor(image: EditedImage): Finder[] {
  const { header } = image;
  const isFixed = header.type === ET_EXEC;
  if (header.machine === EM_X86_64) return isFixed ? [ripRelative, absolute] : [ripRelative];
  if (header.machine === EM_AARCH64) return header.byteOrder === 'little' ? [pageAndOffset] : [];
  if (header.machine !== EM_386) return [];
  return [...(isFixed ? [absolute] : []), relativeTo(image)];
}

/** In pieces; without the headers, in which the table's address stands anyhow. */
function* piecesOf({ source, header }: EditedImage, segment: Segment): Generator<Code> {
  const { offset, entrySize, count } = header.programHeaders;
  const headersEnd = offset + entrySize * count;
  const end = Math.min(segment.offset + segment.fileSize, source.size);
  const isAtHeaders = segment.offset < headersEnd && headersEnd < end;
  for (let at = isAtHeaders ? headersEnd : segment.offset; at < end; at += PIECE) {
    const read = source.read(at, Math.min(PIECE + OVERLAP, end - at));
    const bytes = Buffer.from(read.buffer, read.byteOffset, read.length);
    yield { bytes, address: segment.address + at - segment.offset };
  }
}

/** Tables for the loader, which lie in an executable segment where there are few segments (Go's linker, old ones). */
const FOR_LOADER = /^\.(?:dyn(?:sym|str)|gnu\.(?:hash|version(?:_[dr])?)|hash|rela?(?:\.|$)|interp|note)/;

/** Whether a file offset lies in such a table, or in the section headers, which have the table's address. */
function tablesOf({ sections, header }: EditedImage): (offset: number) => boolean {
  const { offset: from, entrySize, count } = header.sectionHeaders;
  const tables = sections.filter(({ label }) => FOR_LOADER.test(label));
  const ranges = [{ offset: from, size: entrySize * count }, ...tables];
  return (at) => ranges.some(({ offset, size }) => at >= offset && at < offset + size);
}

function codeRefers(image: EditedImage, targets: readonly number[]): boolean {
  const { segments, header } = image;
  const finders = findersFor(image);
  const isStart = (address: number) => address >= header.entry && address < header.entry + START_CODE;
  const isInTable = tablesOf(image);
  for (const segment of segments) {
    if (segment.type !== SEGMENT_TYPE.load || (segment.flags & PF_X) === 0) continue;
    for (const code of piecesOf(image, segment))
      for (const find of finders)
        for (const address of find(code, targets))
          if (!isStart(address) && !isInTable(address - segment.address + segment.offset)) return true;
  }
  return false;
}

/** Words that ld.so adds the load address to: DT_RELR (gABI, Relocation), and entries of DT_RELA and DT_REL. */
function* relocatedWords(image: EditedImage): Generator<number> {
  const { fields, segments, dynamic } = image;
  const memory = openImage(fields, segments);
  const what = 'a relocation';
  const word = fields.wide ? 8 : 4;
  const inTable = function* (tag: number, sizeTag: number, entry: number) {
    const [start, size] = [lastOf(dynamic, tag), lastOf(dynamic, sizeTag) ?? 0];
    if (start === undefined || memory.room(start, size) < size) return;
    for (let at = 0; at + entry <= size; at += entry) yield start + at;
  };
  for (const at of inTable(DYNAMIC_TAG.rela, DYNAMIC_TAG.relasz, 3 * word))
    yield memory.word(at + 2 * word, what);
  for (const at of inTable(DYNAMIC_TAG.rel, DYNAMIC_TAG.relsz, 2 * word)) {
    const place = memory.word(at, what);
    if (memory.room(place, word) === word) yield memory.word(place, what);
  }
  let place = 0;
  for (const at of inTable(DYNAMIC_TAG.relr, DYNAMIC_TAG.relrsz, word)) {
    const low = memory.u32(fields.little ? at : at + word - 4, what);
    if (low % 2 === 0) {
      place = memory.word(at, what);
      yield memory.word(place, what);
      place += word;
      continue;
    }
    const high = fields.wide ? memory.u32(fields.little ? at + 4 : at, what) : 0;
    for (let bit = 1; bit < 8 * word; bit += 1) {
      const isSet = bit < 32 ? (low >>> bit) & 1 : (high >>> (bit - 32)) & 1;
      if (isSet === 1) yield memory.word(place + (bit - 1) * word, what);
    }
    place += (8 * word - 1) * word;
  }
}

/** The address in a program of a fixed address, where nothing tells which words are addresses. */
function* wordsInData(image: EditedImage, target: number): Generator<number> {
  const { fields, segments, dynamic } = image;
  const step = fields.wide ? 8 : 4;
  const pattern = Buffer.alloc(step);
  if (fields.little) pattern.writeUIntLE(target, 0, Math.min(step, 6));
  else pattern.writeUIntBE(target, Math.max(0, step - 6), Math.min(step, 6));
  for (const segment of segments) {
    if (segment.type !== SEGMENT_TYPE.load || (segment.flags & PF_X) !== 0) continue;
    for (const { bytes, address } of piecesOf(image, segment))
      for (let at = bytes.indexOf(pattern); at >= 0; at = bytes.indexOf(pattern, at + 1)) {
        const place = address + at;
        const isTable = place >= dynamic.address && place < dynamic.address + dynamic.capacity * 2 * step;
        if (place % step === 0 && !isTable) yield place;
      }
  }
}

/**
 * `refers`, or what code would refer to instead. The first word at DT_PLTGOT, or of a part of the global offset table,
 * is the address though nothing reads it. Where parts share a section (bfd, aarch64, `-z now`) that word is within, and
 * the first entry that is the address: then code tells.
 */
function dataEvidence(image: EditedImage, target: number): 'refers' | readonly number[] {
  const { header, dynamic } = image;
  for (const word of relocatedWords(image)) if (word === target) return 'refers';
  if (header.type !== ET_EXEC) return [];
  const tables = offsetTables(image);
  const starts = new Set([
    lastOf(dynamic, DYNAMIC_TAG.pltgot),
    ...image.sections.filter(({ label }) => label.startsWith('.got')).map(({ address }) => address),
  ]);
  const places = [...new Set(wordsInData(image, target))];
  const [first, ...others] = places.filter((place) => !starts.has(place)).sort((a, b) => a - b);
  if (first === undefined) return [];
  const isReserved =
    header.machine === EM_AARCH64 &&
    !places.some((place) => starts.has(place)) &&
    tables.some(({ address, size }) => first >= address && first < address + size);
  return isReserved && others.length === 0 ? [first] : 'refers';
}

function isReferred(image: EditedImage): boolean {
  const { header, fields, sections, dynamic } = image;
  const { address } = dynamic;
  const word = fields.wide ? 8 : 4;
  // Without sections nothing tells what displacements are relative to.
  if (header.machine === EM_386 && sections.length === 0) return true;
  const entries = dataEvidence(image, address);
  if (entries === 'refers') return true;
  return codeRefers(image, [address, address + word, address + 2 * word, ...entries]);
}

/** Of a file, by its identity: it is opened anew for its outline and its plan, and tried in several ways. */
const knownFiles = new Map<string, boolean>();
const knownImages = new WeakMap<EditedImage, boolean>();

/**
 * Looks for the table's start and first entry in operands of x86-64, i386 and aarch64, and in data of every machine; of
 * other machines' code nothing is known. Where other bytes look alike it says yes. Reads all of the code, 0.5 to 1.2 s
 * for 100 MB, once. @throws Malformed for relocations that make no sense.
 */
export function isDynamicTableReferred(image: EditedImage): boolean {
  const { identity } = image.source;
  const known = knownImages.get(image) ?? knownFiles.get(identity ?? '');
  if (known !== undefined) return known;
  const answer = isReferred(image);
  knownImages.set(image, answer);
  if (identity !== undefined) knownFiles.set(identity, answer);
  return answer;
}
