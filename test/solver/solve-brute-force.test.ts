// solve() against every conceivable set of thousands of small random problems.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { solve } from '../../src/solver/solve.ts';
import { compareMerit, everySet, reasonKey, type WholeSet } from './brute-force.ts';
import { randomProblem } from './random-problem.ts';

/** The last: what a bundled library lacks was forgotten, once something else about the same provider was false too. */
const seeds = [...Array.from({ length: 4000 }, (_, seed) => seed), 10_131_599];

test('a set is found exactly where one exists, and it is the best one', (t) => {
  let solved = 0;
  for (const seed of seeds) {
    const problem = randomProblem(seed);
    const coherent = [...everySet(problem)].filter((set) => !set.violations.size);
    const result = solve(problem);
    assert.equal(result.kind, coherent.length ? 'solution' : 'conflict', `seed ${seed}`);
    if (result.kind !== 'solution') continue;
    solved++;
    const best = coherent.reduce((a, b) => (compareMerit(b.merit, a.merit) < 0 ? b : a));
    assert.ok(result.proven, `seed ${seed}`);
    assert.deepEqual(filesOf(result.choices), expectedFiles(problem, best), `seed ${seed}`);
    assert.equal(result.loader.path, best.loader.path, `seed ${seed}`);
    const [closest, foreign, , overrides] = best.merit;
    assert.deepEqual(result.cost, { closest, foreign, overrides }, `seed ${seed}`);
  }
  t.diagnostic(`${solved} solved, ${seeds.length - solved} without a solution`);
  assert.ok(solved > seeds.length / 4 && solved < (seeds.length * 3) / 4);
});

test('a conflict excludes every set, and nothing less does', (t) => {
  const kinds = new Map<string, number>();
  for (const seed of seeds) {
    const problem = randomProblem(seed);
    const result = solve(problem);
    if (result.kind !== 'conflict') continue;
    const sets = [...everySet(problem)];
    const keys = result.reasons.map(reasonKey);
    assert.ok(result.minimal, `seed ${seed}`);
    assert.equal(new Set(keys).size, keys.length, `seed ${seed}`);
    const satisfiable = (enforced: readonly string[]) =>
      sets.some((set) => enforced.every((key) => !set.violations.has(key)));
    assert.ok(!satisfiable(keys), `seed ${seed}: the reasons leave a set`);
    for (const dropped of keys) {
      assert.ok(
        satisfiable(keys.filter((key) => key !== dropped)),
        `seed ${seed}: ${dropped} is superfluous`,
      );
    }
    for (const { kind } of result.reasons) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  t.diagnostic([...kinds].map(([kind, count]) => `${kind} ${count}`).join(', '));
  assert.equal(kinds.size, 8, 'every kind of reason but no-loader occurs');
});

function expectedFiles(problem: ReturnType<typeof randomProblem>, set: WholeSet): string[] {
  const served = [...set.served].filter(([name]) => !problem.isFamily(name));
  return served.map(([name, offer]) => `${name} ${offer.path}`).sort();
}

function filesOf(choices: readonly { name: string; provider: { path: string } }[]): string[] {
  return choices.map(({ name, provider }) => `${name} ${provider.path}`);
}
