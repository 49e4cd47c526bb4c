// Real ELF files with a file system behind them → where it begins, and what is said when there is none.
import assert from 'node:assert/strict';
import { appendFileSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { findPayload } from '../../src/appimage/payload-offset.ts';
import { appImageType } from '../../src/elf/app-image.ts';
import { bytesInMemory } from '../../src/elf/byte-source.ts';
import { compileProgram, scratchDirectory } from '../store/compiled-library.ts';

const program = compileProgram(path.join(scratchDirectory(), 'program'));
const end = statSync(program).size;
appendFileSync(program, 'hsqs and so on');
const whole = readFileSync(program);

test('squashfs begins where the ELF file ends', () => {
  assert.deepEqual(findPayload(bytesInMemory(whole)), { kind: 'squashfs', offset: end });
});

test('without one the reason is said; no cut of the file makes it throw', () => {
  assert.deepEqual(findPayload(bytesInMemory(whole.subarray(0, end))), {
    kind: 'unknown',
    why: 'no squashfs follows its ELF file',
  });
  const dwarfs = Buffer.concat([whole.subarray(0, end), Buffer.from('DWARFS\x02\x05')]);
  assert.match(JSON.stringify(findPayload(bytesInMemory(dwarfs))), /DwarFS/);
  for (let size = 0; size < end; size += 97)
    assert.equal(findPayload(bytesInMemory(whole.subarray(0, size))).kind, 'unknown');
});

test('the mark counts in an ELF file only', () => {
  const marked = Buffer.from(whole.subarray(0, 64));
  assert.equal(appImageType(marked), undefined);
  for (const type of [1, 2] as const) {
    marked.set([0x41, 0x49, type], 8);
    assert.equal(appImageType(marked), type);
  }
  marked.set([0x41, 0x49, 3], 8);
  assert.equal(appImageType(marked), undefined);
  assert.equal(appImageType(Buffer.from('#!/bin/AI\x02 #####')), undefined);
  assert.equal(appImageType(Buffer.alloc(0)), undefined);
});
