// What readElf refuses, and the words it has for it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readElf } from '../../src/elf/read-elf.ts';
import { bytesInMemory } from '../../src/elf/reader.ts';
import { buildElf } from './build-elf.ts';
import { expectBad } from './expect-elf.ts';

test('what does not begin with the magic is not ELF', () => {
  for (const text of ['', '\x7f', '\x7fEL', '#!/bin/sh\n', '\x7fELG and more']) {
    assert.deepEqual(readElf(bytesInMemory(Buffer.from(text, 'latin1'))), { kind: 'not-elf' });
  }
});

test('says in one clause what is wrong', () => {
  const good = buildElf({
    class: 64,
    byteOrder: 'little',
    machine: 62,
    interpreter: '/lib/ld.so',
    dynamic: { needed: ['liba.so'], verneed: [{ file: 'liba.so', versions: [{ name: 'A', weak: false }] }] },
  });
  const changed = (change: (bytes: Buffer) => void) => {
    const bytes = Buffer.from(good);
    change(bytes);
    return expectBad(bytes);
  };
  const cases: readonly (readonly [(bytes: Buffer) => void, string])[] = [
    [(b) => b.writeUInt8(3, 4), 'its ELF class 3 is neither 32-bit nor 64-bit'],
    [(b) => b.writeUInt8(0, 5), 'its byte order 0 is neither little-endian nor big-endian'],
    [(b) => b.writeUInt16LE(55, 54), 'its program headers have 55 bytes instead of 56'],
    [(b) => b.writeBigUInt64LE(1n << 60n, 32), 'the program header table lies beyond the end of the file'],
    [(b) => b.writeUInt16LE(0, 56), 'it has no segment to load'],
    [
      (b) => b.writeBigUInt64LE(99_999n, 64 + 32),
      'the file is cut off: a segment to load lies beyond its end',
    ],
    [(b) => b.writeUInt8(0x2f, b.indexOf('/lib/ld.so') + 10), 'the name of its interpreter has no end'],
    // p_filesz of PT_INTERP, the second program header.
    [(b) => b.writeBigUInt64LE(1n, 64 + 56 + 32), 'the name of its interpreter has an impossible length'],
    [(b) => b.writeBigUInt64LE(4097n, 64 + 56 + 32), 'the name of its interpreter has an impossible length'],
    [
      (b) => b.writeBigUInt64LE(0x10n, good.length - 40),
      'the dynamic string table lies outside the loaded segments',
    ],
  ];
  for (const [change, why] of cases) assert.equal(changed(change), why);
  assert.equal(expectBad(good.subarray(0, 63)), 'the file ends within the ELF header');
});
