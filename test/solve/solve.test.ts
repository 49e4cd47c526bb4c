// solve(): each rule of the loader once, on the smallest problem that shows it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { solve } from '../../src/solve/solve.ts';
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
