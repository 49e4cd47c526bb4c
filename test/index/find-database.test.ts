// Settings, variables, caches, wrappers and stores → the index that is found.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { ageInDays, findDatabase, type Search } from '../../src/index/find-database.ts';
import { readIndexes } from '../../src/index/manage-indexes.ts';
import { databaseOf, hashOf, packageBytes, treeOf, versionOne, zstdFrame } from '../rig/file-index.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'nix-run-foreign-find-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
const lib = { hash: hashOf(1), name: 'foo-1', tree: treeOf({ 'lib/libfoo.so.1': 9000, 'bin/foo': 9000 }) };
const index = databaseOf([lib]);
const small = versionOne(zstdFrame(packageBytes(lib, '/bin/')));

let serial = 0;
function world() {
  serial += 1;
  const at = (...parts: string[]) => path.join(scratch, String(serial), ...parts);
  const put = (file: string, bytes: string | Uint8Array, mode = 0o644) => {
    mkdirSync(path.dirname(at(file)), { recursive: true });
    writeFileSync(at(file), bytes, { mode });
    return at(file);
  };
  mkdirSync(at('store'), { recursive: true });
  const search: Search = {
    setting: 'auto',
    env: { HOME: at('home'), PATH: at('bin') },
    storeDir: at('store'),
  };
  return { at, put, search };
}

const inStore = (number: number, name: string) => `store/${hashOf(number)}-${name}`;

test('nothing anywhere', () => {
  const { search } = world();
  assert.deepEqual(findDatabase(search), { found: [], useless: [] });
  assert.deepEqual(findDatabase({ ...search, env: {} }), { found: [], useless: [] });
});

test('every place in its turn', () => {
  const { at, put, search } = world();
  const store = put(`${inStore(1, 'nix-index-database-2026')}/files`, index);
  const found = (env: Search['env'] = search.env) =>
    findDatabase({ ...search, env }).found.map(({ file, place }) => [place, file]);
  assert.deepEqual(found(), [['store', store]]);

  const wrapped = put(`${inStore(2, 'nix-index-database')}/files`, index);
  const script = put(
    `${inStore(3, 'nix-index-with-db')}/bin/nix-locate`,
    `#! /bin/bash -e\nexport NIX_INDEX_DATABASE='${path.dirname(wrapped)}'\nexec x\n`,
    0o755,
  );
  mkdirSync(at('bin'));
  symlinkSync(script, at('bin/nix-locate'));
  assert.deepEqual(found(), [['nix-locate', wrapped]]);

  // As nix-index-database has it now: the wrapper is a program, and the link to the database lies in its own package.
  const database = put(`${inStore(4, 'index-x86_64-linux')}`, index);
  const beside = `${inStore(5, 'nix-index-with-db-0.1.9')}/share/cache/nix-index`;
  mkdirSync(at(beside), { recursive: true });
  symlinkSync(database, path.join(at(beside), 'files'));
  put(
    `${inStore(3, 'nix-index-with-db')}/bin/nix-locate`,
    `\x7fELF NIX_INDEX_DATABASE\0${at(beside)}\0/bin/.nix-locate-wrapped\0`,
    0o755,
  );
  assert.deepEqual(found(), [['nix-locate', path.join(at(beside), 'files')]]);

  const cache = put('home/.cache/nix-index/files', index);
  assert.deepEqual(found(), [['cache', cache]]);
  const xdg = put('xdg/nix-index/files', index);
  assert.deepEqual(found({ ...search.env, XDG_CACHE_HOME: at('xdg') }), [['cache', xdg]]);

  const named = put('named/files', index);
  assert.deepEqual(found({ ...search.env, NIX_INDEX_DATABASE: at('named') }), [['variable', named]]);
  assert.deepEqual(found({ ...search.env, NIX_INDEX_DATABASE: named }), [['variable', named]]);
  assert.deepEqual(findDatabase({ ...search, setting: 'off' }).found, []);
});

test('the setting names files and directories, all of them', () => {
  const { at, put, search } = world();
  const one = put('one/files', index);
  const two = put('two.index', index);
  const bad = put('text', 'hello');
  const { found, useless } = findDatabase({ ...search, setting: [at('one'), two, bad, at('missing')] });
  assert.deepEqual(
    found.map(({ file }) => file),
    [one, two],
  );
  assert.deepEqual(
    useless.map(({ file, why }) => [file, why]),
    [
      [bad, 'it is no file index'],
      [at('missing'), 'no such file or directory'],
    ],
  );
});

test('a variable that leads nowhere is told of, and the next place serves', () => {
  const { put, at, search } = world();
  const cache = put('home/.cache/nix-index/files', index);
  const { found, useless } = findDatabase({
    ...search,
    env: { ...search.env, NIX_INDEX_DATABASE: at('gone') },
  });
  assert.deepEqual(
    found.map(({ file }) => file),
    [cache],
  );
  assert.deepEqual(
    useless.map(({ place }) => place),
    ['variable'],
  );
});

