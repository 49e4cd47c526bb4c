// A description → the bytes of a small library or program that real loaders map, with versions and their hashes.
import type { Verneed } from '../../src/elf/elf-file.ts';

export interface LibraryDescription {
  /** 64-bit x86 unless given. */
  readonly class?: 32 | 64;
  readonly machine?: number;
  /** 3 (ET_DYN) unless given. */
  readonly type?: number;
  readonly osAbi?: number;
  readonly interpreter?: string;
  readonly soname?: string;
  readonly needed?: readonly string[];
  readonly filter?: readonly string[];
  readonly auxiliary?: readonly string[];
  readonly rpath?: string;
  readonly runpath?: string;
  readonly verneed?: readonly Verneed[];
  /** Without the BASE entry, which is added. */
  readonly verdef?: readonly string[];
  readonly flags1?: number;
  readonly relr?: 'with relative relocations';
}

const tag = {
  needed: 1,
  hash: 4,
  strtab: 5,
  symtab: 6,
  strsz: 10,
  syment: 11,
  soname: 14,
  rpath: 15,
  runpath: 29,
  relrsz: 35,
  relr: 36,
  relrent: 37,
  versym: 0x6ffffff0,
  flags1: 0x6ffffffb,
  verdef: 0x6ffffffc,
  verdefnum: 0x6ffffffd,
  verneed: 0x6ffffffe,
  verneednum: 0x6fffffff,
  auxiliary: 0x7ffffffd,
  filter: 0x7fffffff,
} as const;

/** One writable segment with everything; no symbols. Little-endian. */
export function libraryImage(spec: LibraryDescription): Buffer {
  const wide = (spec.class ?? 64) === 64;
  const sizes = wide ? { header: 64, segment: 56, word: 8 } : { header: 52, segment: 32, word: 4 };
  const segmentCount = spec.interpreter === undefined ? 2 : 3;
  const strings = stringTable();
  const parts: Buffer[] = [Buffer.alloc(sizes.header + 3 * sizes.segment)];
  const end = () => parts.reduce((sum, part) => sum + part.length, 0);
  const put = (bytes: Buffer): number => {
    parts.push(Buffer.alloc((16 - (end() % 16)) % 16));
    const at = end();
    parts.push(bytes);
    return at;
  };
  const interpreter = Buffer.from(`${spec.interpreter ?? ''}\0`, 'latin1');
  const interpreterAt = put(interpreter);
  const verneed = spec.verneed?.length ? put(verneedBytes(spec.verneed, strings)) : undefined;
  const verdef = spec.verdef && put(verdefBytes([spec.soname ?? 'base', ...spec.verdef], strings));
  const each = (of: number, names: readonly string[] = []): Entry[] =>
    names.map((name) => [of, strings.index(name)]);
  const one = (of: number, text: string | undefined) => each(of, text === undefined ? [] : [text]);
  const relr = spec.relr && put(Buffer.alloc(8));
  const entries: Entry[] = [
    ...each(tag.needed, spec.needed),
    ...one(tag.soname, spec.soname),
    ...one(tag.rpath, spec.rpath),
    ...one(tag.runpath, spec.runpath),
    ...each(tag.filter, spec.filter),
    ...each(tag.auxiliary, spec.auxiliary),
    ...(spec.flags1 === undefined ? [] : [[tag.flags1, spec.flags1] as const]),
    ...(verneed === undefined
      ? []
      : ([
          [tag.verneed, verneed],
          [tag.verneednum, spec.verneed?.length ?? 0],
        ] as const)),
    ...(verdef === undefined
      ? []
      : ([
          [tag.verdef, verdef],
          [tag.verdefnum, 1 + (spec.verdef?.length ?? 0)],
        ] as const)),
    ...(relr === undefined
      ? []
      : ([
          [tag.relr, relr],
          [tag.relrsz, 0],
          [tag.relrent, sizes.word],
        ] as const)),
  ];
  const symbols = put(Buffer.alloc(24));
  // One bucket, one symbol, the undefined one: musl needs a hash table to find nothing in.
  const hash = put(numbers([1, 1, 0, 0].map((value) => [value, 4])));
  const table = put(strings.bytes());
  const all: Entry[] = [
    ...entries,
    [tag.hash, hash],
    [tag.strtab, table],
    [tag.strsz, strings.bytes().length],
    [tag.symtab, symbols],
    [tag.syment, wide ? 24 : 16],
    [tag.versym, symbols],
    [0, 0],
  ];
  const dynamic = put(numbers(all.flat().map((value) => [value, sizes.word])));
  const size = end();
  const bytes = Buffer.concat(parts);
  headerBytes(spec, sizes, segmentCount).copy(bytes);
  const segments: Segment[] = [
    { type: 1, offset: 0, size, flags: 6, align: 4096 },
    { type: 2, offset: dynamic, size: size - dynamic, flags: 6, align: sizes.word },
    { type: 3, offset: interpreterAt, size: interpreter.length, flags: 4, align: 1 },
  ];
  segments.slice(0, segmentCount).forEach((segment, index) => {
    segmentBytes(segment, wide).copy(bytes, sizes.header + index * sizes.segment);
  });
  return bytes;
}

