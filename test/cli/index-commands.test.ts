// A home, and file indexes in it → what `nix-foreign index` and `nix-foreign package` say of them.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import { OTHER, putForeignLibrary, putForeignProgram } from '../elf/foreign-program.ts';
import { FROM_SOURCES } from '../from-sources.ts';
import { databaseOf, hashOf, type IndexedPackage, treeOf } from '../rig/file-index.ts';
import { openPrivateStore } from '../store/private-store.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'nix-run-foreign-index-commands-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
const MANAGER = path.join(import.meta.dirname, 'programs/nix-foreign.ts');

let serial = 0;
/** `manage` has nothing but this home, and what it is given. */
function openHome() {
  serial += 1;
  const home = path.join(scratch, String(serial));
  mkdirSync(home);
  return {
    put: (name: string, packages: readonly IndexedPackage[]): string => {
      const file = path.join(home, name);
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, databaseOf(packages));
      return file;
    },
    home,
    manage: (words: readonly string[], variables: Readonly<Record<string, string>> = {}) => {
      const env = { HOME: home, PATH: '/usr/bin:/bin', ...variables };
      const options = { encoding: 'utf8', env, timeout: 60_000 } as const;
      const command = [...FROM_SOURCES, MANAGER, ...words];
      const { status, stdout, stderr } = spawnSync(process.execPath, command, options);
      return { status, stdout, stderr };
    },
  };
}

const lib = (number: number, name: string, more: Partial<IndexedPackage> = {}): IndexedPackage => ({
  hash: hashOf(number),
  name: `${name}-1`,
  tree: treeOf({ 'lib/libwant.so.1': 9000 }),
  ...more,
});

test('where indexes are off, each command says so, and what was read stays', () => {
  const { put, manage } = openHome();
  const index = put('.cache/nix-index/files', [lib(1, 'want')]);
  const off = { NIX_RUN_FOREIGN_INDEX: 'off' };
  const OFF = 'no file index is asked: index = "off"';
  assert.deepEqual(manage(['index', 'status'], off), { status: 0, stdout: `${OFF}\n`, stderr: '' });
  assert.equal(manage(['index', 'build']).status, 0);
  const remedy = 'ask those that are found: index = "auto" in config.toml, or NIX_RUN_FOREIGN_INDEX=auto';
  for (const words of [['build'], ['find', 'libwant.so.1']])
    assert.deepEqual(manage(['index', ...words], off), {
      status: 125,
      stdout: '',
      stderr: `nix-foreign: ${OFF}\n  ${remedy}\n`,
    });
  const [read, ...told] = manage(['index', 'status'], off).stdout.trimEnd().split('\n');
  assert.ok(read?.startsWith(`${index}: a database of nix-index, read `), read);
  assert.deepEqual(told, [OFF]);
});

test('where indexes are off, what is read of a cache or exported all the same says so', () => {
  const { put, manage, home } = openHome();
  put('.cache/nix-index/files', [lib(1, 'want')]);
  const off = { NIX_RUN_FOREIGN_INDEX: 'off' };
  const told =
    /^nix-foreign: no file index is asked: index = "off"; ask those that are found: index = "auto" /;
  assert.equal(manage(['index', 'build']).status, 0);
  const exported = manage(['index', 'export', path.join(home, 'exported')], off);
  assert.equal(exported.status, 0, exported.stderr);
  assert.match(exported.stderr, told);
  assert.match(manage(['index', 'build', '--from', path.join(home, 'no-cache')], off).stderr, told);
  assert.equal(manage(['index', 'export', path.join(home, 'exported')]).stderr, '');
});

test('what only another environment named is not exported', () => {
  const { put, manage, home } = openHome();
  put('.cache/nix-index/files', [lib(1, 'want')]);
  const another = { NIX_INDEX_DATABASE: path.dirname(put('another/files', [lib(2, 'wanted-elsewhere')])) };
  assert.equal(manage(['index', 'build']).status, 0);
  const sizeIn = (variables: Readonly<Record<string, string>>) => {
    const file = path.join(home, 'exported');
    const { status, stdout, stderr } = manage(['index', 'export', '--json', file], variables);
    assert.equal(status, 0, stderr);
    return JSON.parse(stdout).bytes as number;
  };
  const alone = sizeIn({});
  assert.equal(manage(['index', 'build'], another).status, 0);
  assert.equal(manage(['index', 'status']).stdout.match(/read \d/g)?.length, 2, 'both are kept');
  assert.equal(sizeIn({}), alone);
});

