// Which constraints are in force, and when providers are read.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { constraintKey } from '../../src/solver/constraint.ts';
import { encodeProblem, type LoaderNode } from '../../src/solver/encode.ts';
import { createSearch, runSearch } from '../../src/solver/search.ts';
import { glibc, type Parts, problem, provider, requirer } from './small-problem.ts';

const parts: Parts = {
  roots: [requirer('/opt/program', { versions: { 'liba.so': ['A_2'] } })],
  loaders: [glibc('2.41', [])],
  offers: { 'liba.so': [provider('a-1', 'liba.so', { defines: ['A_1'] })] },
};

function outcome(only?: ReadonlySet<string>) {
  const g = encodeProblem(problem(parts), only);
  return { g, kind: runSearch(createSearch(g, g.loaders[0] as LoaderNode, []), 1e5) };
}

test('nothing is read before the search begins, and each name once', () => {
  const p = problem(parts);
  const g = encodeProblem(p);
  assert.deepEqual(p.asked, []);
  for (let round = 0; round < 2; round++) runSearch(createSearch(g, g.loaders[0] as LoaderNode, []), 1e5);
  assert.deepEqual(p.asked, ['liba.so']);
});

test('a constraint that is not among those named is dropped; what an object needs never is', () => {
  const { g, kind } = outcome();
  assert.equal(kind, 'none');
  const keys = g.constraints.filter((constraint) => constraint.kind !== 'need').map(constraintKey);
  assert.equal(keys.length, 1);
  assert.equal(outcome(new Set(keys)).kind, 'none');
  const without = outcome(new Set());
  assert.equal(without.kind, 'found');
  assert.deepEqual([...without.g.names.keys()], ['liba.so']);
});

test('loaders are tried by rank, whatever their order', () => {
  const loaders = [
    { ...glibc('2.36', []), rank: [1] },
    { ...glibc('2.41', []), rank: [0] },
  ];
  const g = encodeProblem(problem({ ...parts, loaders }));
  assert.deepEqual(
    g.loaders.map(({ candidate }) => candidate.version?.[1]),
    [41, 36],
  );
});
