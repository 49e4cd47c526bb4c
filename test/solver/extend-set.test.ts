// A solution and what may be opened later → what fits is added, nothing of the solution changes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Requirer } from '../../src/candidates/problem.ts';
import { extendSet } from '../../src/solver/extend-set.ts';
import type { Solution } from '../../src/solver/solution.ts';
import { solve } from '../../src/solver/solve.ts';
import { glibc, problem, provider, requirer } from './small-problem.ts';

const loaders = [glibc('2.40', ['GLIBC_2.0', 'GLIBC_2.40'])];
const old = provider('z-1', 'libz.so.1', { defines: ['Z_1'] });
const offers = {
  'libz.so.1': [old, provider('z-2', 'libz.so.1', { defines: ['Z_1', 'Z_2'] })],
  'libicu.so.9': [provider('icu-9', 'libicu.so.9', { needed: ['libz.so.1', 'libdata.so.9'] })],
  'libdata.so.9': [provider('icu-9', 'libdata.so.9')],
  'libnew.so.1': [provider('new-1', 'libnew.so.1', { versions: { 'libz.so.1': ['Z_2'] } })],
  'liblost.so.1': [provider('lost-1', 'liblost.so.1', { needed: ['libgone.so.1'] })],
};
const stated = problem({
  roots: [requirer('/app/tool', { versions: { 'libz.so.1': ['Z_1'] } })],
  offers,
  loaders,
});

function solution(): Solution {
  const outcome = solve(stated);
  assert.ok(outcome.kind === 'solution');
  // The best has the first; a set of an earlier day may have any.
  return { ...outcome, choices: [{ name: 'libz.so.1', provider: old, neededBy: ['tool'] }] };
}

const opening = (name: string): Requirer => requirer(`dlopen:${name}`, { needed: [name] });
const need = (...alternatives: string[]) => ({ alternatives: alternatives.map((name) => [opening(name)]) });
const outcomes = (...needs: ReturnType<typeof need>[]) => {
  const extended = extendSet(stated, solution(), needs);
  return {
    added: extended.added.map(({ name }) => name),
    kinds: extended.outcomes.map((each) => (each.kind === 'taken' ? each.by[0]?.needed[0] : each.why)),
  };
};

test('a library is added with its closure', () => {
  assert.deepEqual(outcomes(need('libicu.so.9')), {
    added: ['libdata.so.9', 'libicu.so.9'],
    kinds: ['libicu.so.9'],
  });
});

test('of alternatives the first that is to be had is taken', () => {
  assert.deepEqual(outcomes(need('libicu.so.11', 'libicu.so.10', 'libicu.so.9')).kinds, ['libicu.so.9']);
});

test('what would need another version of a chosen library is left out, and the rest is added', () => {
  const { added, kinds } = outcomes(need('libnew.so.1'), need('libicu.so.9'));
  assert.deepEqual(added, ['libdata.so.9', 'libicu.so.9']);
  assert.match(kinds[0] ?? '', /Z_2/);
});

test('what nobody has is left out, with its name; and what would need it', () => {
  const { added, kinds } = outcomes(need('libnobody.so.1'), need('liblost.so.1'));
  assert.deepEqual(added, []);
  assert.equal(kinds[0], 'no library offers libnobody.so.1');
  assert.match(kinds[1] ?? '', /libgone\.so\.1/);
});

test('nothing to open, nothing added; the same question, the same answer', () => {
  assert.deepEqual(extendSet(stated, solution(), []), { added: [], outcomes: [] });
  assert.deepEqual(
    outcomes(need('libicu.so.9'), need('libnew.so.1')),
    outcomes(need('libicu.so.9'), need('libnew.so.1')),
  );
});
