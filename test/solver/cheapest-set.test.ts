// Lowering costs, with and without effort.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeProblem } from '../../src/solver/encode.ts';
import { cheapestSet } from '../../src/solver/optimise.ts';
import type { SolutionCost } from '../../src/solver/solution.ts';
import { compareMerit, everySet } from './brute-force.ts';
import { formula } from './hard-problem.ts';
import { randomProblem } from './random-problem.ts';

const inOrder = ({ closest, foreign, overrides }: SolutionCost) => [closest, foreign, overrides];

test('without effort the set is coherent, never better than the best, and called proven only if it is', () => {
  let unproven = 0;
  for (let seed = 0; seed < 1500; seed++) {
    const p = randomProblem(seed);
    const hasty = cheapestSet(encodeProblem(p), { steps: 1e6, improveSteps: 0 });
    if (hasty.kind !== 'found') continue;
    const files = [...hasty.served].map(([node, { provider }]) => `${node.name} ${provider.path}`).sort();
    const same = [...everySet(p)].find(
      (set) =>
        set.loader === hasty.loader.candidate &&
        files.join() ===
          [...set.served]
            .map(([name, { path }]) => `${name} ${path}`)
            .sort()
            .join(),
    );
    assert.equal(same?.violations.size, 0, `seed ${seed}`);
    const patient = cheapestSet(encodeProblem(p), { steps: 1e6, improveSteps: 1e6 });
    assert.ok(patient.kind === 'found' && patient.proven, `seed ${seed}`);
    const difference = compareMerit(inOrder(patient.cost).slice(0, 2), inOrder(hasty.cost).slice(0, 2));
    assert.ok(difference <= 0, `seed ${seed}`);
    if (hasty.proven) assert.deepEqual(patient.cost, hasty.cost, `seed ${seed}`);
    else unproven++;
  }
  assert.ok(unproven > 50, `${unproven} unproven`);
});

test('no set, and no telling', () => {
  const hopeless = encodeProblem(formula(4, 60, 1));
  assert.deepEqual(cheapestSet(hopeless, { steps: 1e6, improveSteps: 0 }), { kind: 'none' });
  const cut = encodeProblem(formula(20, 85, 1));
  assert.deepEqual(cheapestSet(cut, { steps: 50, improveSteps: 0 }), { kind: 'limit' });
});
