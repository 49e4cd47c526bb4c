// The walk in load order: what it counts, and that going back leaves no trace.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeProblem, type LoaderNode, type NameNode } from '../../src/solver/encode.ts';
import { backtrack, decisionLevel, propagate } from '../../src/solver/sat.ts';
import {
  advance,
  costOf,
  createLoadOrder,
  createSearch,
  type LoadOrder,
  rewind,
  runSearch,
} from '../../src/solver/search.ts';
import { randomProblem } from './random-problem.ts';
import { glibc, problem, provider, requirer } from './small-problem.ts';

function walked(p: ReturnType<typeof problem>): LoadOrder {
  const g = encodeProblem(p);
  const search = createSearch(g, g.loaders[0] as LoaderNode, []);
  assert.equal(runSearch(search, 1e6), 'found');
  return search.loadOrder;
}

/** All that a walk holds, by names and paths. */
function stateOf(loadOrder: LoadOrder) {
  const pathsOf = (name: NameNode) => (loadOrder.wants.get(name) ?? []).map(({ path }) => path);
  return {
    order: loadOrder.order.map((node) => [
      node.name,
      loadOrder.served.get(node)?.provider.path,
      ...pathsOf(node),
    ]),
    known: [...loadOrder.known].map(({ name }) => name),
    served: loadOrder.served.size,
    causes: loadOrder.causes,
    visited: loadOrder.visited,
  };
}

test('names come breadth first, each once', () => {
  const loadOrder = walked(
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
    loadOrder.order.map(({ name }) => name),
    ['liba.so', 'libb.so', 'libd.so', 'libe.so'],
  );
});

test('an override counts whichever of the two is loaded first', () => {
  const own = (name: string) => ({ needed: [name], ownChoice: { [name]: `/nix/store/other/lib/${name}` } });
  const loadOrder = walked(
    problem({
      roots: [requirer('/opt/program', { needed: ['liba.so', 'libb.so'] })],
      loaders: [glibc('2.41', [])],
      offers: {
        'liba.so': [provider('a', 'liba.so', own('libb.so'))],
        'libb.so': [provider('b', 'libb.so', own('liba.so'))],
      },
    }),
  );
  assert.deepEqual(costOf(loadOrder), { closest: 0, foreign: 0, overrides: 2 });
});

test('after going back the walk is what a new one would be', () => {
  let compared = 0;
  for (let seed = 0; seed < 600; seed++) {
    const g = encodeProblem(randomProblem(seed));
    const loader = g.loaders[0] as LoaderNode;
    const search = createSearch(g, loader, []);
    if (runSearch(search, 1e6) !== 'found') continue;
    for (let level = decisionLevel(g.sat) - 1; level >= 0; level--) {
      backtrack(g.sat, level);
      rewind(search.loadOrder, level);
      assert.equal(propagate(g.sat), undefined);
      const fresh = createLoadOrder(g, loader);
      assert.equal(advance(search.loadOrder), advance(fresh), `seed ${seed}`);
      assert.deepEqual(stateOf(search.loadOrder), stateOf(fresh), `seed ${seed}`);
      compared++;
    }
  }
  assert.ok(compared > 500, `${compared} compared`);
});
