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

test('everything else is not packed', () => {
  assert.equal(packingOf('/nowhere'), undefined);
  assert.equal(packingOf('/'), undefined);
  assert.equal(packingOfBytes(Buffer.from('#!/bin/sh\n# UPX!\n')), undefined);
  const [first] = packedHeads;
  assert.equal(packingOfBytes(first?.head.subarray(0, 100) ?? Buffer.alloc(0)), undefined);
});
