// cacheBlocks and the number of reads that a library costs.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { readElf } from '../../src/elf/read-elf.ts';
import { BLOCK_SIZE, type ByteSource, cacheBlocks } from '../../src/elf/reader.ts';

function recorded(bytes: Uint8Array): ByteSource & { readonly offsets: number[] } {
  const offsets: number[] = [];
  const read = (offset: number, length: number) => {
    offsets.push(offset);
    return bytes.subarray(offset, offset + length);
  };
  return { size: bytes.length, offsets, read };
}

test('reads a block once while it is kept, and the oldest is dropped first', () => {
  const source = recorded(Buffer.alloc(4 * BLOCK_SIZE, 7));
  const blockAt = cacheBlocks(source, 2);
  for (const index of [0, 1, 0, 1, 2, 1, 0]) blockAt(index);
  assert.deepEqual(source.offsets, [0, BLOCK_SIZE, 2 * BLOCK_SIZE, 0]);
});

test('a library of two megabytes costs few and small reads', () => {
  for (const name of ['libc.so.6', 'libstdc++.so.6']) {
    const source = recorded(readFileSync(`/usr/lib/x86_64-linux-gnu/${name}`));
    assert.equal(readElf(source).kind, 'elf');
    assert.ok(source.size > 1_500_000);
    assert.ok(source.offsets.length <= 7, `${name}: ${source.offsets}`);
  }
});
