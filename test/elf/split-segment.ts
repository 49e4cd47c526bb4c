// A program whose string table lies in one PT_LOAD → the same with the table in two, as patchelf leaves it.
import { SEGMENT_TYPE } from '../../src/elf/segments.ts';

const HEADER = 56;
const PAGE = 4096n;

interface Entry {
  readonly bytes: Buffer;
  readonly type: number;
}

function entriesOf(elf: Buffer): Entry[] {
  const table = Number(elf.readBigUInt64LE(32));
  return Array.from({ length: elf.readUInt16LE(56) }, (_, index) => {
    const bytes = Buffer.from(elf.subarray(table + index * HEADER, table + (index + 1) * HEADER));
    return { bytes, type: bytes.readUInt32LE(0) };
  });
}

/** Where DT_STRTAB points to, in the file: programs that are linked at an address of their own have one segment first. */
function stringsOf(elf: Buffer, base: bigint): bigint {
  const dynamic = entriesOf(elf).find(({ type }) => type === SEGMENT_TYPE.dynamic);
  const at = Number(dynamic?.bytes.readBigUInt64LE(8));
  for (let entry = at; ; entry += 16)
    if (elf.readBigUInt64LE(entry) === 5n) return elf.readBigUInt64LE(entry + 8) - base;
}

/** A part of a PT_LOAD, from a byte of the segment on. */
function part(load: Buffer, from: bigint, size: bigint): Entry {
  const bytes = Buffer.from(load);
  for (const at of [8, 16, 24]) bytes.writeBigUInt64LE(load.readBigUInt64LE(at) + from, at);
  for (const at of [32, 40]) bytes.writeBigUInt64LE(size, at);
  return { bytes, type: SEGMENT_TYPE.load };
}

/**
 * x86-64. The first PT_LOAD is cut at the first page behind the beginning of its string table; with `overlap` the
 * second one begins a page earlier. A PT_NOTE makes room for the further header.
 */
export function splitStringTable(program: Buffer, overlap = 0n): Buffer {
  const elf = Buffer.from(program);
  const entries = entriesOf(elf);
  const load = entries.find(({ type }) => type === SEGMENT_TYPE.load)?.bytes ?? Buffer.alloc(HEADER);
  const cut = (stringsOf(elf, load.readBigUInt64LE(16)) / PAGE + 1n) * PAGE;
  const size = load.readBigUInt64LE(32);
  if (cut >= size) throw new Error('its string table does not reach the next page');
  const note = entries.findIndex(({ type }) => type === SEGMENT_TYPE.note);
  const from = cut - overlap * PAGE;
  const split = entries.toSpliced(note, 1).flatMap((each) => {
    return each.bytes === load ? [part(load, 0n, cut), part(load, from, size - from)] : [each];
  });
  const table = Number(elf.readBigUInt64LE(32));
  for (const [index, { bytes }] of split.entries()) elf.set(bytes, table + index * HEADER);
  return elf;
}
