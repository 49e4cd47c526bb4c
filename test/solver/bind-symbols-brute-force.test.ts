// solve() on random problems with symbols that carry no version, against every conceivable set.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Problem } from '../../src/candidates/problem.ts';
import type { Solution } from '../../src/solver/solution.ts';
import { solve } from '../../src/solver/solve.ts';
import { compareMerit, everySet, loadedIn, reasonKey, type WholeSet } from './brute-force.ts';
import { randomSymbolProblem } from './random-symbols.ts';

const seeds = Array.from({ length: 3000 }, (_, seed) => seed);

const best = (sets: readonly WholeSet[]): WholeSet =>
  sets.reduce((a, b) => (compareMerit(b.merit, a.merit) < 0 ? b : a));

function assertIs({ loader, choices }: Solution, set: WholeSet, problem: Problem, seed: number): void {
  const served = [...set.served].filter(([name]) => !problem.isFamily(name));
  assert.deepEqual(
    choices.map(({ name, provider }) => `${name} ${provider.path}`),
    served.map(([name, { path }]) => `${name} ${path}`).sort(),
    `seed ${seed}`,
  );
  assert.equal(loader.path, set.loader.path, `seed ${seed}`);
}

const textOf = ({ undefinedSymbols }: Solution): string[] =>
  undefinedSymbols.map(({ neededByPath, symbol }) => `${neededByPath} ${symbol}`);

test('what is bound at the start is defined in the best set, wherever there is one', (t) => {
  let [solved, barred] = [0, 0];
  for (const seed of seeds) {
    const problem = randomSymbolProblem(seed, 0);
    const coherent = [...everySet(problem)].filter((set) => !set.violations.size);
    const result = solve(problem);
    assert.equal(result.kind, coherent.length ? 'solution' : 'conflict', `seed ${seed}`);
    if (result.kind === 'conflict' && solve({ ...problem, symbols: undefined as never }).kind === 'solution')
      barred++;
    if (result.kind !== 'solution') continue;
    solved++;
    assert.ok(result.proven, `seed ${seed}`);
    assert.deepEqual(result.undefinedSymbols, [], `seed ${seed}`);
    assertIs(result, best(coherent), problem, seed);
  }
  t.diagnostic(`${solved} solved, ${barred} without a solution because of symbols`);
  assert.ok(solved > seeds.length / 5 && barred > seeds.length / 20);
});

test('a conflict over symbols excludes every set, and nothing less does', (t) => {
  let checked = 0;
  for (const seed of seeds) {
    const problem = randomSymbolProblem(seed, seed % 4);
    const result = solve(problem);
    if (result.kind !== 'conflict' || !result.reasons.some(({ kind }) => kind === 'unbound-symbol')) continue;
    checked++;
    const sets = [...everySet(problem)];
    const keys = result.reasons.map(reasonKey);
    assert.ok(result.minimal, `seed ${seed}`);
    const satisfiable = (enforced: readonly string[]) =>
      sets.some((set) => enforced.every((key) => !set.violations.has(key)));
    assert.ok(!satisfiable(keys), `seed ${seed}: the reasons leave a set`);
    for (const dropped of keys) {
      assert.ok(satisfiable(keys.filter((key) => key !== dropped)), `seed ${seed}: ${dropped}`);
    }
  }
  t.diagnostic(`${checked} conflicts`);
  assert.ok(checked > 100);
});

test('what is bound when it is called is defined if it can be, and never stands in the way', (t) => {
  let [complete, given] = [0, 0];
  for (const seed of seeds) {
    const problem = randomSymbolProblem(seed, 8);
    const sets = [...everySet(problem)];
    const coherent = sets.filter((set) => !set.violations.size);
    const result = solve(problem);
    assert.equal(result.kind, coherent.length ? 'solution' : 'conflict', `seed ${seed}`);
    if (result.kind !== 'solution') continue;
    const left = textOf(result);
    // The set is the best of those that leave no more undefined.
    assertIs(
      result,
      best(coherent.filter((set) => [...set.undefinedSymbols].every((each) => left.includes(each)))),
      problem,
      seed,
    );
    if (coherent.every((set) => set.undefinedSymbols.size)) {
      given++;
      continue;
    }
    complete++;
    // Some set defines everything, so only what no set at all defines may be left.
    const loads = (set: WholeSet, file: string) =>
      loadedIn(problem, set.served).some(({ path }) => path === file);
    for (const reference of left) {
      const [file = ''] = reference.split(' ');
      assert.ok(
        sets.every((set) => !loads(set, file) || set.undefinedSymbols.has(reference)),
        `seed ${seed}: ${reference}`,
      );
    }
  }
  t.diagnostic(`${complete} with a set that defines everything, ${given} without`);
  assert.ok(complete > 300 && given > 100);
});
