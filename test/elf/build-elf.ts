// A description -> the bytes of a small ELF object of any class and byte order, without section headers.
import type { Verneed } from '../../src/elf/elf-file.ts';

export interface ElfDescription {
  readonly class: 32 | 64;
  readonly byteOrder: 'little' | 'big';
  readonly machine: number;
  /** e_type; 3 unless given. */
  readonly type?: number;
  readonly entry?: number;
  readonly interpreter?: string;
  /** No PT_DYNAMIC when absent. */
  readonly dynamic?: DynamicDescription;
  readonly notes?: readonly NoteDescription[];
  /** p_flags of PT_GNU_STACK. */
  readonly stack?: number;
  /** Phdrs of PT_LOAD before the dynamic one; more only to try overlaps. */
  readonly extraSegments?: readonly { type: number; offset: number; address: number; size: number }[];
}

export interface DynamicDescription {
  readonly needed?: readonly string[];
  readonly soname?: string;
  readonly rpath?: string;
  readonly runpath?: string;
  readonly verneed?: readonly Verneed[];
  readonly verdef?: readonly string[];
  /** Further entries, before DT_NULL. */
  readonly extra?: readonly (readonly [tag: number, value: number])[];
}

export interface NoteDescription {
  readonly owner: string;
  readonly type: number;
  readonly description: Uint8Array;
  readonly align: 4 | 8;
}

/** Addresses are file offsets plus this. */
export const baseAddress = 0x40_0000;

/** Layout: header, program headers, then the parts, the dynamic table last. */
export function buildElf(spec: ElfDescription): Buffer {
  const word = spec.class / 8;
  const [headerSize, segmentSize] = spec.class === 64 ? [64, 56] : [52, 32];
  const segments: { type: number; offset: number; size: number; flags: number; align: number }[] = [];
  const count =
    1 +
    (spec.extraSegments?.length ?? 0) +
    (spec.interpreter === undefined ? 0 : 1) +
    (spec.dynamic ? 1 : 0) +
    (spec.notes?.length ?? 0) +
    (spec.stack === undefined ? 0 : 1);
  const out = writer(spec.byteOrder, headerSize + count * segmentSize);
  if (spec.interpreter !== undefined) {
    const offset = out.bytes(Buffer.from(`${spec.interpreter}\0`, 'latin1'));
    segments.push({ type: 3, offset, size: out.end() - offset, flags: 4, align: 1 });
  }
  for (const note of spec.notes ?? []) {
    out.align(note.align);
    const offset = writeNote(out, note);
    segments.push({ type: 4, offset, size: out.end() - offset, flags: 4, align: note.align });
  }
  if (spec.stack !== undefined)
    segments.push({ type: 0x6474e551, offset: 0, size: 0, flags: spec.stack, align: 16 });
  if (spec.dynamic) {
    const entries = dynamicEntries(out, spec.dynamic);
    out.align(word);
    const offset = out.end();
    for (const [tag, value] of [...entries, [0, 0]] as const) {
      out.number(tag, word);
      out.number(value, word);
    }
    segments.push({ type: 2, offset, size: out.end() - offset, flags: 6, align: word });
  }
  const whole = { type: 1, offset: 0, address: baseAddress, size: out.end(), flags: 5, align: 4096 };
  const all = [
    whole,
    ...(spec.extraSegments ?? []).map((extra) => ({ flags: 4, align: 4096, ...extra })),
    ...segments.map((segment) => ({ address: segment.offset + baseAddress, ...segment })),
  ];
  writeHeader(out, spec, count);
  for (const [index, segment] of all.entries()) {
    const { type, flags, offset, address, size, align } = segment;
    const fields: [number, number][] =
      spec.class === 64
        ? [
            [type, 4],
            [flags, 4],
            [offset, 8],
            [address, 8],
            [address, 8],
            [size, 8],
            [size, 8],
            [align, 8],
          ]
        : [
            [type, 4],
            [offset, 4],
            [address, 4],
            [address, 4],
            [size, 4],
            [size, 4],
            [flags, 4],
            [align, 4],
          ];
    out.at(headerSize + index * segmentSize, fields);
  }
  return out.result();
}

function writeHeader(out: Writer, spec: ElfDescription, count: number): void {
  const word = spec.class / 8;
  const order = spec.byteOrder === 'little' ? 1 : 2;
  const [headerSize, segmentSize] = spec.class === 64 ? [64, 56] : [52, 32];
  out.at(
    0,
    [0x7f, 0x45, 0x4c, 0x46, spec.class / 32, order, 1, 0].map((byte) => [byte, 1]),
  );
  out.at(16, [
    [spec.type ?? 3, 2],
    [spec.machine, 2],
    [1, 4],
    [spec.entry ?? 0, word],
    [headerSize, word],
    [0, word],
    [0, 4],
    [headerSize, 2],
    [segmentSize, 2],
    [count, 2],
  ]);
}

