// The table of strategies.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Strategy } from '../../src/plan/plan-format.ts';
import { chooseStrategy, type InterpreterKind, type Situation } from '../../src/plan/strategy.ts';

type Row = readonly [
  kind: InterpreterKind,
  version: readonly number[] | undefined,
  libc: readonly number[] | undefined,
  machine: Situation['machine'],
  wanted: Strategy | undefined,
  strategy: Strategy,
];

const rows: readonly Row[] = [
  ['missing', undefined, [2, 40], 'own', undefined, 'loader'],
  ['stub-ld', undefined, [2, 40], 'own', undefined, 'loader'],
  ['loader', undefined, [2, 40], 'own', undefined, 'loader'],
  ['unknown', undefined, undefined, 'own', undefined, 'loader'],
  ['missing', undefined, [2, 40], 'own', 'nix-ld', 'loader'],
  ['missing', undefined, [2, 40], 'own', 'interpreter', 'loader'],
  ['launcher', undefined, [2, 40], 'own', undefined, 'interpreter'],
  ['launcher', undefined, [2, 40], 'own', 'nix-ld', 'interpreter'],
  ['launcher', undefined, [2, 40], 'own', 'loader', 'loader'],
  ['launcher', undefined, [2, 40], 'other', undefined, 'loader'],
  ['nix-ld', undefined, undefined, 'own', undefined, 'interpreter'],
  ['nix-ld', [1, 2, 3], [2, 42], 'own', undefined, 'interpreter'],
  ['nix-ld', [2, 0, 5], [2, 43], 'own', 'interpreter', 'interpreter'],
  ['nix-ld', [2, 0, 6], [2, 43], 'own', 'loader', 'loader'],
  ['nix-ld', [2, 0, 6], [2, 43], 'other', undefined, 'nix-ld'],
  ['nix-ld', [2, 0, 5], [2, 43], 'other', 'interpreter', 'loader'],
  ['nix-ld', undefined, undefined, 'own', 'nix-ld', 'nix-ld'],
  ['nix-ld', undefined, [2, 43], 'own', 'nix-ld', 'nix-ld'],
  ['nix-ld', [2, 0, 5], undefined, 'own', 'nix-ld', 'nix-ld'],
  ['nix-ld', [2, 0, 5], [2, 41], 'own', 'nix-ld', 'nix-ld'],
  ['nix-ld', [2, 0, 5], [2, 42], 'own', 'nix-ld', 'loader'],
  ['nix-ld', [2, 0, 4], [2, 43], 'own', 'nix-ld', 'loader'],
  ['nix-ld', [1, 2, 3], [2, 42], 'own', 'nix-ld', 'loader'],
  ['nix-ld', [2, 0], [3], 'own', 'nix-ld', 'loader'],
  ['nix-ld', [2, 0, 6], [2, 42], 'own', 'nix-ld', 'nix-ld'],
  ['nix-ld', [2, 1], [2, 43], 'own', 'nix-ld', 'nix-ld'],
  ['nix-ld', [2, 0, 10], [2, 100], 'own', 'nix-ld', 'nix-ld'],
];

for (const [kind, version, libc, machine, wanted, strategy] of rows) {
  const versions = `${version?.join('.') ?? ''} with libc ${libc?.join('.') ?? 'unknown'}`;
  test(`${kind} ${versions}, ${machine} machine, wanted ${wanted ?? 'nothing'}: ${strategy}`, () => {
    const interpreter = { path: '/lib64/ld', kind, realPath: '/x', version };
    const choice = chooseStrategy({ interpreter, libc, machine, wanted });
    assert.equal(choice.strategy, strategy);
    if (wanted !== 'loader') assert.match(choice.why, /\/lib64\/ld/);
    assert.equal(choice.why.includes('/proc/self/exe'), strategy === 'loader', 'the loader is never silent');
    assert.doesNotMatch(choice.why, /undefined/);
  });
}

interface Keeping {
  readonly kind: InterpreterKind;
  readonly wanted?: Strategy;
  readonly readsItself?: string;
  readonly relative?: string;
  readonly byBinfmt?: true;
  readonly isServedAlone?: true;
  /** The ways that work. */
  readonly ways: readonly ('view' | 'namespace' | 'copy')[];
  readonly strategy: Strategy;
}