test('what is in the way: directories, FIFOs, secrets, large wrappers', () => {
  const { at, put, search } = world();
  mkdirSync(at('home/.cache/nix-index/files'), { recursive: true });
  assert.deepEqual(findDatabase(search).found, []);
  rmSync(at('home/.cache/nix-index/files'), { recursive: true });
  execFileSync('mkfifo', [at('home/.cache/nix-index/files')]);
  assert.deepEqual(findDatabase(search).found, []);
  put('bin/nix-locate', Buffer.alloc(1 << 20, 'x'), 0o755);
  assert.deepEqual(findDatabase(search).found, []);
  put('secret/files', index);
  chmodSync(at('secret/files'), 0);
  if (process.getuid?.() !== 0) {
    assert.equal(findDatabase({ ...search, setting: [at('secret')] }).useless[0]?.why, 'permission denied');
  }
});

test('of several in the store the one that came last; never a small one or a derivation', async () => {
  const { at, put, search } = world();
  const first = put(`${inStore(9, 'nix-index-database-a')}/files`, index);
  await new Promise((resolve) => setTimeout(resolve, 20));
  const second = put(`${inStore(5, 'nix-index-database-b')}/files`, index);
  put(`${inStore(6, 'nix-index-database-small')}/files`, small);
  put(`${inStore(7, 'nix-index-database.drv')}/files`, index);
  assert.deepEqual(
    findDatabase(search).found.map(({ file }) => file),
    [second],
  );
  await new Promise((resolve) => setTimeout(resolve, 20));
  chmodSync(path.dirname(first), 0o755);
  assert.deepEqual(
    findDatabase(search).found.map(({ file }) => file),
    [first],
  );
  assert.ok(at());
});

/** As comma's wrapper makes it: `files` is a link to the small index. */
test('of several in the store the first with libraries, whichever came last; never what Nix has beside an object', async () => {
  const { at, put, search } = world();
  const full = put(`${inStore(9, 'nix-index-database')}/files`, index);
  await new Promise((resolve) => setTimeout(resolve, 20));
  const target = put(`${inStore(8, 'index-x86_64-linux-small')}`, small);
  const farms = [5, 6].map((number) => at(inStore(number, 'nix-index-database')));
  for (const farm of farms) {
    mkdirSync(farm);
    symlinkSync(target, path.join(farm, 'files'));
  }
  await new Promise((resolve) => setTimeout(resolve, 20));
  for (const name of ['nix-index-database.lock', 'nix-index-database-1.drv', 'nix-index-databases'])
    put(inStore(7, name), index);
  symlinkSync('nowhere', at(inStore(4, 'nix-index-database')));
  const place = { file: at('side.sqlite'), lock: at('lock'), storeDir: '/nix/store' };
  const { read, passed } = await readIndexes(place, search, {
    progress: () => {},
    verify: () => ({ kind: 'accepted' }),
  });
  assert.deepEqual(
    read.map(({ file }) => file),
    [full],
  );
  assert.deepEqual(passed.map(({ file }) => path.dirname(file)).sort(), farms);
});

test("an index of programs only, as comma's wrapper names one, is passed by", async () => {
  const { at, put, search } = world();
  const named = put('small/files', small);
  const cache = put('home/.cache/nix-index/files', index);
  const place = { file: at('side.sqlite'), lock: at('lock'), storeDir: '/nix/store' };
  const env = { ...search.env, NIX_INDEX_DATABASE: named };
  const { read, passed } = await readIndexes(
    place,
    { ...search, env },
    { progress: () => {}, verify: () => ({ kind: 'accepted' }) },
  );
  assert.deepEqual(
    [read, passed].map((each) => each.map(({ file }) => file)),
    [[cache], [named]],
  );
  const refusals = [...passed, ...read].map(({ state }) =>
    'source' in state ? state.source.refusal?.kind : state.kind,
  );
  assert.deepEqual(refusals, ['no-libraries', undefined]);
  const only = await readIndexes(
    place,
    { ...search, setting: [named] },
    { progress: () => {}, verify: () => ({ kind: 'accepted' }) },
  );
  assert.equal(only.read.length, 1, 'what is named is not passed by');
});

test('age', () => {
  const { put } = world();
  const file = put('files', index);
  const day = 86_400_000;
  utimesSync(file, 1, 1);
  assert.equal(ageInDays(file, Date.now()), undefined);
  utimesSync(file, 1e9, 1e9);
  assert.equal(ageInDays(file, 1e12 + 31.5 * day), 31);
});
