// The work for a program that lacks many names grows with their number, not with its square.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closestIn } from '../../src/candidates/closest.ts';
import type { Provider } from '../../src/candidates/problem.ts';

/** How often it is asked who serves a name, while the same library is compared for each of `count` names. */
function questions(count: number): number {
  let asked = 0;
  const needed = Array.from({ length: count }, (_, i) => `liba.so.${i}`);
  const by = { label: 'program', path: '/nowhere/program', needed, verneed: [] };
  const providersOf = () => {
    asked += 1;
    return [];
  };
  const scope = { roots: [by], bundled: new Map(), providersOf, loaders: [], isFamily: () => false };
  const offers = { namesBeginning: () => [], librariesOffering: () => [] };
  const candidate = { path: '/nowhere/liba.so', verdef: [] } as unknown as Provider;
  const closest = closestIn(scope, offers, () => candidate);
  for (const name of needed) closest.coverage(by, name, candidate);
  return asked;
}

test('twice the names, twice the questions', () => {
  assert.ok(questions(100) > 0);
  assert.ok(questions(400) <= 2 * questions(200), `${questions(200)} and ${questions(400)}`);
});
