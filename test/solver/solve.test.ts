// solve(): each rule of the loader once, on the smallest problem that shows it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { solve } from '../../src/solver/solve.ts';
import { formula } from './hard-problem.ts';
import { glibc, type Parts, problem, provider, requirer } from './small-problem.ts';

const old = glibc('2.36', ['GLIBC_2.2.5', 'GLIBC_2.34']);
const recent = glibc('2.41', ['GLIBC_2.2.5', 'GLIBC_2.34', 'GLIBC_2.38']);

/** The chosen files by name, or the kind of outcome that is no solution. */
function chosen(parts: Parts): Record<string, string> | string {
  const result = solve(problem(parts));
  if (result.kind !== 'solution') return result.kind;
  return Object.fromEntries(result.choices.map(({ name, provider }) => [name, provider.storePath.slice(11)]));
}

function reasons(parts: Parts): unknown[] {
  const result = solve(problem(parts));
  assert.equal(result.kind, 'conflict');
  return result.kind === 'conflict' ? [...result.reasons] : [];
}

const program = (versions: Record<string, string[]>) => requirer('/opt/app/program', { versions });

test('the best ranked provider is taken, whatever the order of the list', () => {
  const parts = {
    roots: [program({ 'liba.so.1': [] })],
    loaders: [recent],
    offers: {
      'liba.so.1': [provider('a-1', 'liba.so.1', { rank: [1] }), provider('a-2', 'liba.so.1', { rank: [0] })],
    },
  };
  assert.deepEqual(chosen(parts), { 'liba.so.1': 'a-2' });
});

test('a provider that lacks a version is passed over, one that lacks a weak version is not', () => {
  const offers = {
    'liba.so.1': [
      provider('a-1', 'liba.so.1', { defines: ['A_1'] }),
      provider('a-2', 'liba.so.1', { defines: ['A_1', 'A_2'] }),
    ],
  };
  assert.deepEqual(chosen({ roots: [program({ 'liba.so.1': ['A_2'] })], loaders: [old], offers }), {
    'liba.so.1': 'a-2',
  });
  assert.deepEqual(chosen({ roots: [program({ 'liba.so.1': ['~A_2'] })], loaders: [old], offers }), {
    'liba.so.1': 'a-1',
  });
});

test('the diamond: the one file for a name satisfies both sides', () => {
  const crypto = (object: string, defines: string[]) => provider(object, 'libcrypto.so.3', { defines });
  const parts = {
    roots: [program({ 'libcurl.so.4': [], 'libssh.so.1': [] })],
    loaders: [recent],
    offers: {
      'libcurl.so.4': [provider('curl', 'libcurl.so.4', { versions: { 'libcrypto.so.3': ['O_3.0'] } })],
      'libssh.so.1': [provider('ssh', 'libssh.so.1', { versions: { 'libcrypto.so.3': ['O_3.2'] } })],
      'libcrypto.so.3': [crypto('openssl-3.0', ['O_3.0']), crypto('openssl-3.2', ['O_3.0', 'O_3.2'])],
    },
  };
  assert.equal((chosen(parts) as Record<string, string>)['libcrypto.so.3'], 'openssl-3.2');
});

test('a provider deep down changes the choice of the loader', () => {
  const parts = {
    roots: [program({ 'liba.so.1': [], 'libc.so.6': ['GLIBC_2.2.5'] })],
    loaders: [old, recent],
    offers: { 'liba.so.1': [provider('a', 'liba.so.1', { versions: { 'libc.so.6': ['GLIBC_2.38'] } })] },
  };
  const result = solve(problem(parts));
  assert.equal(result.kind === 'solution' && result.loader, recent);
  assert.deepEqual(result.kind === 'solution' && result.familyNames, ['libc.so.6']);
});

test('no provider: the name and everybody who needs it', () => {
  const roots = [program({ 'liba.so.1': [] }), requirer('/opt/app/plugin.so', { needed: ['liba.so.1'] })];
  assert.deepEqual(reasons({ roots: roots.slice(0, 1), loaders: [old] }), [
    { kind: 'no-provider', name: 'liba.so.1', neededBy: ['program'] },
  ]);
});

test('no loader at all', () => {
  assert.deepEqual(reasons({ roots: [program({})], loaders: [] }), [{ kind: 'no-loader' }]);
});

test('names that only passed-over providers need are never asked for', () => {
  const parts = problem({
    roots: [program({ 'liba.so.1': [] })],
    loaders: [old],
    offers: {
      'liba.so.1': [
        provider('a-1', 'liba.so.1', { needed: ['libb.so.1'] }),
        provider('a-2', 'liba.so.1', { needed: ['libz.so.1'] }),
      ],
      'libb.so.1': [provider('b-1', 'libb.so.1')],
    },
  });
  assert.equal(solve(parts).kind, 'solution');
  assert.deepEqual(parts.asked, ['liba.so.1', 'libb.so.1']);
});

test('GLIBC_PRIVATE is served to what lies in the same glibc or was built with it, to nothing else', () => {
  const parts = (builtWith?: string): Parts => ({
    roots: [program({ 'libnss_x.so.2': [] })],
    loaders: [recent, old],
    offers: {
      'libnss_x.so.2': [
        provider('nss', 'libnss_x.so.2', {
          versions: { 'libc.so.6': ['GLIBC_PRIVATE'] },
          ...(builtWith ? { builtWith } : {}),
        }),
      ],
    },
  });
  const built = solve(problem(parts('glibc-2.36')));
  assert.equal(built.kind === 'solution' && built.loader, old);
  assert.deepEqual(
    reasons(parts()).map((reason) => (reason as { kind: string }).kind),
    ['private-version', 'private-version'],
  );
});

