// Sentences from conflicts that solve() finds.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explainConflict } from '../../src/solver/explain-conflict.ts';
import { solve } from '../../src/solver/solve.ts';
import { glibc, type Parts, problem, provider, requirer } from './small-problem.ts';

const hash = '0123456789abcdfghijklmnpqrsvwxyz';
const libc = glibc('2.36', ['GLIBC_2.2.5', 'GLIBC_2.36']);
const ruby = (versions: Record<string, string[]>) => [requirer('/opt/bin/ruby', { versions })];

function sentences(parts: Partial<Parts>): string[] {
  const result = solve(problem({ roots: [], loaders: [libc], ...parts }));
  assert.equal(result.kind, 'conflict');
  return result.kind === 'conflict' ? explainConflict(result) : [];
}

const crypto = (object: string, ...defines: string[]) =>
  provider(`${hash}-${object}`, 'libcrypto.so.3', { defines });

test('no version high enough: what there is, and how far it goes', () => {
  const offers = { 'libcrypto.so.3': [crypto('openssl-3.0.20', 'OPENSSL_3.0.0', 'OPENSSL_3.0.9')] };
  assert.deepEqual(sentences({ roots: ruby({ 'libcrypto.so.3': ['OPENSSL_3.2.0'] }), offers }), [
    'ruby needs libcrypto.so.3 (OPENSSL_3.2.0); the store has libcrypto.so.3 only from openssl-3.0.20, which defines up to OPENSSL_3.0.9',
  ]);
});

test('several files that lack the same make one sentence', () => {
  const offers = {
    'libcrypto.so.3': [crypto('openssl-3.0.9', 'OPENSSL_3.0.9'), crypto('openssl-3.1.0', 'OPENSSL_3.1.0')],
  };
  assert.deepEqual(sentences({ roots: ruby({ 'libcrypto.so.3': ['OPENSSL_3.2.0'] }), offers }), [
    'ruby needs libcrypto.so.3 (OPENSSL_3.2.0); the store has libcrypto.so.3 only from openssl-3.0.9 and openssl-3.1.0, which define up to OPENSSL_3.1.0',
  ]);
});

test('a diamond: both sides are told', () => {
  const offers = {
    'libcurl.so.4': [
      provider(`${hash}-curl`, 'libcurl.so.4', { versions: { 'libcrypto.so.3': ['OPENSSL_A'] } }),
    ],
    'libcrypto.so.3': [crypto('one', 'OPENSSL_A'), crypto('two', 'OPENSSL_B')],
  };
  assert.deepEqual(
    sentences({ roots: ruby({ 'libcurl.so.4': [], 'libcrypto.so.3': ['OPENSSL_B'] }), offers }),
    [
      'libcurl.so.4 needs libcrypto.so.3 (OPENSSL_A); libcrypto.so.3 from two does not define it',
      'ruby needs libcrypto.so.3 (OPENSSL_B); libcrypto.so.3 from one does not define it',
    ],
  );
});

test('every other kind of reason has its sentence', () => {
  assert.deepEqual(sentences({ loaders: [] }), ['the store has no dynamic loader for this kind of program']);
  assert.deepEqual(sentences({ roots: ruby({ 'liba.so': [] }) }), [
    'ruby needs liba.so; the store has no library of that name',
  ]);
  assert.deepEqual(sentences({ roots: ruby({ 'libm.so.6': [] }) }), [
    'ruby needs libm.so.6; it is not beside the loader /nix/store/glibc-2.36/lib/ld-linux-x86-64.so.2',
  ]);
  assert.deepEqual(sentences({ roots: ruby({ 'libc.so.6': ['GLIBC_PRIVATE'] }) }), [
    'ruby needs libc.so.6 (GLIBC_PRIVATE) of the libc it was built with, which is not glibc-2.36',
  ]);
  const bare = { 'liba.so': [provider('a', 'liba.so', { hasVersym: false })] };
  assert.deepEqual(sentences({ roots: ruby({ 'liba.so': ['A'] }), offers: bare }), [
    'ruby needs versions of liba.so; a has none, and the loader /nix/store/glibc-2.36/lib/ld-linux-x86-64.so.2 would abort',
  ]);
  const bundled = { 'liba.so': provider('app', 'liba.so', { defines: ['A_1'] }) };
  const own = sentences({ roots: ruby({ 'liba.so': ['A_2'] }), bundled })[0];
  assert.match(
    own ?? '',
    /^ruby needs liba\.so \(A_2\); the program brings its own, .*, which defines up to A_1$/,
  );
});

test('wishes that cannot be met are named', () => {
  const offers = { 'liba.so': [provider('a', 'liba.so'), provider('b', 'liba.so')] };
  const pins = { 'liba.so': '/nix/store/a/lib/liba.so' };
  assert.deepEqual(sentences({ roots: ruby({ 'liba.so': [] }), offers, pins, excluded: ['/nix/store/a'] }), [
    '/nix/store/a/lib/liba.so is excluded by choice',
    'liba.so is pinned to /nix/store/a/lib/liba.so',
  ]);
});

test('a pin of the libc that no loader has: it is said that the family comes as a whole', () => {
  const file = '/nix/store/false/lib/libc.so.6';
  const [sentence] = sentences({ roots: ruby({ 'libc.so.6': [] }), pins: { 'libc.so.6': file } });
  assert.equal(
    sentence,
    `libc.so.6 is pinned to ${file}, and the whole libc family comes from the one glibc of the loader`,
  );
});

test('a file that calls itself by a name that another serves', () => {
  const offers = {
    'liba.so': [provider('a', 'liba.so', { soname: 'libb.so' })],
    'libb.so': [provider('b', 'libb.so')],
  };
  assert.deepEqual(sentences({ roots: ruby({ 'liba.so': [], 'libb.so': [] }), offers }), [
    '/nix/store/a/lib/liba.so, which would serve liba.so, calls itself libb.so, as does /nix/store/b/lib/libb.so',
  ]);
});
