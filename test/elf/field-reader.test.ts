// readFields at the edges: between blocks, at the end of the file, and where a source gives less than it said.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BLOCK_SIZE, bytesInMemory, Malformed, readFields } from '../../src/elf/reader.ts';

const layout = { wide: true, little: true, cachedBlocks: 8 };
const bytes = Buffer.from(
  Array.from({ length: 3 * BLOCK_SIZE + 100 }, (_, index) => (index * 7 + (index >> 8)) & 0xff),
);

test('numbers and bytes are the same on both sides of a block boundary', () => {
  for (const little of [true, false]) {
    const fields = readFields(bytesInMemory(bytes), { ...layout, little });
    for (let at = BLOCK_SIZE - 9; at < BLOCK_SIZE + 2; at += 1) {
      assert.equal(fields.u8(at, 'x'), bytes[at]);
      assert.equal(fields.u16(at, 'x'), little ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at));
      assert.equal(fields.u32(at, 'x'), little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at));
      assert.deepEqual(
        Buffer.from(fields.bytes(at, 2 * BLOCK_SIZE, 'x')),
        bytes.subarray(at, at + 2 * BLOCK_SIZE),
      );
    }
  }
});

test('a word beyond 2^53 is infinite', () => {
  const word = (high: number, low: number) => {
    const eight = Buffer.alloc(8);
    eight.writeUInt32LE(low, 0);
    eight.writeUInt32LE(high, 4);
    return readFields(bytesInMemory(eight), layout).word(0, 'x');
  };
  assert.equal(word(0x1f_ffff, 0xffff_ffff), Number.MAX_SAFE_INTEGER);
  assert.equal(word(0x20_0000, 0), Number.POSITIVE_INFINITY);
  assert.equal(word(0xffff_ffff, 0xffff_ffff), Number.POSITIVE_INFINITY);
});

test('text goes over block boundaries, and ends at its limits', () => {
  const long = Buffer.concat([Buffer.alloc(2 * BLOCK_SIZE + 10, 'a'), Buffer.from('\0rest')]);
  const fields = readFields(bytesInMemory(long), layout);
  assert.equal(fields.text(5, long.length, 100_000, 'it').length, 2 * BLOCK_SIZE + 5);
  assert.equal(fields.text(2 * BLOCK_SIZE + 7, long.length, 3, 'it'), 'aaa');
  assert.throws(() => fields.text(2 * BLOCK_SIZE + 6, long.length, 3, 'it'), new Malformed('it is too long'));
  assert.throws(() => fields.text(5, 2 * BLOCK_SIZE, 100_000, 'it'), new Malformed('it has no end'));
  assert.throws(() => fields.text(long.length - 4, long.length, 100, 'it'), new Malformed('it has no end'));
});

test('nothing is read beyond the end, not even when the source promised more', () => {
  const beyond = new Malformed('it lies beyond the end of the file');
  const honest = readFields(bytesInMemory(bytes), layout);
  const shrunk = readFields(
    { ...bytesInMemory(bytes.subarray(0, BLOCK_SIZE + 5)), size: bytes.length },
    layout,
  );
  for (const at of [-1, bytes.length, 2 ** 52, Number.POSITIVE_INFINITY, Number.NaN]) {
    for (const read of [honest.u8, honest.u16, honest.u32, honest.word])
      assert.throws(() => read(at, 'it'), beyond);
    assert.throws(() => honest.bytes(at, 1, 'it'), beyond);
    assert.throws(() => honest.text(at, Number.POSITIVE_INFINITY, 10, 'it'), beyond);
  }
  assert.throws(() => honest.bytes(0, Number.POSITIVE_INFINITY, 'it'), beyond);
  for (const at of [BLOCK_SIZE + 5, 2 * BLOCK_SIZE, 3 * BLOCK_SIZE + 50]) {
    for (const read of [shrunk.u8, shrunk.u16, shrunk.u32, shrunk.word])
      assert.throws(() => read(at, 'it'), beyond);
    assert.throws(() => shrunk.bytes(at - 6, BLOCK_SIZE + 20, 'it'), beyond);
    assert.throws(() => shrunk.text(at, bytes.length, 100, 'it'), beyond);
  }
  assert.throws(() => shrunk.bytes(BLOCK_SIZE - 5, 2 * BLOCK_SIZE, 'it'), beyond);
});
