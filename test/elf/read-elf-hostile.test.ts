// Truncated, damaged and malicious objects: always an answer, and never much work for it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { classify } from '../../src/elf/classify.ts';
import { type ElfReading, readElf } from '../../src/elf/read-elf.ts';
import { type ByteSource, bytesInMemory } from '../../src/elf/reader.ts';
import { readSymbols } from '../../src/elf/symbols.ts';
import { baseAddress, buildElf } from './build-elf.ts';
import { bytesOf, compileC, writeScratch } from './compile-c.ts';
import { expectBad } from './expect-elf.ts';
import { seededRandom } from './seeded-random.ts';

const facts = { storeDir: '/nix/store', hostMachines: [{ class: 64, machine: 62 }] } as const;
const map = writeScratch('map', 'A_1 { global: a; };\nA_2 { global: b; local: *; } A_1;\n');
const library = bytesOf(
  compileC(
    'libhostile.so',
    '#include <stdio.h>\nint a(void){return puts("a");} int b(void){return fflush(0);}',
    [
      '-shared',
      '-fPIC',
      '-s',
      '-Wl,-soname,libhostile.so.1,-rpath,/opt/lib,--hash-style=both',
      `-Wl,--version-script=${map}`,
    ],
  ),
);
const program = bytesOf(compileC('hostile', 'int main(void){return 0;}', ['-s']));
const handmade = buildElf({
  class: 32,
  byteOrder: 'big',
  machine: 8,
  interpreter: '/lib/ld.so.1',
  notes: [
    { owner: 'FDO', type: 0x407c0c0a, align: 4, description: Buffer.from('[{"soname":["liba.so"]}]\0') },
  ],
  dynamic: {
    needed: ['libc.so.6'],
    runpath: '/opt',
    verneed: [{ file: 'libc.so.6', versions: [{ name: 'GLIBC_2.0', weak: false }] }],
    verdef: ['x', 'X_1'],
  },
});

/** Reads everything there is to read; counts the bytes asked of the source. */
function readAll(bytes: Uint8Array): { reading: ElfReading; asked: number } {
  let asked = 0;
  const source: ByteSource = {
    size: bytes.length,
    read: (offset, length) => {
      asked += length;
      return bytes.subarray(offset, offset + length);
    },
  };
  const reading = readElf(source);
  classify(reading, bytes.subarray(0, 256), facts);
  readSymbols(source);
  return { reading, asked };
}

test('an object cut at any length is read or refused', () => {
  for (const bytes of [program, handmade]) {
    const kinds = new Map<string, number>();
    for (let length = 0; length < bytes.length; length += 1) {
      const { reading } = readAll(bytes.subarray(0, length));
      kinds.set(reading.kind, (kinds.get(reading.kind) ?? 0) + 1);
      if (length < 4) assert.equal(reading.kind, 'not-elf');
      else if (length < 52) assert.equal(reading.kind, 'bad-elf');
    }
    assert.equal(kinds.get('not-elf'), 4);
    assert.ok((kinds.get('bad-elf') ?? 0) > 52, `refused: ${kinds.get('bad-elf')}`);
  }
});

const interesting = [0, 1, 4, 0x7f, 0x80, 0xff];

for (const [name, original, rounds] of [
  ['a library', library, 4_000],
  ['a program', program, 2_000],
  ['a big-endian 32-bit program', handmade, 6_000],
] as const) {
  test(`random damage to ${name} never throws nor makes much work`, (context) => {
    const random = seededRandom(20_260_101);
    const kinds: Record<string, number> = {};
    const tables = [...hotSpots(original)];
    for (let round = 0; round < rounds; round += 1) {
      const bytes = Buffer.from(original);
      for (let changes = 1 + random(6); changes > 0; changes -= 1) {
        const spot = tables[random(tables.length)] ?? 0;
        const at = random(4) === 0 ? random(bytes.length) : Math.min(spot + random(64), bytes.length - 1);
        if (random(2) === 0) bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8));
        else
          bytes.fill(
            interesting[random(interesting.length)] ?? 0,
            at,
            Math.min(at + 1 + random(8), bytes.length),
          );
      }
      const { reading, asked } = readAll(bytes);
      assert.ok(asked <= 16 * bytes.length + 1_000_000, `round ${round} read ${asked} bytes`);
      kinds[reading.kind] = (kinds[reading.kind] ?? 0) + 1;
    }
    context.diagnostic(JSON.stringify(kinds));
    assert.ok((kinds['elf'] ?? 0) > 0 && (kinds['bad-elf'] ?? 0) > 0, 'damage of both kinds');
  });
}

/** Offsets of what the reader looks at: headers, program headers and the segments that are not loaded. */
function* hotSpots(bytes: Uint8Array): Generator<number> {
  yield 0;
  const buffer = Buffer.from(bytes);
  const wide = buffer[4] === 2;
  for (let index = 0; index < 8; index += 1) {
    const header = wide ? 64 + 56 * index : 52 + 32 * index;
    yield header;
    const offset = wide
      ? Number(buffer.readBigUInt64LE(header + 8) & 0xffffn)
      : buffer.readUInt32BE(header + 4);
    if (offset < bytes.length) yield offset;
  }
  const versions = buffer.indexOf('libc.so.6');
  if (versions > 0) for (let at = Math.max(0, versions - 512); at < versions + 1024; at += 64) yield at;
}

