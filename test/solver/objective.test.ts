// What is better than what.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { localCost, overrides, sameFile } from '../../src/solver/objective.ts';
import { glibc, type ProviderParts, provider } from './small-problem.ts';

const loader = glibc('2.41', []);
const place = (parts: ProviderParts = {}) => ({
  provider: provider('a-1', 'liba.so.1', parts),
  inside: '/nix/store/a-1/',
});
const wanted = [
  '/nix/store/a-2/lib/liba.so.1',
  '/nix/store/a-2/lib/liba.so.1',
  '/nix/store/a-1/lib64/liba.so.1',
].map((path) => ({ path }));

test('a closest match costs more than a foreign build, and that more than any number of overrides', () => {
  const closest = localCost(place({ closest: true }), loader, []);
  const foreign = localCost(place({ builtWith: 'glibc-2.36' }), loader, []);
  assert.ok(closest > foreign && foreign > 0);
  assert.equal(localCost(place(), loader, wanted), 2);
  assert.ok(localCost(place({ builtWith: 'glibc-2.36' }), loader, []) > 0);
  const all = wanted.slice(0, 2);
  const agreed = {
    provider: provider('a-2', 'liba.so.1', { builtWith: 'glibc-2.36' }),
    inside: '/nix/store/a-2/',
  };
  assert.ok(localCost(agreed, loader, all) > localCost(place(), loader, all));
});

test('built with the loader, or with nobody knows what, is not foreign', () => {
  assert.equal(localCost(place({ builtWith: 'glibc-2.41' }), loader, []), 0);
  assert.equal(localCost(place(), loader, []), 0);
});

test('another file of the same store object overrides nothing', () => {
  assert.ok(!overrides(place(), '/nix/store/a-1/lib64/liba.so.1'));
  assert.ok(overrides(place(), '/nix/store/a-10/lib/liba.so.1'));
});

test('a file is known by its path and by its place in the store object', () => {
  const link = {
    ...provider('a-1', 'liba.so.1', { file: 'lib/liba.so.1.2' }),
    path: '/nix/store/a-1/lib/liba.so.1',
  };
  assert.ok(
    sameFile(link, '/nix/store/a-1/lib/liba.so.1') && sameFile(link, '/nix/store/a-1/lib/liba.so.1.2'),
  );
  assert.ok(!sameFile(link, '/nix/store/a-1/lib/liba.so'));
});
