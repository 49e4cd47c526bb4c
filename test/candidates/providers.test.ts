// Providers and loaders out of a catalogue of compiled libraries: who qualifies, and who comes first.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { libcOf } from '../../src/candidates/libc.ts';
import { findLoaders } from '../../src/candidates/loaders.ts';
import { providersFrom } from '../../src/candidates/providers.ts';
import { compareRanks, rankOf, versionOfName } from '../../src/candidates/rank.ts';
import { compileProgram, objectName } from '../store/compiled-library.ts';
import { elfOf, openCompiledStore } from './compiled-store.ts';

const store = openCompiledStore();
const { scratch, storeDir, add } = store;

const glibc = 'int gnu_get_libc_version(void) { return 0; }';
const versions = (...names: string[]): string => names.map((name) => `${name} {};`).join('\n');

for (const [object, names] of [
  ['glibc-2.36', ['GLIBC_2.2.5', 'GLIBC_2.36', 'GLIBC_PRIVATE', 'GLIBC_ABI_DT_RELR']],
  ['glibc-2.9', ['GLIBC_2.2.5', 'GLIBC_2.9']],
  ['glibc-2.41-debug', ['GLIBC_2.2.5', 'GLIBC_2.41']],
] as const) {
  add(object, 'lib/ld-linux-x86-64.so.2', { soname: 'ld-linux-x86-64.so.2' });
  add(object, 'lib/libc.so.6', { soname: 'libc.so.6', source: glibc, versions: versions(...names) });
  add(object, 'lib/libm.so.6', { soname: 'libm.so.6' });
  add(object, 'lib/libgcc_s.so.1', { soname: 'libgcc_s.so.1' });
  add(object, 'lib/audit/libm.so.6', { soname: 'libm.so.6' });
}
// A loader without its libc is no libc.
add('stub-1.0', 'lib/ld-linux-x86-64.so.2', { soname: 'ld-linux-x86-64.so.2' });

for (const object of ['z-1.2', 'z-1.10', 'z-1.10-debug', 'zz-1.99']) {
  const file = object.startsWith('zz') ? 'lib/private/deep/libz.so.1' : 'lib/libz.so.1';
  add(object, file, { soname: 'libz.so.1', runpath: `${storeDir}/${objectName('glibc-2.36')}/lib` });
}
add('hw-9.0', 'lib/glibc-hwcaps/x86-64-v4/libz.so.1', { soname: 'libz.so.1' });
const muslLibc = add('musl-1.2', 'lib/libc.so', { soname: 'libc.so' });
add('for-musl-1.0', 'lib/libz.so.1', { soname: 'libz.so.1', needs: [muslLibc] });
const osAbi = add('bsd-1.0', 'lib/libz.so.1', { soname: 'libz.so.1' });
const bytes = readFileSync(osAbi);
bytes[7] = 9; // FreeBSD
writeFileSync(osAbi, bytes);

const program = elfOf(compileProgram(path.join(scratch, 'program')));
const libc = libcOf(program, 'glibc');
const catalogue = store.catalogue();
const loaders = findLoaders(catalogue, program, libc);
const libcObjects = new Set(loaders.map(({ storePath }) => storePath));
const providersOf = providersFrom(catalogue, program, libc, libcObjects, (_, all) => all);
const nameOf = (storePath: string): string => path.basename(storePath).slice(33);

test('loaders: newest first by value, packages for others before the rest, none without a libc', () => {
  assert.deepEqual(
    loaders.map(({ storePath }) => nameOf(storePath)),
    ['glibc-2.36', 'glibc-2.9', 'glibc-2.41-debug'],
  );
  assert.deepEqual(
    loaders.map(({ version }) => version),
    [
      [2, 36],
      [2, 9],
      [2, 41],
    ],
  );
});

test("a loader's family is what lies beside it, and only libc's own", () => {
  const [first] = loaders;
  assert.deepEqual([...(first?.family.keys() ?? [])].sort(), [
    'ld-linux-x86-64.so.2',
    'libc.so.6',
    'libm.so.6',
  ]);
  assert.equal(first?.family.get('libm.so.6')?.file, 'lib/libm.so.6');
});

test('providers: newest version first, by value; debug and deep ones last', () => {
  assert.deepEqual(
    providersOf('libz.so.1').map(({ storePath }) => nameOf(storePath)),
    ['z-1.10', 'z-1.2', 'zz-1.99', 'z-1.10-debug'],
  );
});

test('the same array every time, and none for what nobody has', () => {
  assert.equal(providersOf('libz.so.1'), providersOf('libz.so.1'));
  assert.deepEqual(providersOf('libnobody.so'), []);
});

test('a provider knows which libc it was built with, and what it would take itself', () => {
  const [first] = providersOf('libz.so.1');
  assert.equal(first?.builtWith, path.join(storeDir, objectName('glibc-2.36')));
  assert.equal(first?.ownChoice.size, 0);
});

test('versions in names', () => {
  const cases: Record<string, readonly number[]> = {
    'openssl-3.0.11': [3, 0, 11],
    'z-1.10-debug': [1, 10],
    'gcc-13.2.0-lib': [13, 2, 0],
    'name-without': [],
    'lib2to3-1.0rc2': [1, 0, 2],
    'x-20240101': [20240101],
    'bz2-1.0-1.0.8-5+b1': [1, 0, 1, 0, 8, 5, 1],
    'x-0-unstable-2024-05-01': [0, 2024, 5, 1],
    'x-1.2-lib32': [1, 2],
  };
  for (const [name, version] of Object.entries(cases)) assert.deepEqual(versionOfName(name), version, name);
});

test('ranks are a total order: whatever the order of the input, the same result', () => {
  const ranks = [...catalogue.librariesOffering('libz.so.1', 64, 62)].map((each) => rankOf(each));
  const sorted = [...ranks].sort(compareRanks);
  assert.deepEqual([...ranks].reverse().sort(compareRanks), sorted);
  for (const rank of ranks) {
    assert.equal(ranks.filter((other) => compareRanks(rank, other) === 0).length, 1);
  }
});
