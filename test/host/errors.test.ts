// Remedies for errors of the system → what a shell does where they are typed.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { remedyOf } from '../../src/host/errors.ts';

/** The numbers that bash has before and after the line: the soft limit, and the hard one. */
function limitsAround(line: string): string[] {
  const asking = 'ulimit -S -n; ulimit -H -n';
  const script = `ulimit -S -n 64; ${asking}; ${line}; ${asking}`;
  return execFileSync('bash', ['-c', script], { encoding: 'utf8' }).trim().split('\n');
}

test('the line for too many open files raises the limit to the hard one, which stays', () => {
  const [, line = ''] = /: (ulimit .*)$/.exec(remedyOf('EMFILE')) ?? [];
  const [soft, hard, raised, after] = limitsAround(line);
  assert.equal(soft, '64');
  assert.notEqual(hard, '64');
  assert.deepEqual([raised, after], [hard, hard]);
});

test('the launcher has such lines too, none that only prints a limit', () => {
  const files = ['failures.c', 'exec.c'].map((file) => readFileSync(`launcher/${file}`, 'utf8'));
  const lines = files.flatMap((text) => [...text.matchAll(/ulimit[^",)]*/g)].map(([line]) => line));
  assert.equal(lines.length, 3);
  for (const line of lines) assert.match(line, /^ulimit -S -[nsu] hard$/);
});
