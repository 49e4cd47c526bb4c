// What was opened in earlier starts and did not fit → a set for it where there is one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Job } from '../../src/resolve/job.ts';
import { withLearned } from '../../src/resolve/learned.ts';
import { solve } from '../../src/solver/solve.ts';
import { glibc, problem, provider, requirer } from '../solver/small-problem.ts';

const COUNT = 40;
const numbers = Array.from({ length: COUNT }, (_, index) => index);
/** The best set has the newer one; `libold.so.1` and all after it only go with the older one. */
const newer = provider('z-2', 'libz.so.1', { defines: ['Z_1', 'Z_2'] });
const older = provider('z-1', 'libz.so.1', { defines: ['Z_0', 'Z_1'] });
const stated = problem({
  roots: [requirer('/app/tool', { versions: { 'libz.so.1': ['Z_1'] } })],
  offers: {
    'libz.so.1': [newer, older],
    'libold.so.1': [provider('old-1', 'libold.so.1', { versions: { 'libz.so.1': ['Z_0'] } })],
    'libodd.so.1': [provider('odd-1', 'libodd.so.1', { versions: { 'libz.so.1': ['Z_9'] } })],
    'libnew.so.1': [provider('new-1', 'libnew.so.1', { versions: { 'libz.so.1': ['Z_2'] } })],
    ...Object.fromEntries(
      numbers.map((each) => [`lib${each}.so.1`, [provider(`lib-${each}`, `lib${each}.so.1`)]]),
    ),
  },
  loaders: [glibc('2.40', ['GLIBC_2.0', 'GLIBC_2.40'])],
});

/** The file that serves libz.so.1 once these names were asked for in vain. */
function servedAfter(names: readonly string[]): string | undefined {
  const asked = names.map((name) => ({ name, requester: '', when: '', why: 'it did not fit' }));
  const job = { learned: { names: asked, plugIns: [] }, program: { elf: {} } } as unknown as Job;
  const { outcome } = withLearned({ problem: stated, outcome: solve(stated) }, job);
  assert.ok(outcome.kind === 'solution');
  return outcome.choices.find(({ name }) => name === 'libz.so.1')?.provider.path;
}

const fitting = numbers.map((each) => `lib${each}.so.1`);

test('nothing learned: the best set stays', () => {
  assert.equal(servedAfter([]), newer.path);
});

test('a name that did not fit has a set of its own', () => {
  assert.equal(servedAfter([...fitting, 'libold.so.1']), older.path);
});

test('names that nobody has keep nothing from what others need, however many come before', () => {
  assert.equal(servedAfter(['libnobody.so.1', ...fitting, 'libold.so.1', 'libgone.so.1']), older.path);
});

test('one that fits in no set, in front of many, keeps nothing from the others', () => {
  assert.equal(servedAfter(['libodd.so.1', ...fitting, 'libold.so.1']), older.path);
});

test('some among many that fit in no set keep nothing from the others', () => {
  const names = [...fitting];
  for (const at of [29, 17, 5]) names.splice(at, 0, 'libodd.so.1');
  assert.equal(servedAfter([...names, 'libold.so.1']), older.path);
});

test('of two that exclude each other the earlier one is served, among many', () => {
  assert.equal(servedAfter([...fitting, 'libold.so.1', 'libnew.so.1']), older.path);
  assert.equal(servedAfter(['libnew.so.1', ...fitting, 'libold.so.1']), newer.path);
});
