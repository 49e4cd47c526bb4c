// Clauses, groups and encoding: what follows from a decision.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  addClause,
  backtrack,
  createSat,
  decide,
  negative,
  newVariable,
  positive,
  propagate,
  type SatSolver,
} from '../../src/solver/sat.ts';

function variables(k: SatSolver, count: number): number[] {
  return Array.from({ length: count }, () => newVariable(k));
}

test('a decision draws its consequences, and going back forgets them', () => {
  const k = createSat(() => {});
  const [a = 0, b = 0, c = 0] = variables(k, 3);
  addClause(k, [negative(a), positive(b)], 0);
  addClause(k, [negative(a), negative(b), positive(c)], 1);
  decide(k, positive(a));
  assert.equal(propagate(k), undefined);
  assert.deepEqual([k.value[positive(b)], k.value[positive(c)]], [1, 1]);
  backtrack(k, 0);
  assert.deepEqual([k.value[positive(a)], k.value[positive(b)], k.value[positive(c)]], [0, 0, 0]);
});

test('of a group at most one is true', () => {
  const k = createSat(() => {});
  const group = variables(k, 3);
  for (const variable of group) k.group[variable] = group;
  decide(k, positive(group[1] as number));
  assert.equal(propagate(k), undefined);
  assert.deepEqual(
    group.map((variable) => k.value[positive(variable)]),
    [-1, 1, -1],
  );
});

test('clauses are asked for once, when a variable is first true; a false one among them is the conflict', () => {
  const asked: number[] = [];
  const k = createSat((variable) => {
    asked.push(variable);
    if (variable === 1) addClause(k, [negative(0), negative(1)], 7);
  });
  variables(k, 2);
  for (let round = 0; round < 2; round++) {
    decide(k, positive(0));
    assert.equal(propagate(k), undefined);
    if (round === 0) decide(k, positive(1));
    assert.equal(propagate(k)?.tag, round === 0 ? 7 : undefined);
    backtrack(k, 0);
  }
  assert.deepEqual(asked, [0, 1]);
});

test('a clause added late holds after going back', () => {
  const k = createSat(() => {});
  const [a = 0, b = 0, c = 0] = variables(k, 3);
  decide(k, positive(a));
  decide(k, positive(b));
  addClause(k, [negative(a), positive(c)], 0);
  backtrack(k, 1);
  decide(k, negative(c));
  assert.equal(propagate(k)?.tag, 0);
});
