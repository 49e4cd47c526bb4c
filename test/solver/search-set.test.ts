// Searching under bounds, and going on after a bound was lowered.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Encoding, encodeProblem, type LoaderNode } from '../../src/solver/encode.ts';
import { newVariable } from '../../src/solver/sat.ts';
import { costOf, createSearch, runSearch } from '../../src/solver/search.ts';
import { glibc, problem, provider, requirer } from './small-problem.ts';

/** liba 1 forces a closest match in libb; liba 2 does not. */
const ground = (): Encoding =>
  encodeProblem(
    problem({
      roots: [requirer('/opt/program', { needed: ['liba.so', 'libb.so'] })],
      loaders: [glibc('2.41', [])],
      offers: {
        'liba.so': [
          provider('a-1', 'liba.so', { versions: { 'libb.so': ['B_1'] }, rank: [1] }),
          provider('a-2', 'liba.so', { rank: [2] }),
        ],
        'libb.so': [
          provider('b-1', 'libb.so', { defines: ['B_1'], closest: true, rank: [1] }),
          provider('b-2', 'libb.so', { defines: ['B_2'], rank: [2] }),
        ],
      },
    }),
  );

function chosen(g: Encoding, loadOrder: ReturnType<typeof createSearch>['loadOrder']): string[] {
  return [...g.names.values()].map((node) => loadOrder.served.get(node)?.provider.storePath.slice(11) ?? '');
}

test('the first set in load order is found, or the first that keeps the bound', () => {
  const g = ground();
  const loader = g.loaders[0] as LoaderNode;
  const free = createSearch(g, loader, []);
  assert.equal(runSearch(free, 1e5), 'found');
  assert.deepEqual(chosen(g, free.loadOrder), ['a-1', 'b-1']);
  const bounded = createSearch(g, loader, [{ variable: newVariable(g.sat), kind: 'closest', max: 0 }]);
  assert.equal(runSearch(bounded, 1e5), 'found');
  assert.deepEqual(chosen(g, bounded.loadOrder), ['a-2', 'b-2']);
});

test('a lowered bound goes on to the next set, and a bound that cannot be kept harms no later search', () => {
  const g = ground();
  const loader = g.loaders[0] as LoaderNode;
  const bound = { variable: newVariable(g.sat), kind: 'closest' as const, max: 1 };
  const search = createSearch(g, loader, [bound]);
  assert.equal(runSearch(search, 1e5), 'found');
  assert.equal(costOf(search.loadOrder).closest, 1);
  bound.max = 0;
  assert.equal(runSearch(search, 1e5), 'found');
  assert.deepEqual(chosen(g, search.loadOrder), ['a-2', 'b-2']);
  bound.max = -1;
  assert.equal(runSearch(search, 1e5), 'none');
  const again = createSearch(g, loader, []);
  assert.equal(runSearch(again, 1e5), 'found');
  assert.deepEqual(chosen(g, again.loadOrder), ['a-1', 'b-1']);
});

test('no step more than allowed', () => {
  const g = ground();
  assert.equal(runSearch(createSearch(g, g.loaders[0] as LoaderNode, []), -1), 'limit');
});