test('find shows attributes of packages themselves, and of no other that refers to them', () => {
  const { put, manage } = openHome();
  const index = put('index', [
    lib(1, 'want', { attr: 'wantPackage', output: 'lib' }),
    lib(2, 'inner', { attr: 'referrer', output: 'lib', toplevel: false }),
  ]);
  const settings = { NIX_RUN_FOREIGN_INDEX: index };
  const [own, referred] = [hashOf(1), hashOf(2)];
  assert.equal(
    manage(['index', 'find', 'libwant.so.1'], settings).stdout,
    `/nix/store/${own}-want-1/lib/libwant.so.1  (wantPackage.lib)\n/nix/store/${referred}-inner-1/lib/libwant.so.1\n`,
  );
  const { candidates } = JSON.parse(manage(['index', 'find', '--json', 'libwant.so.1'], settings).stdout);
  assert.deepEqual(
    candidates.map(({ attribute, output }: Record<string, string>) => [attribute, output]),
    [
      ['wantPackage', 'lib'],
      ['', ''],
    ],
  );
});

test('package takes what nixpkgs has of a version from an index, and names nothing that it has not', () => {
  const { put, manage, home } = openHome();
  const storeDir = path.join(home, 'store');
  mkdirSync(storeDir);
  const tree = treeOf({ 'lib/libicuuc.so.66': 9000, 'lib/libz.so.1': 9000 });
  const index = put('index', [{ hash: hashOf(1), name: 'icu4c-66.1', attr: 'icu66', storeDir, tree }]);
  const names = ['libz.so.1', 'libicuuc.so.66', 'libssl.so.1.1', 'libQt5Core.so.5'];
  const { path: program } = putForeignProgram(path.join(home, 'tool'), names);
  const made = (NIX_RUN_FOREIGN_INDEX: string) => {
    const variables = { NIX_RUN_FOREIGN_INDEX, NIX_STORE_DIR: storeDir };
    const { status, stdout, stderr } = manage(['package', '--json', program], variables);
    assert.equal(status, 0, stderr);
    const { known, unknown } = JSON.parse(stdout).needed;
    assert.ok(unknown.includes('libssl.so.1.1'), unknown.join(' '));
    return known;
  };
  assert.deepEqual(made(index), ['icu66', 'libsForQt5.qtbase.out', 'zlib']);
  assert.deepEqual(made('off'), ['icu', 'libsForQt5.qtbase.out', 'zlib']);
});

test('package takes the package of a library that the store has had for long, and that serves', () => {
  const { put, manage, home } = openHome();
  const { location, add } = openPrivateStore(path.join(home, 'nix'));
  const libc = [path.basename(OTHER.interpreter), 'libc.so.6'];
  for (const [object, sonames] of [
    ['glibc-2.40', libc],
    ['served-1', ['libserved.so.1']],
  ] as const)
    for (const soname of sonames) putForeignLibrary(path.join(home, object, 'lib', soname), { soname });
  add(path.join(home, 'glibc-2.40'));
  const served = path.basename(add(path.join(home, 'served-1')));
  const database = new DatabaseSync(path.join(location.stateDir, 'db/db.sqlite'));
  database.exec('update ValidPaths set registrationTime = 1');
  database.close();
  const { storeDir } = location;
  const tree = treeOf({ 'lib/libserved.so.1': 9000 });
  const NIX_RUN_FOREIGN_INDEX = put('index', [
    { hash: served.slice(0, 32), name: served.slice(33), attr: 'served', storeDir, tree },
    { hash: hashOf(1), name: 'another-1', attr: 'another', storeDir, tree },
  ]);
  const { path: program } = putForeignProgram(path.join(home, 'tool'), ['libserved.so.1']);
  const variables = { NIX_RUN_FOREIGN_INDEX, NIX_STORE_DIR: storeDir, NIX_STATE_DIR: location.stateDir };
  const { status, stdout, stderr } = manage(['package', '--json', program], variables);
  assert.equal(status, 0, stderr);
  assert.deepEqual(JSON.parse(stdout).needed, { known: ['served'], unknown: [] });
});
