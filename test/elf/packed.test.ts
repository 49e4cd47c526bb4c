// What UPX packed → whether the program within names a loader.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { packingOf } from '../../src/elf/packed.ts';
import { scratchDirectory } from '../store/compiled-library.ts';
import { packedHeads } from './packed-heads.ts';

/** What ends a stream of UCL gives no bytes. */
const END_MARK = 16;
const TO_BLOCK = 256;
const BLOCK_HEADER = 12;
const file = path.join(scratchDirectory(), 'packed');

function packingOfBytes(bytes: Uint8Array): string | undefined {
  writeFileSync(file, bytes);
  return packingOf(file);
}

for (const { name, head, packing } of packedHeads)
  test(name, () => assert.equal(packingOfBytes(head), packing));

test('what is cut short, or packed by another method, is not known', () => {
  for (const { head } of packedHeads) {
    const mark = head.indexOf('UPX!');
    for (let length = mark + 4; length < head.length - END_MARK; length++)
      assert.equal(packingOfBytes(head.subarray(0, length)), 'unknown', `${length}`);
    for (const [at, value] of [
      [28, 14],
      [20, 0xff],
      [21, 0xff],
    ] as const) {
      const other = Buffer.from(head);
      other[mark + at] = value;
      assert.equal(packingOfBytes(other), 'unknown');
    }
  }
});

test('any bytes within give an answer', () => {
  for (const { head } of packedHeads)
    for (let at = head.indexOf('UPX!') + 32; at < head.length; at++) {
      const other = Buffer.from(head);
      other[at] = 0xff ^ (head[at] ?? 0);
      assert.match(packingOfBytes(other) ?? '', /^(?:needs-loader|static|unknown)$/);
    }
});

/** An ELF header, the mark, and one block. */
function withBlock(unpacked: number, method: number, block: Buffer): Buffer {
  const head = Buffer.alloc(TO_BLOCK + BLOCK_HEADER);
  head.write('\x7fELF\x02\x01\x01', 'latin1');
  head.write('UPX!', TO_BLOCK - 20, 'latin1');
  head.writeUInt32LE(unpacked, TO_BLOCK);
  head.writeUInt32LE(block.length, TO_BLOCK + 4);
  head[TO_BLOCK + 8] = method;
  return Buffer.concat([head, block]);
}

test('a match longer than all that was packed is not copied', () => {
  // Bits from the highest: a literal, then a match at the last offset, whose length doubles with each pair of zeros.
  const block = Buffer.alloc(184);
  block.writeUInt32LE(0b1001 * 2 ** 28, 0);
  for (const method of [2, 5, 8]) assert.equal(packingOfBytes(withBlock(100, method, block)), 'unknown');
});

test('program headers of another size than ELF has are not read', () => {
  const headers = Buffer.alloc(64 + 5 * 64);
  headers.write('\x7fELF\x02\x01\x01', 'latin1');
  headers.writeBigUInt64LE(64n, 32);
  headers.writeUInt16LE(5, 56);
  for (const size of [0, 1, 55, 56, 57]) {
    headers.writeUInt16LE(size, 54);
    assert.equal(packingOfBytes(withBlock(headers.length, 2, headers)), size === 56 ? 'static' : 'unknown');
  }
});

test('everything else is not packed', () => {
  assert.equal(packingOf('/nowhere'), undefined);
  assert.equal(packingOf('/'), undefined);
  assert.equal(packingOfBytes(Buffer.from('#!/bin/sh\n# UPX!\n')), undefined);
  const [first] = packedHeads;
  assert.equal(packingOfBytes(first?.head.subarray(0, 100) ?? Buffer.alloc(0)), undefined);
});
