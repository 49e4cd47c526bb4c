// Names that the loader refused → nobody offers them any more, whoever needs them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Problem, Provider } from '../../src/candidates/problem.ts';
import { withoutNames } from '../../src/resolve/optional-libraries.ts';

const provider = { path: '/nix/store/a/lib/libz.so.1' } as Provider;
const problem = { providersOf: () => [provider] } as unknown as Problem;

test('a refused name has no provider, the others have theirs', () => {
  const without = withoutNames(problem, new Set(['libz.so.1']));
  assert.deepEqual(without.providersOf('libz.so.1'), []);
  assert.deepEqual(without.providersOf('libbz2.so.1'), [provider]);
});

test('without refused names the problem is the same', () => {
  assert.equal(withoutNames(problem, new Set()), problem);
});
