// Closest matches in the solver: only where they have all that is needed, as few as can be, or by the user's will.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Problem } from '../../src/candidates/problem.ts';
import { explainConflict } from '../../src/solver/explain-conflict.ts';
import { solve } from '../../src/solver/solve.ts';
import { glibc, type Parts, problem, provider, requirer } from './small-problem.ts';

const loaders = [glibc('2.36', ['GLIBC_2.2.5'])];

/** `lacks`: `needer provider` → missing symbols. */
function withLacks(parts: Parts, lacks: Readonly<Record<string, readonly string[]>>): Problem {
  const coverage: NonNullable<Problem['closest']>['coverage'] = (by, _, offer) => ({
    needed: [],
    missing: lacks[`${by.label} ${offer.label}`] ?? [],
    missingVersions: lacks[`${by.label} ${offer.label} versions`] ?? [],
  });
  return { ...problem(parts), closest: { coverage, judged: () => [] } };
}

const near = (version: string) =>
  provider(`a-${version}`, `liba.so.${version}`, { closest: true, rank: [-Number(version)] });
const roots = [requirer('/opt/program', { needed: ['liba.so.1'] })];
const offers = { 'liba.so.1': [near('3'), near('2')] };

test('the best closest match that lacks nothing', () => {
  const solution = solve(withLacks({ roots, offers, loaders }, { 'program liba.so.3': ['gone'] }));
  assert.ok(solution.kind === 'solution');
  assert.equal(solution.choices[0]?.provider.label, 'liba.so.2');
  assert.equal(solution.cost.closest, 1);
});

test('when all lack something, the conflict says what', () => {
  const lacks = { 'program liba.so.3': ['gone', 'lost'], 'program liba.so.2 versions': ['A_1'] };
  const conflict = solve(withLacks({ roots, offers, loaders }, lacks));
  assert.ok(conflict.kind === 'conflict' && conflict.minimal);
  assert.deepEqual(explainConflict(conflict), [
    'program needs liba.so.1; a-2, another version, lacks A_1',
    'program needs liba.so.1; a-3, another version, lacks gone and lost',
  ]);
});

test('a need of another object counts as well', () => {
  const user = provider('user-1', 'libuser.so.1', { needed: ['liba.so.1'] });
  const parts = {
    roots: [requirer('/opt/program', { needed: ['liba.so.1', 'libuser.so.1'] })],
    offers: { ...offers, 'libuser.so.1': [user] },
    loaders,
  };
  const solution = solve(withLacks(parts, { 'libuser.so.1 liba.so.3': ['gone'] }));
  assert.ok(solution.kind === 'solution');
  assert.equal(solution.choices[0]?.provider.label, 'liba.so.2');
});

test('a set without any closest match is better, whatever the ranks say', () => {
  const [newer, older] = [
    provider('user-2', 'libuser.so.1', { needed: ['liba.so.1'], rank: [0] }),
    provider('user-1', 'libuser.so.1', { rank: [1] }),
  ];
  const parts = {
    roots: [requirer('/opt/program', { needed: ['libuser.so.1'] })],
    offers: { ...offers, 'libuser.so.1': [newer, older] },
    loaders,
  };
  const solution = solve(withLacks(parts, {}));
  assert.ok(solution.kind === 'solution');
  assert.deepEqual(
    solution.choices.map(({ provider: { storePath } }) => storePath),
    ['/nix/store/user-1'],
  );
});

test('what the user pinned may lack symbols', () => {
  const pins = { 'liba.so.1': near('3').path };
  const solution = solve(withLacks({ roots, offers, loaders, pins }, { 'program liba.so.3': ['gone'] }));
  assert.ok(solution.kind === 'solution');
  assert.equal(solution.choices[0]?.provider.label, 'liba.so.3');
});
