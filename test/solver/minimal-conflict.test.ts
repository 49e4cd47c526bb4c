// Conflicts built so that the minimal set of reasons is known.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { minimalConflict } from '../../src/solver/minimal-conflict.ts';
import { solve } from '../../src/solver/solve.ts';
import { formula } from './hard-problem.ts';
import { largeProblem } from './large-problem.ts';
import { glibc, type Parts, problem, provider, requirer } from './small-problem.ts';

const libc = glibc('2.36', ['GLIBC_2.2.5']);

function reasons(parts: Omit<Parts, 'loaders'>): string[] {
  const result = solve(problem({ loaders: [libc], ...parts }));
  assert.equal(result.kind, 'conflict');
  if (result.kind !== 'conflict') return [];
  assert.ok(result.minimal);
  return result.reasons.map((reason) => {
    const of = 'offeredBy' in reason ? ` of ${reason.offeredBy.split('/')[3]} by ${reason.neededBy}` : '';
    return `${reason.kind} ${'name' in reason ? reason.name : ''}${of}`;
  });
}

const a = (object: string, defines: string[]) => provider(object, 'liba.so', { defines });

test('one unmet version among many needs that are met', () => {
  const needed = Array.from({ length: 30 }, (_, i) => `lib${i}.so`);
  const offers = Object.fromEntries(
    needed.map((name) => [name, [provider(`${name}-1`, name), provider(`${name}-2`, name)]]),
  );
  const roots = [requirer('/opt/program', { needed, versions: { 'liba.so': ['A_2'] } })];
  assert.deepEqual(reasons({ roots, offers: { ...offers, 'liba.so': [a('a-1', ['A_1'])] } }), [
    'missing-version liba.so of a-1 by program',
  ]);
});

test('of two independent conflicts one is reported', () => {
  const roots = [requirer('/opt/program', { needed: ['libx.so', 'liby.so'] })];
  assert.deepEqual(reasons({ roots }).length, 1);
});

test('a diamond needs both sides, and every file that either side refuses', () => {
  const offers = {
    'libl.so': [provider('l', 'libl.so', { versions: { 'liba.so': ['L'] } })],
    'libr.so': [provider('r', 'libr.so', { versions: { 'liba.so': ['R'] } })],
    'liba.so': [a('a-1', ['L']), a('a-2', ['R']), a('a-3', [])],
  };
  const result = reasons({ roots: [requirer('/opt/program', { needed: ['libl.so', 'libr.so'] })], offers });
  assert.equal(result.length, 3);
  assert.ok(result.includes('missing-version liba.so of a-1 by libr.so'));
  assert.ok(result.includes('missing-version liba.so of a-2 by libl.so'));
  assert.equal(result.filter((reason) => reason.includes('a-3')).length, 1);
});

test('a conflict below every provider of a name', () => {
  const offers = {
    'libp.so': ['1', '2'].map((nth) =>
      provider(`p-${nth}`, 'libp.so', { versions: { 'liba.so': [`A_${nth}`] } }),
    ),
    'liba.so': [a('a-0', ['A_0'])],
  };
  const result = solve(
    problem({ loaders: [libc], roots: [requirer('/opt/program', { needed: ['libp.so'] })], offers }),
  );
  assert.deepEqual(
    result.kind === 'conflict' &&
      result.reasons.map((reason) => 'neededByPath' in reason && reason.neededByPath),
    ['/nix/store/p-1/lib/libp.so', '/nix/store/p-2/lib/libp.so'],
  );
});

test('everybody who needs a name that is missing is named once', () => {
  const offers = { 'libb.so': [provider('b', 'libb.so', { needed: ['libx.so'] })] };
  const roots = [requirer('/opt/program', { needed: ['libb.so'] })];
  const result = solve(problem({ loaders: [libc], roots, offers }));
  assert.deepEqual(result.kind === 'conflict' && result.reasons, [
    { kind: 'no-provider', name: 'libx.so', neededBy: ['libb.so'] },
  ]);
});

test('in a large set of libraries one missing name is found out', () => {
  const large = largeProblem({ names: 200, providers: 10, conflicts: 1 });
  const result = solve({
    ...large,
    providersOf: (name) => (name === 'lib150.so.1' ? [] : large.providersOf(name)),
  });
  assert.deepEqual(result.kind === 'conflict' && result.reasons.map(({ kind }) => kind), ['no-provider']);
});

test('cut short, it says that it may not be minimal', () => {
  const hard = formula(20, 85, 1);
  let limit = 1000;
  let result = minimalConflict(hard, limit);
  for (; result.kind === 'undecided'; result = minimalConflict(hard, limit)) limit *= 2;
  assert.ok(result.kind === 'conflict' && !result.minimal);
});

test('asking about a satisfiable problem is a mistake', () => {
  const fine = problem({ loaders: [libc], roots: [requirer('/opt/program', {})] });
  assert.throws(() => minimalConflict(fine, 1000), /satisfiable/);
});
