// A home, and file indexes in it → what `nix-foreign index` says of them.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { FROM_SOURCES } from '../from-sources.ts';
import { databaseOf, hashOf, type IndexedPackage, treeOf } from '../rig/file-index.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'nix-run-foreign-index-commands-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
const MANAGER = path.join(import.meta.dirname, 'programs/nix-foreign.ts');

let serial = 0;
/** `run` has nothing but this home, and what it is given. */
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
    run: (words: readonly string[], variables: Readonly<Record<string, string>> = {}) => {
      const env = { HOME: home, PATH: '/usr/bin:/bin', ...variables };
      const { status, stdout, stderr } = spawnSync(
        process.execPath,
        [...FROM_SOURCES, MANAGER, 'index', ...words],
        { encoding: 'utf8', env, timeout: 60_000 },
      );
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
  const { put, run } = openHome();
  const index = put('.cache/nix-index/files', [lib(1, 'want')]);
  const off = { NIX_RUN_FOREIGN_INDEX: 'off' };
  const OFF = 'no file index is asked: index = "off"';
  assert.deepEqual(run(['status'], off), { status: 0, stdout: `${OFF}\n`, stderr: '' });
  assert.equal(run(['build']).status, 0);
  const remedy = 'ask those that are found: index = "auto" in config.toml, or NIX_RUN_FOREIGN_INDEX=auto';
  for (const words of [['build'], ['find', 'libwant.so.1']])
    assert.deepEqual(run(words, off), {
      status: 125,
      stdout: '',
      stderr: `nix-foreign: ${OFF}\n  ${remedy}\n`,
    });
  const [read, ...told] = run(['status'], off).stdout.trimEnd().split('\n');
  assert.ok(read?.startsWith(`${index}: a database of nix-index, read `), read);
  assert.deepEqual(told, [OFF]);
});

test('find shows attributes of packages themselves, and of no other that refers to them', () => {
  const { put, run } = openHome();
  const index = put('index', [
    lib(1, 'want', { attr: 'wantPackage', output: 'lib' }),
    lib(2, 'inner', { attr: 'referrer', output: 'lib', toplevel: false }),
  ]);
  const settings = { NIX_RUN_FOREIGN_INDEX: index };
  const [own, referred] = [hashOf(1), hashOf(2)];
  assert.equal(
    run(['find', 'libwant.so.1'], settings).stdout,
    `/nix/store/${own}-want-1/lib/libwant.so.1  (wantPackage.lib)\n/nix/store/${referred}-inner-1/lib/libwant.so.1\n`,
  );
  const { candidates } = JSON.parse(run(['find', '--json', 'libwant.so.1'], settings).stdout);
  assert.deepEqual(
    candidates.map(({ attribute, output }: Record<string, string>) => [attribute, output]),
    [
      ['wantPackage', 'lib'],
      ['', ''],
    ],
  );
});