test('a family library that a glibc does not have makes that glibc impossible', () => {
  const withMath = glibc('2.31', ['GLIBC_2.2.5'], ['libm.so.6']);
  const roots = [program({ 'libm.so.6': [] })];
  const result = solve(problem({ roots, loaders: [recent, withMath] }));
  assert.equal(result.kind === 'solution' && result.loader, withMath);
  assert.deepEqual(reasons({ roots, loaders: [recent] }), [
    { kind: 'family-missing', name: 'libm.so.6', neededBy: 'program', loader: recent.path },
  ]);
});

test('versions needed of a file without a version table: glibc 2.40 aborts, 2.41 does not', () => {
  const parts = (version: string): Parts => ({
    roots: [program({ 'liba.so.1': ['A_1'] })],
    loaders: [glibc(version, [])],
    offers: { 'liba.so.1': [provider('a', 'liba.so.1', { hasVersym: false })] },
  });
  assert.equal(chosen(parts('2.40')), 'conflict');
  assert.deepEqual(chosen(parts('2.41')), { 'liba.so.1': 'a' });
});

test('a bundled library serves its name, and its lack of a version is a conflict', () => {
  const bundled = { 'libstdc++.so.6': provider('app', 'libstdc++.so.6', { defines: ['GLIBCXX_3.4'] }) };
  const store = { 'libstdc++.so.6': [provider('gcc', 'libstdc++.so.6', { defines: ['GLIBCXX_3.4.30'] })] };
  const parts = (version: string) => ({
    roots: [program({ 'libstdc++.so.6': [version] })],
    loaders: [old],
    bundled,
    offers: store,
  });
  assert.deepEqual(chosen(parts('GLIBCXX_3.4')), {});
  assert.equal(chosen(parts('GLIBCXX_3.4.30')), 'conflict');
});

test('a name and the soname of the file that serves it are not served by two files', () => {
  const parts = {
    roots: [program({ 'libn.so.5': [], 'libn.so.6': [] })],
    loaders: [old],
    offers: {
      'libn.so.5': [provider('compat', 'libn.so.5', { soname: 'libn.so.6' }), provider('n-5', 'libn.so.5')],
      'libn.so.6': [provider('n-6', 'libn.so.6')],
    },
  };
  assert.deepEqual(chosen(parts), { 'libn.so.5': 'n-5', 'libn.so.6': 'n-6' });
});

test('two names of one file are fine', () => {
  const file = { file: 'lib/libn.so.6.4', soname: 'libn.so.6' };
  const parts = {
    roots: [program({ 'libn.so.5': [], 'libn.so.6': [] })],
    loaders: [old],
    offers: {
      'libn.so.5': [provider('n', 'libn.so.5', file)],
      'libn.so.6': [provider('n', 'libn.so.6', file)],
    },
  };
  assert.deepEqual(chosen(parts), { 'libn.so.5': 'n', 'libn.so.6': 'n' });
});

test('pins and exclusions are kept, also for the libc family, and named in a conflict', () => {
  const offers = { 'liba.so.1': [provider('a-1', 'liba.so.1'), provider('a-2', 'liba.so.1')] };
  const parts = { roots: [program({ 'liba.so.1': [], 'libc.so.6': [] })], loaders: [recent, old], offers };
  const pinned = '/nix/store/a-2/lib/liba.so.1';
  assert.deepEqual(chosen({ ...parts, pins: { 'liba.so.1': pinned } }), { 'liba.so.1': 'a-2' });
  assert.deepEqual(chosen({ ...parts, excluded: ['/nix/store/a-1'] }), { 'liba.so.1': 'a-2' });
  const libc = solve(problem({ ...parts, pins: { 'libc.so.6': `${old.storePath}/lib/libc.so.6` } }));
  assert.equal(libc.kind === 'solution' && libc.loader, old);
  assert.deepEqual(reasons({ ...parts, pins: { 'liba.so.1': pinned }, excluded: ['/nix/store/a-2'] }), [
    { kind: 'excluded', name: 'liba.so.1', paths: [pinned] },
    { kind: 'pinned', name: 'liba.so.1', path: pinned },
  ]);
});

test('needs of several objects are told apart, sorted, and family names listed', () => {
  const result = solve(
    problem({
      roots: [program({ 'libb.so.1': [], 'liba.so.1': [] })],
      loaders: [old],
      offers: {
        'liba.so.1': [provider('a', 'liba.so.1', { versions: { 'libc.so.6': [] } })],
        'libb.so.1': [provider('b', 'libb.so.1', { needed: ['liba.so.1'] })],
      },
    }),
  );
  assert.equal(result.kind, 'solution');
  if (result.kind !== 'solution') return;
  assert.deepEqual(
    result.choices.map(({ name, neededBy }) => [name, neededBy]),
    [
      ['liba.so.1', ['libb.so.1', 'program']],
      ['libb.so.1', ['program']],
    ],
  );
  assert.deepEqual(result.familyNames, ['libc.so.6']);
});

test('the glibc most of the set was built with is preferred to a newer one', () => {
  const parts = {
    roots: [program({ 'liba.so.1': [], 'libb.so.1': [] })],
    loaders: [recent, old],
    offers: {
      'liba.so.1': [provider('a', 'liba.so.1', { builtWith: 'glibc-2.36' })],
      'libb.so.1': [provider('b', 'libb.so.1', { builtWith: 'glibc-2.36' })],
    },
  };
  const result = solve(problem(parts));
  assert.equal(result.kind === 'solution' && result.loader, old);
});

test('out of steps is an outcome of its own', () => {
  assert.equal(solve(formula(20, 85, 1), { steps: 100, improveSteps: 0 }).kind, 'undecided');
});
