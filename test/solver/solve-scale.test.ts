// solve() on large and on hard problems: bounded by work counted, not by time.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeProblem, type LoaderNode } from '../../src/solver/encode.ts';
import { createSearch, runSearch } from '../../src/solver/search.ts';
import { solve } from '../../src/solver/solve.ts';
import { formula, generations } from './hard-problem.ts';
import { largeProblem } from './large-problem.ts';

function stepsFor(providers: number): number {
  const g = encodeProblem(largeProblem({ names: 300, providers, conflicts: 0 }));
  assert.equal(runSearch(createSearch(g, g.loaders[0] as LoaderNode, []), Number.POSITIVE_INFINITY), 'found');
  return g.sat.steps;
}

test('without conflicts the work grows no faster than the number of providers', () => {
  const [few, many, most] = [stepsFor(10), stepsFor(20), stepsFor(40)];
  assert.ok(many <= 2.2 * few && most <= 2.2 * many, `${few}, ${many}, ${most} steps`);
});

test('300 names x 20 providers are solved with the usual effort, the same every time', () => {
  for (const conflicts of [0, 1, 4]) {
    const size = { names: 300, providers: 20, conflicts };
    const first = solve(largeProblem(size));
    assert.equal(first.kind, 'solution', `${conflicts} of ten`);
    assert.deepEqual(solve(largeProblem(size)), first, `${conflicts} of ten`);
  }
});

test('a chain in which only the last generation is complete takes no exponential search', () => {
  const result = solve(generations(100, 20), { steps: 5_000_000, improveSteps: 0 });
  assert.equal(result.kind, 'solution');
  const objects = result.kind === 'solution' ? result.choices.map(({ provider }) => provider.storePath) : [];
  assert.ok(objects.every((object) => object.endsWith('-19')));
});

test('random formulas at the hardest ratio are decided', () => {
  const kinds = [1, 2, 3, 4, 5, 6].map((seed) => solve(formula(20, 85, seed)).kind);
  assert.ok(kinds.includes('solution') && kinds.includes('conflict'), kinds.join());
});
