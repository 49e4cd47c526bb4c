// Loaders that serve a program → the one with which most of what it may open fits; never one that is worse for it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withBestLoader } from '../../src/solver/loader-for-optional.ts';
import { solve } from '../../src/solver/solve.ts';
import { glibc, problem, provider, requirer } from './small-problem.ts';

const [newer, older] = [
  glibc('2.41', ['GLIBC_2.0', 'GLIBC_2.41']),
  glibc('2.36', ['GLIBC_2.0', 'GLIBC_OLD']),
];
const needsOld = provider('old-1', 'libold.so.1', { versions: { 'libc.so.6': ['GLIBC_OLD'] } });
const needsNew = provider('new-1', 'libnew.so.1', { versions: { 'libc.so.6': ['GLIBC_2.41'] } });
const need = (name: string) => ({ alternatives: [[requirer(`dlopen:${name}`, { needed: [name] })]] });

function served(builtWith: string | undefined, names: readonly string[]) {
  const z = provider('z-1', 'libz.so.1', builtWith === undefined ? {} : { builtWith });
  const stated = problem({
    roots: [requirer('/app/tool', { needed: ['libz.so.1', 'libc.so.6'] })],
    offers: { 'libz.so.1': [z], 'libold.so.1': [needsOld], 'libnew.so.1': [needsNew] },
    loaders: [newer, older],
  });
  const outcome = solve(stated);
  assert.ok(outcome.kind === 'solution');
  assert.equal(outcome.loader, newer);
  const { solution, extended } = withBestLoader(stated, outcome, names.map(need));
  return [solution.loader.storePath.slice('/nix/store/'.length), extended.added.map(({ name }) => name)];
}

test('of two that serve equally the one that serves more', () => {
  assert.deepEqual(served(undefined, ['libold.so.1']), ['glibc-2.36', ['libold.so.1']]);
});

test('where each serves as much the best one stays', () => {
  assert.deepEqual(served(undefined, ['libold.so.1', 'libnew.so.1']), ['glibc-2.41', ['libnew.so.1']]);
  assert.deepEqual(served(undefined, ['libgone.so.1']), ['glibc-2.41', []]);
});

test('never one for which a required library was not built', () => {
  assert.deepEqual(served('glibc-2.41', ['libold.so.1']), ['glibc-2.41', []]);
});
