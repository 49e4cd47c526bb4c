// Costs that no choice avoids.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeProblem, type LoaderNode } from '../../src/solver/encode.ts';
import { lowerBound } from '../../src/solver/optimise.ts';
import { createSearch, runSearch } from '../../src/solver/search.ts';
import { everySet } from './brute-force.ts';
import { randomProblem } from './random-problem.ts';
import { glibc, problem, provider, requirer } from './small-problem.ts';

const [recent, old] = [glibc('2.41', []), glibc('2.36', [])];

test('counts what a root, or every provider of a needed name, needs; not what only some do', () => {
  const foreign = (object: string, name: string, needed: string[] = []) =>
    provider(object, name, { needed, builtWith: 'glibc-2.36' });
  const g = encodeProblem(
    problem({
      roots: [requirer('/opt/program', { needed: ['liba.so'] })],
      loaders: [recent, old],
      offers: {
        'liba.so': [
          foreign('a-1', 'liba.so', ['libb.so', 'libc1.so']),
          foreign('a-2', 'liba.so', ['libb.so']),
        ],
        'libb.so': [foreign('b', 'libb.so')],
        'libc1.so': [foreign('c', 'libc1.so')],
      },
    }),
  );
  assert.equal(runSearch(createSearch(g, g.loaders[0] as LoaderNode, []), 1e6), 'found');
  assert.deepEqual(lowerBound(g, g.loaders[0] as LoaderNode), { closest: 0, foreign: 2, likelyForeign: 3 });
  assert.deepEqual(lowerBound(g, g.loaders[1] as LoaderNode), { closest: 0, foreign: 0, likelyForeign: 0 });
});

test('no coherent set of random problems costs less', () => {
  let tight = 0;
  for (let seed = 0; seed < 1500; seed++) {
    const p = randomProblem(seed);
    const g = encodeProblem(p);
    runSearch(createSearch(g, g.loaders[0] as LoaderNode, []), 1e6);
    const coherent = [...everySet(p)].filter((set) => !set.violations.size);
    for (const loader of g.loaders) {
      const sets = coherent.filter((set) => set.loader === loader.candidate);
      const bound = lowerBound(g, loader);
      if (!bound) assert.deepEqual(sets, [], `seed ${seed}`);
      else if (sets.length) {
        const closest = Math.min(...sets.map(({ merit }) => merit[0] as number));
        const foreign = Math.min(...sets.map(({ merit }) => merit[1] as number));
        assert.ok(bound.closest <= closest && bound.foreign <= foreign, `seed ${seed}`);
        if (bound.foreign === foreign && foreign > 0) tight++;
      }
    }
  }
  assert.ok(tight > 50, `the bound was reached ${tight} times`);
});