function writeNote(out: Writer, { owner, type, description, align }: NoteDescription): number {
  const offset = out.end();
  out.number(owner.length + 1, 4);
  out.number(description.length, 4);
  out.number(type, 4);
  out.bytes(Buffer.from(`${owner}\0`, 'latin1'));
  out.align(align);
  out.bytes(description);
  out.align(align);
  return offset;
}

function dynamicEntries(out: Writer, dynamic: DynamicDescription): (readonly [number, number])[] {
  const strings = [''];
  const indexOf = (text: string) => {
    const index = strings.reduce((sum, known) => sum + known.length + 1, 0);
    strings.push(text);
    return index;
  };
  const verneed = dynamic.verneed && writeVerneed(out, dynamic.verneed, indexOf);
  const verdef = dynamic.verdef && writeVerdef(out, dynamic.verdef, indexOf);
  const entries: (readonly [number, number])[] = [
    ...(dynamic.needed ?? []).map((name) => [1, indexOf(name)] as const),
    ...(dynamic.soname === undefined ? [] : [[14, indexOf(dynamic.soname)] as const]),
    ...(dynamic.rpath === undefined ? [] : [[15, indexOf(dynamic.rpath)] as const]),
    ...(dynamic.runpath === undefined ? [] : [[29, indexOf(dynamic.runpath)] as const]),
    ...(verneed === undefined ? [] : [[0x6ffffffe, verneed + baseAddress] as const]),
    ...(verdef === undefined ? [] : [[0x6ffffffc, verdef + baseAddress] as const]),
    ...(dynamic.extra ?? []),
  ];
  const table = out.bytes(Buffer.from(`${strings.join('\0')}\0`, 'latin1'));
  return [...entries, [5, table + baseAddress], [10, out.end() - table]];
}

function writeVerneed(out: Writer, verneed: readonly Verneed[], indexOf: (text: string) => number): number {
  out.align(4);
  const offset = out.end();
  let versionIndex = 2;
  verneed.forEach(({ file, versions }, at) => {
    const size = 16 + 16 * versions.length;
    out.number(1, 2);
    out.number(versions.length, 2);
    out.number(indexOf(file), 4);
    out.number(16, 4);
    out.number(at === verneed.length - 1 ? 0 : size, 4);
    versions.forEach(({ name, weak }, aux) => {
      out.number(0, 4);
      out.number(weak ? 2 : 0, 2);
      out.number(versionIndex, 2);
      out.number(indexOf(name), 4);
      out.number(aux === versions.length - 1 ? 0 : 16, 4);
      versionIndex += 1;
    });
  });
  return offset;
}

/** The first name is the BASE entry. */
function writeVerdef(out: Writer, names: readonly string[], indexOf: (text: string) => number): number {
  out.align(4);
  const offset = out.end();
  names.forEach((name, at) => {
    out.number(1, 2);
    out.number(at === 0 ? 1 : 0, 2);
    out.number(at + 1, 2);
    out.number(1, 2);
    out.number(0, 4);
    out.number(20, 4);
    out.number(at === names.length - 1 ? 0 : 28, 4);
    out.number(indexOf(name), 4);
    out.number(0, 4);
  });
  return offset;
}

interface Writer {
  end(): number;
  align(to: number): void;
  number(value: number, size: number): void;
  bytes(bytes: Uint8Array): number;
  at(offset: number, fields: readonly (readonly [value: number, size: number])[]): void;
  result(): Buffer;
}

function writer(byteOrder: 'little' | 'big', start: number): Writer {
  let buffer = Buffer.alloc(start);
  const grow = (size: number) => {
    const offset = buffer.length;
    buffer = Buffer.concat([buffer, Buffer.alloc(size)]);
    return offset;
  };
  const put = (offset: number, value: number, size: number) => {
    const digits = BigInt(value)
      .toString(16)
      .padStart(2 * size, '0');
    const bytes = Buffer.from(digits, 'hex');
    buffer.set(byteOrder === 'big' ? bytes : bytes.reverse(), offset);
  };
  return {
    end: () => buffer.length,
    align: (to) => void grow((to - (buffer.length % to)) % to),
    number: (value, size) => put(grow(size), value, size),
    bytes: (bytes) => {
      const offset = grow(bytes.length);
      buffer.set(bytes, offset);
      return offset;
    },
    at: (offset, fields) => {
      let at = offset;
      for (const [value, size] of fields) {
        put(at, value, size);
        at += size;
      }
    },
    result: () => buffer,
  };
}