const both = ['view', 'namespace', 'copy'] as const;
const keepings: readonly Keeping[] = [
  { kind: 'missing', ways: both, strategy: 'loader' },
  { kind: 'stub-ld', readsItself: 'Bun', ways: both, strategy: 'view' },
  { kind: 'missing', readsItself: 'Bun', ways: both, strategy: 'view' },
  { kind: 'missing', relative: '/opt/x/bin/y', ways: both, strategy: 'view' },
  { kind: 'missing', relative: '/opt/x/bin/y', ways: ['copy'], strategy: 'loader' },
  { kind: 'missing', relative: '/opt/x/bin/y', wanted: 'loader', ways: both, strategy: 'loader' },
  { kind: 'stub-ld', relative: '/opt/x/bin/y', byBinfmt: true, ways: both, strategy: 'loader' },
  { kind: 'launcher', relative: '/opt/x/bin/y', ways: both, strategy: 'interpreter' },
  { kind: 'missing', wanted: 'view', ways: both, strategy: 'view' },
  { kind: 'missing', wanted: 'view', ways: ['copy'], strategy: 'patched' },
  { kind: 'nix-ld', wanted: 'view', ways: both, strategy: 'interpreter' },
  { kind: 'loader', wanted: 'view', ways: ['view'], strategy: 'loader' },
  { kind: 'stub-ld', readsItself: 'Bun', ways: ['copy'], strategy: 'patched' },
  { kind: 'stub-ld', readsItself: 'Bun', ways: [], strategy: 'loader' },
  { kind: 'unknown', readsItself: 'Bun', ways: both, strategy: 'patched' },
  { kind: 'loader', readsItself: 'Bun', ways: both, strategy: 'patched' },
  { kind: 'loader', readsItself: 'Bun', ways: ['namespace'], strategy: 'loader' },
  { kind: 'loader', wanted: 'namespace', ways: both, strategy: 'patched' },
  { kind: 'nix-ld', readsItself: 'Bun', ways: both, strategy: 'interpreter' },
  { kind: 'launcher', readsItself: 'Bun', ways: both, strategy: 'interpreter' },
  { kind: 'launcher', wanted: 'patched', ways: both, strategy: 'patched' },
  { kind: 'launcher', wanted: 'view', ways: both, strategy: 'interpreter' },
  { kind: 'launcher', isServedAlone: true, wanted: 'view', ways: both, strategy: 'view' },
  { kind: 'launcher', isServedAlone: true, wanted: 'view', ways: ['copy'], strategy: 'interpreter' },
  { kind: 'launcher', isServedAlone: true, relative: '/opt/x/bin/y', ways: both, strategy: 'interpreter' },
  { kind: 'nix-ld', wanted: 'namespace', ways: both, strategy: 'namespace' },
  { kind: 'missing', wanted: 'namespace', ways: ['copy'], strategy: 'patched' },
  { kind: 'stub-ld', wanted: 'patched', ways: ['namespace'], strategy: 'loader' },
  { kind: 'stub-ld', readsItself: 'Bun', wanted: 'loader', ways: both, strategy: 'loader' },
  { kind: 'stub-ld', byBinfmt: true, ways: both, strategy: 'loader' },
  { kind: 'nix-ld', byBinfmt: true, ways: both, strategy: 'loader' },
  { kind: 'launcher', byBinfmt: true, readsItself: 'Bun', ways: both, strategy: 'patched' },
  { kind: 'stub-ld', byBinfmt: true, wanted: 'namespace', ways: both, strategy: 'loader' },
  { kind: 'stub-ld', byBinfmt: true, wanted: 'patched', ways: both, strategy: 'patched' },
];

for (const { ways, strategy, kind, ...given } of keepings) {
  test(`${kind}, ${JSON.stringify(given)}, possible: ${ways.join(' and ') || 'neither'}: ${strategy}`, () => {
    const whyNo = {
      view: () => (ways.includes('view') ? undefined : 'it is forbidden'),
      namespace: () => (ways.includes('namespace') ? undefined : 'it is forbidden'),
      copy: () => (ways.includes('copy') ? undefined : 'there is no room'),
    };
    const interpreter = { path: '/lib64/ld', kind, realPath: '/x', version: undefined };
    const choice = chooseStrategy({ interpreter, libc: [2, 40], machine: 'own', whyNo, ...given });
    assert.equal(choice.strategy, strategy);
    const tried = given.readsItself !== undefined && strategy === 'loader' && given.wanted === undefined;
    if (tried) assert.match(choice.why, /no view: .*; no patched copy: /);
  });
}

test('no way is tried that is not called for', () => {
  const never = () => assert.fail('it was tried');
  const interpreter = { path: '/lib64/ld', kind: 'stub-ld', realPath: '/x', version: undefined } as const;
  const whyNo = { view: never, namespace: never, copy: never };
  assert.equal(chooseStrategy({ interpreter, libc: [2, 40], machine: 'own', whyNo }).strategy, 'loader');
});

const neededPath = '/opt/gone/lib/libz.so.1';
const can = () => undefined;
for (const [kind, wanted, whyNo, strategy] of [
  ['missing', undefined, {}, 'view'],
  ['missing', 'loader', {}, 'view'],
  ['missing', undefined, { view: () => 'no namespaces' }, 'patched'],
  ['missing', 'patched', {}, 'patched'],
  ['launcher', undefined, {}, 'patched'],
  ['nix-ld', 'nix-ld', {}, 'patched'],
  ['loader', undefined, {}, 'patched'],
] as const)
  test(`what is needed by a path where nothing is, ${kind}, wanted ${wanted ?? 'nothing'}: ${strategy}`, () => {
    const interpreter = { path: '/lib64/ld', kind, realPath: '/x', version: undefined };
    const tried = { view: can, namespace: can, copy: can, ...whyNo };
    const choice = chooseStrategy({
      interpreter,
      libc: [2, 40],
      machine: 'own',
      wanted,
      neededPath,
      whyNo: tried,
    });
    assert.equal(choice.strategy, strategy);
    assert.match(choice.why, /needs \/opt\/gone\/lib\/libz\.so\.1, where nothing is/);
    assert.equal(choice.unserved, undefined);
  });

test('what is needed by a path where nothing is, and no way leads there: it says why', () => {
  const interpreter = { path: '/lib64/ld', kind: 'launcher', realPath: '/x', version: undefined } as const;
  const whyNo = { view: can, namespace: can, copy: () => 'there is no room' };
  const { unserved } = chooseStrategy({ interpreter, libc: [2, 40], machine: 'own', neededPath, whyNo });
  assert.match(
    unserved ?? '',
    /^no view: something sits at \/lib64\/ld already; no patched copy: there is no room$/,
  );
});
