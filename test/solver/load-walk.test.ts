// The walk in load order: what it counts, and that going back leaves no trace.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { groundProblem, type LoaderNode, type NameNode } from '../../src/solver/encode.ts';
import { backtrack, decisionLevel, propagate } from '../../src/solver/sat.ts';
import {
  advance,
  costOf,
  createSearch,
  createWalk,
  rewind,
  runSearch,
  type Walk,
} from '../../src/solver/search.ts';
import { randomProblem } from './random-problem.ts';
import { glibc, problem, provider, requirer } from './small-problem.ts';

function walked(p: ReturnType<typeof problem>): Walk {
  const g = groundProblem(p);
  const search = createSearch(g, g.loaders[0] as LoaderNode, []);
  assert.equal(runSearch(search, 1e6), 'found');
  return search.walk;
}

/** All that a walk holds, by names and paths. */
function stateOf(walk: Walk) {
  const pathsOf = (name: NameNode) => (walk.wants.get(name) ?? []).map(({ path }) => path);
  return {
    order: walk.order.map((node) => [node.name, walk.served.get(node)?.provider.path, ...pathsOf(node)]),
    known: [...walk.known].map(({ name }) => name),
    served: walk.served.size,
    causes: walk.causes,
    visited: walk.visited,
  };
}

test('names come breadth first, each once', () => {
  const walk = walked(
    problem({
      roots: [requirer('/opt/program', { needed: ['liba.so', 'libb.so'] })],
      loaders: [glibc('2.41', [])],
      offers: {
        'liba.so': [provider('a', 'liba.so', { needed: ['libd.so', 'libb.so'] })],
        'libb.so': [provider('b', 'libb.so', { needed: ['libe.so'] })],
        'libd.so': [provider('d', 'libd.so', { needed: ['liba.so'] })],
        'libe.so': [provider('e', 'libe.so')],
      },
    }),
  );
  assert.deepEqual(
    walk.order.map(({ name }) => name),
    ['liba.so', 'libb.so', 'libd.so', 'libe.so'],
  );
});

test('an override counts whichever of the two is loaded first', () => {
  const own = (name: string) => ({ needed: [name], ownChoice: { [name]: `/nix/store/other/lib/${name}` } });
  const walk = walked(
    problem({
      roots: [requirer('/opt/program', { needed: ['liba.so', 'libb.so'] })],
      loaders: [glibc('2.41', [])],
      offers: {
        'liba.so': [provider('a', 'liba.so', own('libb.so'))],
        'libb.so': [provider('b', 'libb.so', own('liba.so'))],
      },
    }),
  );
  assert.deepEqual(costOf(walk), { closest: 0, foreign: 0, overrides: 2 });
});

test('after going back the walk is what a new one would be', () => {
  let compared = 0;
  for (let seed = 0; seed < 600; seed++) {
    const g = groundProblem(randomProblem(seed));
    const loader = g.loaders[0] as LoaderNode;
    const search = createSearch(g, loader, []);
    if (runSearch(search, 1e6) !== 'found') continue;
    for (let level = decisionLevel(g.kernel) - 1; level >= 0; level--) {
      backtrack(g.kernel, level);
      rewind(search.walk, level);
      assert.equal(propagate(g.kernel), undefined);
      const fresh = createWalk(g, loader);
      assert.equal(advance(search.walk), advance(fresh), `seed ${seed}`);
      assert.deepEqual(stateOf(search.walk), stateOf(fresh), `seed ${seed}`);
      compared++;
    }
  }
  assert.ok(compared > 500, `${compared} compared`);
});
