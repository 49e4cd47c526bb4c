// learn() and the kernel against truth tables of random formulas.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  addClause,
  backtrack,
  createSat,
  decide,
  decisionLevel,
  learn,
  newVariable,
  positive,
  propagate,
  refutationTags,
  type SatSolver,
} from '../../src/solver/sat.ts';
import { createRandom } from './random-problem.ts';

const variables = 8;

function randomClauses(seed: number): number[][] {
  const random = createRandom(seed);
  return Array.from({ length: 20 + random(30) }, () => {
    const size = 1 + random(12) ? 3 : 1;
    return [...new Set(Array.from({ length: size }, () => random(2 * variables)))];
  });
}

/** True if the assignment (bit v: variable v) makes one literal of each clause true. */
const models = (clauses: readonly (readonly number[])[], bits: number): boolean =>
  clauses.every((clause) => clause.some((lit) => ((bits >> (lit >> 1)) & 1) === ((lit & 1) ^ 1)));

const satisfiable = (clauses: readonly (readonly number[])[]): boolean =>
  Array.from({ length: 2 ** variables }, (_, bits) => bits).some((bits) => models(clauses, bits));

/** The model found, or undefined. */
function search(k: SatSolver): number | undefined {
  for (;;) {
    const conflict = k.pending ?? propagate(k);
    if (conflict) {
      if (!learn(k, conflict)) return undefined;
      continue;
    }
    const open = Array.from({ length: variables }, (_, v) => v).find((v) => k.value[positive(v)] === 0);
    if (open !== undefined) decide(k, positive(open));
    else
      return k.value.reduce(
        (bits, value, lit) => (value === 1 && !(lit & 1) ? bits | (1 << (lit >> 1)) : bits),
        0,
      );
  }
}

test('finds a model where there is one; a refutation rests on clauses that have none', () => {
  let refuted = 0;
  for (let seed = 0; seed < 1500; seed++) {
    const clauses = randomClauses(seed);
    const k = createSat(() => {});
    for (let v = 0; v < variables; v++) newVariable(k);
    clauses.forEach((clause, tag) => {
      addClause(k, [...clause], tag);
    });
    const model = search(k);
    assert.equal(model !== undefined, satisfiable(clauses), `seed ${seed}`);
    if (model !== undefined) assert.ok(models(clauses, model), `seed ${seed}`);
    else {
      refuted++;
      const core = refutationTags(k).map((tag) => clauses[tag] as number[]);
      assert.ok(!satisfiable(core), `seed ${seed}: the core has a model`);
    }
  }
  assert.ok(refuted > 200 && refuted < 1300, `${refuted} refuted`);
});

test('a learned clause takes effect at the level of its second highest literal', () => {
  const k = createSat(() => {});
  const [a, b, c] = [newVariable(k), newVariable(k), newVariable(k)].map(positive) as [
    number,
    number,
    number,
  ];
  addClause(k, [a ^ 1, c ^ 1], 0);
  for (const lit of [a, b, c]) {
    if (k.value[lit] === 0) decide(k, lit);
    assert.equal(propagate(k), undefined);
  }
  assert.equal(k.value[c], -1);
  addClause(k, [a ^ 1, c], 1);
  const conflict = k.pending;
  assert.ok(conflict);
  assert.ok(learn(k, conflict));
  assert.equal(decisionLevel(k), 0);
  assert.equal(k.value[a], -1);
  backtrack(k, 0);
});