type Entry = readonly [tag: number, value: number];

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly size: number;
  readonly flags: number;
  readonly align: number;
}

/** Little-endian numbers of the sizes given, one after the other. */
function numbers(fields: readonly (readonly [value: number, size: number])[]): Buffer {
  const bytes = Buffer.alloc(fields.reduce((sum, [, size]) => sum + size, 0));
  let at = 0;
  for (const [value, size] of fields) {
    if (size === 8) bytes.writeBigUInt64LE(BigInt(value), at);
    else bytes.writeUIntLE(value, at, size);
    at += size;
  }
  return bytes;
}

function headerBytes(
  spec: LibraryDescription,
  sizes: { header: number; segment: number; word: number },
  segmentCount: number,
): Buffer {
  const { word, header, segment } = sizes;
  const wide = word === 8;
  const ident = [0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, 1, 1, spec.osAbi ?? 0, 0, 0, 0, 0, 0, 0, 0, 0];
  return Buffer.concat([
    Buffer.from(ident),
    numbers([
      [spec.type ?? 3, 2],
      [spec.machine ?? (wide ? 62 : 3), 2],
      [1, 4],
      [0, word],
      [header, word],
      [0, word],
      [0, 4],
      [header, 2],
      [segment, 2],
      [segmentCount, 2],
      [0, 2],
      [0, 2],
      [0, 2],
    ]),
  ]);
}

function segmentBytes({ type, offset, size, flags, align }: Segment, wide: boolean): Buffer {
  const word = wide ? 8 : 4;
  const place: (readonly [number, number])[] = [
    [offset, word],
    [offset, word],
    [offset, word],
    [size, word],
    [size, word],
  ];
  const fields: (readonly [number, number])[] = wide
    ? [[type, 4], [flags, 4], ...place, [align, 8]]
    : [[type, 4], ...place, [flags, 4], [align, 4]];
  return numbers(fields);
}

function stringTable() {
  const known = new Map<string, number>([['', 0]]);
  let text = '\0';
  return {
    index(name: string): number {
      const at = known.get(name) ?? text.length;
      if (at === text.length) text += `${name}\0`;
      known.set(name, at);
      return at;
    },
    bytes: () => Buffer.from(text, 'latin1'),
  };
}

/** gABI, chapter 5, hash function. */
function hashOf(name: string): number {
  let hash = 0;
  for (const byte of Buffer.from(name, 'latin1')) {
    hash = (hash << 4) + byte;
    const high = hash & 0xf0000000;
    hash = (hash ^ (high >>> 24)) & ~high;
  }
  return hash >>> 0;
}

function verneedBytes(verneed: readonly Verneed[], strings: ReturnType<typeof stringTable>): Buffer {
  let index = 2;
  const records = verneed.map(({ file, versions }, at) => {
    const next = at === verneed.length - 1 ? 0 : 16 + 16 * versions.length;
    const head = numbers([
      [1, 2],
      [versions.length, 2],
      [strings.index(file), 4],
      [16, 4],
      [next, 4],
    ]);
    const each = versions.map(({ name, weak }, aux) =>
      numbers([
        [hashOf(name), 4],
        [weak ? 2 : 0, 2],
        [index++, 2],
        [strings.index(name), 4],
        [aux === versions.length - 1 ? 0 : 16, 4],
      ]),
    );
    return Buffer.concat([head, ...each]);
  });
  return Buffer.concat(records);
}

/** The first name is the BASE entry. */
function verdefBytes(names: readonly string[], strings: ReturnType<typeof stringTable>): Buffer {
  const records = names.map((name, at) =>
    numbers([
      [1, 2],
      [at === 0 ? 1 : 0, 2],
      [at + 1, 2],
      [1, 2],
      [hashOf(name), 4],
      [20, 4],
      [at === names.length - 1 ? 0 : 28, 4],
      [strings.index(name), 4],
      [0, 4],
    ]),
  );
  return Buffer.concat(records);
}
