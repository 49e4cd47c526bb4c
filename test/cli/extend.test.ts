// The words of `nix-foreign extend` → the question in them, or a refusal.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readQuestion } from '../../src/cli/extend.ts';

function words(directory: string, process: string, requester: string, name: string): string[] {
  return ['--run-time', directory, '--process', process, '--requester', requester, '--', name];
}

test('a question of the module', () => {
  assert.deepEqual(readQuestion(words('/c/run-time/a', '12', '', '--help')), {
    directory: '/c/run-time/a',
    processId: 12,
    requester: '',
    name: '--help',
  });
});

test('anything else is refused', () => {
  const good = words('/c/a', '12', '/x', 'libz.so.1');
  const odd = [words('c/a', '12', '', 'x'), words('/c/a', 'x', '', 'y')];
  for (const each of [[], good.slice(1), good.slice(0, 7), [...good, 'more'], ...odd])
    assert.throws(() => readQuestion(each), { code: 'usage' });
});
