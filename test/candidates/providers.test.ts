// Providers and loaders out of a catalogue of compiled libraries: who qualifies, and who comes first.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { findLoaders } from '../../src/candidates/loaders.ts';
import { providersFrom } from '../../src/candidates/providers.ts';
import { compareRanks, rankOf } from '../../src/candidates/rank.ts';
import { libcOf } from '../../src/program/libc.ts';
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
// As nixpkgs' gcc leads to libgcc.
const linked = `${storeDir}/${objectName('y-1.0')}/lib`;
const behindLink = add('y-lib-1.0', 'lib/liby.so.1', { soname: 'liby.so.1' });
mkdirSync(linked, { recursive: true });
symlinkSync(behindLink, path.join(linked, 'liby.so.1'));
add('needs-y-1.0', 'lib/libn.so.1', { soname: 'libn.so.1', needs: [behindLink], runpath: linked });
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
const providersOf = providersFrom(catalogue, { like: program, libc, libcObjects, prefer: (_, all) => all });
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

test('providers: newest version first, debug files last of it, what another package brings along last of all', () => {
  assert.deepEqual(
    providersOf('libz.so.1').map(({ storePath }) => nameOf(storePath)),
    ['z-1.10', 'z-1.10-debug', 'z-1.2', 'zz-1.99'],
  );
});

test('libraries: a release after what came before it, letters too; the directory only after the version', () => {
  const sorted = (...objects: readonly [string, string][]) =>
    objects
      .map(([object, file]) => rankOf({ storePath: `${storeDir}/${objectName(object)}`, file }))
      .sort(compareRanks)
      .map((rank) => `${rank.at(-2)}/${rank.at(-1)}`.slice(33));
  assert.deepEqual(
    sorted(
      ['ssl-1.1.1k', 'lib/s'],
      ['ssl-1.1.1w', 'lib/s'],
      ['ssl-1.1.1rc2', 'lib/s'],
      ['ssl-1.1.2', 'usr/lib/x86_64-linux-gnu/s'],
      ['app-9', 'lib/app/s'],
      ['tool-8-fhs', 'usr/lib/s'],
    ),
    [
      'ssl-1.1.2/usr/lib/x86_64-linux-gnu/s',
      'ssl-1.1.1w/lib/s',
      'ssl-1.1.1k/lib/s',
      'ssl-1.1.1rc2/lib/s',
      'app-9/lib/app/s',
      'tool-8-fhs/usr/lib/s',
    ],
  );
});

test('ranks compare key by key', () => {
  assert.ok(compareRanks([0, 9], [1, 0]) < 0);
  assert.ok(compareRanks([0, 'b'], [0, 'a']) > 0);
  assert.ok(compareRanks([0], [0, 0]) < 0);
  assert.equal(compareRanks([1, 'x'], [1, 'x']), 0);
});

test('the same array every time, and none for what nobody has', () => {
  assert.equal(providersOf('libz.so.1'), providersOf('libz.so.1'));
  assert.deepEqual(providersOf('libnobody.so'), []);
});

test('a provider knows which libc it was built with, and what it would take itself', () => {
  const [first] = providersOf('libz.so.1');
  assert.equal(first?.builtWith, path.join(storeDir, objectName('glibc-2.36')));
  assert.equal(first?.ownChoice.size, 0);
  const [needing] = providersOf('libn.so.1');
  assert.deepEqual([...(needing?.ownChoice ?? [])], [['liby.so.1', behindLink]], 'where it is catalogued');
});

test('ranks are a total order: whatever the order of the input, the same result', () => {
  const ranks = [...catalogue.librariesOffering('libz.so.1', 64, 62)].map((each) => rankOf(each));
  const sorted = [...ranks].sort(compareRanks);
  assert.deepEqual([...ranks].reverse().sort(compareRanks), sorted);
  for (const rank of ranks) {
    assert.equal(ranks.filter((other) => compareRanks(rank, other) === 0).length, 1);
  }
});
