// A conflict's reasons, stated by themselves: together they leave no set, and without any one of them there is one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Reason } from '../../src/solver/solution.ts';
import { solve } from '../../src/solver/solve.ts';
import { onlyReasons } from './only-reasons.ts';
import { randomProblem } from './random-problem.ts';

/** Kinds that a problem cannot state by themselves; the brute force judges them. */
const unstated = ['unversioned', 'unbound-symbol', 'soname-clash'];

test('of random problems', (t) => {
  const kinds = new Map<string, number>();
  let checked = 0;
  for (let seed = 0; seed < 3000; seed++) {
    const problem = randomProblem(seed);
    const result = solve(problem);
    if (result.kind !== 'conflict' || result.reasons.some(({ kind }) => unstated.includes(kind))) continue;
    checked++;
    assert.equal(solve(onlyReasons(problem, result.reasons)).kind, 'conflict', `seed ${seed}`);
    for (const reason of result.reasons) {
      const others: readonly Reason[] = result.reasons.filter((each) => each !== reason);
      assert.equal(solve(onlyReasons(problem, others)).kind, 'solution', `seed ${seed}: ${reason.kind}`);
      kinds.set(reason.kind, (kinds.get(reason.kind) ?? 0) + 1);
    }
  }
  t.diagnostic(`${checked} conflicts: ${[...kinds].map(([kind, count]) => `${kind} ${count}`).join(', ')}`);
  assert.ok(checked > 500 && kinds.size >= 5);
});

test('without any reason there is always a set', () => {
  for (let seed = 0; seed < 500; seed++) {
    assert.equal(solve(onlyReasons(randomProblem(seed), [])).kind, 'solution', `seed ${seed}`);
  }
});
