// The table of strategies.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { InterpreterKind } from '../../src/launch/interpreter.ts';
import { chooseStrategy } from '../../src/launch/strategy.ts';

type Row = readonly [
  kind: InterpreterKind,
  version: readonly number[] | undefined,
  libc: readonly number[] | undefined,
  strategy: 'nix-ld' | 'loader',
];

const rows: readonly Row[] = [
  ['missing', undefined, [2, 40], 'loader'],
  ['stub-ld', undefined, [2, 40], 'loader'],
  ['loader', undefined, [2, 40], 'loader'],
  ['unknown', undefined, undefined, 'loader'],
  ['nix-ld', undefined, undefined, 'nix-ld'],
  ['nix-ld', undefined, [2, 43], 'nix-ld'],
  ['nix-ld', [2, 0, 5], undefined, 'nix-ld'],
  ['nix-ld', [2, 0, 5], [2, 41], 'nix-ld'],
  ['nix-ld', [2, 0, 5], [2, 42], 'loader'],
  ['nix-ld', [2, 0, 4], [2, 43], 'loader'],
  ['nix-ld', [1, 2, 3], [2, 42], 'loader'],
  ['nix-ld', [2, 0], [3], 'loader'],
  ['nix-ld', [2, 0, 6], [2, 42], 'nix-ld'],
  ['nix-ld', [2, 1], [2, 43], 'nix-ld'],
  ['nix-ld', [2, 0, 10], [2, 100], 'nix-ld'],
];

for (const [kind, version, libc, strategy] of rows) {
  test(`${kind} ${version?.join('.') ?? ''} with libc ${libc?.join('.') ?? 'unknown'}: ${strategy}`, () => {
    const choice = chooseStrategy({ path: '/lib64/ld', kind, realPath: '/x', version }, libc);
    assert.equal(choice.strategy, strategy);
    assert.match(choice.why, /\/lib64\/ld/);
    assert.equal(choice.why.includes('/proc/self/exe'), strategy === 'loader', 'the loader is never silent');
    assert.doesNotMatch(choice.why, /undefined/);
  });
}
