// Undo records → text and back; what is no such text is none.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readUndoText, type UndoRecord, undoText } from '../../../src/integrations/patch/undo-record.ts';

const record: UndoRecord = {
  sha256: 'ab'.repeat(32),
  size: 4096,
  mode: 0o4755,
  mtime: 1_700_000_000_123_456_789n,
  added: { at: 4000, length: 4096 },
  ranges: [{ offset: 64, old: Buffer.from([0, 255, 16]) }],
};

test('a record is read as it was written, times to the last digit', () => {
  const plain = { ...record, sha256: 'cd'.repeat(32), added: undefined };
  assert.deepEqual(readUndoText(undoText([plain, record])), [record, plain]);
  assert.equal(undoText([plain, record]), undoText([record, plain]));
  const old = { ...record, mtime: -18_576_000_000_000_001n };
  assert.deepEqual(readUndoText(undoText([old])), [old]);
});

test('what is damaged, of another version or leads out of the file is none', () => {
  const text = undoText([record]);
  for (const damaged of [
    '',
    'null',
    '{}',
    text.slice(0, -9),
    text.replace('"version":1', '"version":2'),
    text.replace('4096', '66'),
    text.replace('00ff10', '00ff1'),
    text.replace('abab', 'xxxx'),
    text.replace('[64,', '[-64,'),
  ])
    assert.equal(readUndoText(damaged), undefined, damaged);
});
