// Tables are read by address, as the kernel and ld.so map them: over the end of a segment, in zeros, where segments overlap.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { openImage } from '../../src/elf/image.ts';
import { findLinkTables } from '../../src/elf/link-tables.ts';
import { bytesInMemory, Malformed, readFields } from '../../src/elf/reader.ts';
import { openDefinitions } from '../../src/elf/references.ts';
import type { Mapping } from '../../src/elf/segments.ts';
import { readSymbols } from '../../src/elf/symbols.ts';
import { compileC, writeScratch } from './compile-c.ts';
import { expectElf } from './expect-elf.ts';
import { splitStringTable } from './split-segment.ts';

const load = (address: number, offset: number, fileSize: number, memorySize = fileSize): Mapping => {
  return { type: 1, address, offset, fileSize, memorySize };
};

/** Three pages of the letters a, b and c, and half a page of d. */
const bytes = Buffer.concat(
  ['a', 'b', 'c', 'd'].map((letter) => Buffer.alloc(letter === 'd' ? 2048 : 4096, letter)),
);

function imageOf(...segments: Mapping[]) {
  const layout = { wide: true, little: true, cachedBlocks: 4 };
  return openImage(readFields(bytesInMemory(bytes), layout), segments);
}

const text = (image: ReturnType<typeof imageOf>, address: number, length: number) =>
  Buffer.from(image.bytes(address, length, 'it')).toString('latin1');

test('what begins in one segment goes on in the next, wherever the file has that', () => {
  const image = imageOf(load(0x10000, 0, 4096), load(0x11000, 8192, 4096));
  assert.equal(text(image, 0x10ffd, 6), 'aaaccc');
  assert.equal(image.u32(0x10ffe, 'it'), Buffer.from('aacc').readUInt32LE());
  assert.equal(image.word(0x10ffc, 'it'), Number.POSITIVE_INFINITY);
  assert.equal(image.u16(0x10fff, 'it'), Buffer.from('ac').readUInt16LE());
  assert.equal(image.room(0x10000, 99_999), 8192);
});

test('a gap ends what is mapped', () => {
  const image = imageOf(load(0x10000, 0, 4096), load(0x12000, 4096, 4096));
  const outside = new Malformed('it lies outside the loaded segments');
  assert.throws(() => image.bytes(0x10ffe, 4, 'it'), outside);
  for (const at of [0, 0x0ffff, 0x11000, 0x13000, Number.POSITIVE_INFINITY])
    for (const read of [image.u8, image.u16, image.u32, image.word])
      assert.throws(() => read(at, 'it'), outside);
  assert.throws(() => image.text(0x10ffe, Number.POSITIVE_INFINITY, 99, 'it'), /it has no end/);
});

test('whole pages are mapped, and the rest of the last page of the file is zeros', () => {
  const image = imageOf(load(0x10100, 0x100, 0x20), load(0x13000, 12_288, 2048));
  assert.equal(text(image, 0x10000, 4096), 'a'.repeat(4096));
  assert.equal(image.room(0x10000, 99_999), 4096);
  assert.equal(image.text(0x137fe, Number.POSITIVE_INFINITY, 99, 'it'), 'dd');
  assert.equal(image.room(0x13000, 99_999), 4096);
});

test('behind the bytes of the file a segment goes on with zeros', () => {
  const image = imageOf(load(0x10000, 0, 16, 5000), load(0x12000, 8192, 4096));
  assert.equal(image.text(0x1000e, Number.POSITIVE_INFINITY, 99, 'it'), 'aa');
  assert.equal(image.u32(0x11ffe, 'it'), Buffer.from('\0\0cc').readUInt32LE());
  assert.equal(image.word(0x10800, 'it'), 0);
});

test('where segments overlap the later one counts', () => {
  const [first, second] = [load(0x10000, 0, 12_288), load(0x11000, 8192, 4096)];
  assert.equal(text(imageOf(first, second), 0x10fff, 4098), `a${'c'.repeat(4097)}`);
  assert.equal(text(imageOf(second, first), 0x10fff, 4098), `a${'b'.repeat(4096)}c`);
});

test('zeros and overlaps do not make a small file long', () => {
  const image = imageOf(load(0x10000, 0, 16, 2 ** 40));
  assert.throws(() => image.bytes(0x11000, 1 << 30, 'it'), /it is longer than the file/);
  assert.throws(() => {
    for (let at = 0x11000; ; at += 4) image.u32(at, 'it');
  }, /it is longer than the file/);
});

const big = `#include <stdio.h>
${Array.from({ length: 400 }, (_, i) => `void a_rather_long_exported_function_name_${i}(void) {}`).join('\n')}
int main(void) { puts("started"); return 0; }`;
const flags = ['-no-pie', '-rdynamic', '-Wl,-rpath,/nowhere/that/is/there', '-Wl,--hash-style=gnu'];

for (const overlap of [0n, 1n])
  test(`a string table in two segments, overlap ${overlap}`, () => {
    const whole = compileC(`big-${overlap}`, big, flags);
    const split = writeScratch(`split-${overlap}`, splitStringTable(readFileSync(whole), overlap));
    chmodSync(split, 0o755);
    // The machine's own loader takes it.
    assert.equal(execFileSync(split, { encoding: 'utf8' }), 'started\n');
    const read = expectElf(split);
    const { runpath, needed, verneed } = expectElf(whole);
    assert.deepEqual([read.runpath, read.needed, read.verneed], [runpath, needed, verneed]);
    const sources = [whole, split].map((file) => bytesInMemory(readFileSync(file)));
    const [before, after] = sources.map((source) => readSymbols(source));
    assert.equal(after?.kind, 'symbols');
    assert.deepEqual(after, before);
    const tables = findLinkTables(sources[1] ?? assert.fail()) ?? assert.fail();
    const defines = openDefinitions(tables);
    for (const i of [0, 200, 399]) assert.ok(defines(`a_rather_long_exported_function_name_${i}`));
    assert.ok(!defines('a_rather_long_exported_function_name_400'));
  });