/** A little-endian 64-bit object whose dynamic entries point at `payload`, put behind it in a segment of its own. */
function withPayload(tags: readonly number[], payload: Buffer, value = 0): Buffer {
  const address = baseAddress * 16;
  const build = (offset: number) =>
    buildElf({
      class: 64,
      byteOrder: 'little',
      machine: 62,
      extraSegments: [{ type: 1, offset, address, size: payload.length }],
      dynamic: { needed: ['liba.so'], extra: tags.map((tag) => [tag, address + value] as const) },
    });
  return Buffer.concat([build(build(0).length), payload]);
}

test('a chain of a hundred thousand version records is refused', () => {
  const needs = Buffer.alloc(16 * 100_000);
  const defines = Buffer.alloc(28 * 100_000);
  for (let at = 0; at < needs.length; at += 16) {
    needs.writeUInt16LE(1, at);
    // vn_aux points at the record itself, whose vna_next (vn_next) leads on, so that both chains go to the end.
    needs.writeUInt32LE(16, at + 12);
  }
  for (let at = 0; at < defines.length; at += 28) {
    defines.writeUInt16LE(1, at);
    defines.writeUInt32LE(20, at + 12);
    defines.writeUInt32LE(28, at + 16);
  }
  assert.equal(expectBad(withPayload([0x6ffffffe], needs)), 'the table of needed versions has no end');
  assert.equal(expectBad(withPayload([0x6ffffffc], defines)), 'the table of defined versions has no end');
});

test('a chain that leaves the file is refused', () => {
  const record = Buffer.alloc(20);
  record.writeUInt16LE(1, 0);
  record.writeUInt32LE(0xffff_ffff, 12);
  assert.equal(
    expectBad(withPayload([0x6ffffffe], record)),
    'the table of needed versions lies outside the loaded segments',
  );
});

test('an unknown format of version records is refused, as by ld.so', () => {
  const record = Buffer.alloc(20);
  record.writeUInt16LE(2, 0);
  assert.equal(
    expectBad(withPayload([0x6ffffffe], record)),
    'the table of needed versions has an unknown format 2',
  );
  assert.equal(
    expectBad(withPayload([0x6ffffffc], record)),
    'the table of defined versions has an unknown format 2',
  );
});

test('names that share their bytes cannot add up to more than the file', () => {
  const text = Buffer.alloc(4_095, 'x');
  const needed = Array.from({ length: 4_000 }, (_, index) => [1, index] as const);
  const bytes = buildElf({
    class: 64,
    byteOrder: 'little',
    machine: 62,
    dynamic: { needed: [text.toString()], extra: needed },
  });
  assert.equal(expectBad(bytes), 'its strings are longer than the file');
});

test('a name longer than a path is refused', () => {
  const bytes = buildElf({
    class: 64,
    byteOrder: 'little',
    machine: 62,
    dynamic: { needed: ['x'.repeat(5_000)] },
  });
  assert.equal(expectBad(bytes), 'the name of a needed library is too long');
});

test('a dynamic table that never ends is refused', () => {
  const entries = Buffer.alloc(16 * 70_000, 1);
  const bytes = withPayload([], entries);
  // The last program header is PT_DYNAMIC: point it at the payload.
  const header = 64 + 2 * 56;
  bytes.writeBigUInt64LE(BigInt(baseAddress * 16), header + 16);
  assert.equal(expectBad(bytes), 'the dynamic table has no end');
});

test('a sparse file of a petabyte costs no more than a small one', () => {
  const start = Buffer.from(library);
  let asked = 0;
  const source: ByteSource = {
    size: 2 ** 50,
    read: (offset, length) => {
      asked += length;
      const bytes = Buffer.alloc(length);
      if (offset < start.length) start.copy(bytes, 0, offset);
      return bytes;
    },
  };
  assert.equal(readElf(source).kind, 'elf');
  // Now with hash tables that claim all of it, and section headers without a count.
  start.writeUInt16LE(0, 60);
  start.writeBigUInt64LE(64n, 40);
  start.fill(0xff, start.indexOf('GNU\0') + 4, start.indexOf('GNU\0') + 24);
  assert.equal(readElf(source).kind, 'elf');
  readSymbols(source);
  assert.ok(asked < 4_000_000, `read ${asked} bytes`);
});

test('a file that shrinks while it is read is refused', () => {
  for (let left = 16; left < library.length; left += 997) {
    const shrunk = library.subarray(0, left);
    const reading = readElf({ size: library.length, read: bytesInMemory(shrunk).read });
    assert.ok(reading.kind === 'bad-elf' || reading.kind === 'elf');
    if (left < 64) assert.equal(reading.kind, 'bad-elf');
  }
});

test('an error of the source itself passes through', () => {
  const failure = Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO' });
  const source: ByteSource = {
    size: 100,
    read: () => {
      throw failure;
    },
  };
  assert.throws(() => readElf(source), failure);
});
