// Lists that are cut for people.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listText } from '../../src/host/output.ts';

test('the first few, and how many there are besides', () => {
  assert.equal(listText([], 3), '');
  assert.equal(listText(['a'], 1), 'a');
  assert.equal(listText(['a', 'b', 'c'], 3), 'a, b, c');
  assert.equal(listText(['a', 'b', 'c', 'd'], 3), 'a, b, c and 1 more');
  assert.equal(listText(['a', 'b', 'c'], 1), 'a and 2 more');
});
