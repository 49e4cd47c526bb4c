// Untrusted text on a terminal.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { printable, printableLine } from '../../src/host/output.ts';

test('control characters become ?, text and line breaks stay', () => {
  assert.equal(
    printable('a\u001b[31m\u0007\u0000\r\u007f\u0085\u009bb\tc\nd é 日 \u{1f600}'),
    'a?[31m??????b\tc\nd é 日 \u{1f600}',
  );
  assert.equal(printableLine('a\tb\nc'), 'a?b?c');
  assert.equal(printable(''), '');
});

test('marks that turn the direction of text around cannot hide what is printed', () => {
  for (const mark of ['\u202e', '\u2066', '\u2069', '\u200f']) assert.equal(printable(`a${mark}b`), 'a?b');
  assert.equal(printableLine('a\u2028b\u2029c'), 'a?b?c');
});
