// Real ELF files with a file system behind them → where it begins, and what is said when there is none.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { appImageType, readAppImage } from '../../src/elf/app-image.ts';
import { bytesInMemory } from '../../src/elf/reader.ts';
import { compileProgram, scratchDirectory } from '../store/compiled-library.ts';

const elf = readFileSync(compileProgram(path.join(scratchDirectory(), 'program')));
const marked = (type: number, ...behind: readonly string[]): Buffer => {
  const bytes = Buffer.concat([elf, ...behind.map((text) => Buffer.from(text, 'latin1'))]);
  bytes.set([0x41, 0x49, type], 8);
  return bytes;
};
const read = (bytes: Uint8Array) => readAppImage(bytesInMemory(bytes));

test('squashfs begins where the ELF file ends', () => {
  assert.deepEqual(read(marked(2, 'hsqs and so on')), { type: 2, offset: elf.length });
});

test('an ISO 9660 image has its first descriptor in sector 16', () => {
  const bytes = marked(1, '\0'.repeat(64 * 1024));
  assert.equal(read(bytes), undefined);
  bytes.write('\x01CD001', 32768, 'latin1');
  assert.deepEqual(read(bytes), { type: 1 });
});

test('without the mark, without a known file system, cut short: none, and nothing is thrown', () => {
  assert.equal(read(Buffer.concat([elf, Buffer.from('hsqs')])), undefined);
  for (const behind of ['', 'hsq', 'DWARFS\x02\x05', ' hsqs'])
    assert.equal(read(marked(2, behind)), undefined);
  const whole = marked(2, 'hsqs');
  for (let size = 0; size < elf.length; size += 97) assert.equal(read(whole.subarray(0, size)), undefined);
});

test('the mark counts in an ELF file only', () => {
  assert.deepEqual(
    [1, 2, 3].map((type) => appImageType(marked(type))),
    [1, 2, undefined],
  );
  assert.equal(appImageType(elf), undefined);
  assert.equal(appImageType(Buffer.from('#!/bin/AI\x02 #####')), undefined);
  assert.equal(appImageType(Buffer.alloc(0)), undefined);
});
