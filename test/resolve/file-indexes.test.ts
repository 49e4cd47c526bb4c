// Indexes that are named, gone, back, or of programs only → what is read, what is forgotten, and what is said.
import assert from 'node:assert/strict';
import {
  chmodSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import { DEFAULTS } from '../../src/config/settings.ts';
import type { Directories } from '../../src/host/directories.ts';
import { catalogueStatus } from '../../src/index/manage-indexes.ts';
import { openSideCatalogue } from '../../src/index/side-catalogue.ts';
import type { Context } from '../../src/resolve/context.ts';
import { indexPlace, openCounting, openIndexes, withWholeIndexes } from '../../src/resolve/file-indexes.ts';
import { databaseOf, hashOf, packageBytes, treeOf, versionOne, zstdFrame } from '../rig/file-index.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'nix-run-foreign-indexes-'));
chmodSync(scratch, 0o755);
after(() => rmSync(scratch, { recursive: true, force: true }));

const lib = (name: string) => ({
  hash: hashOf(1),
  name: `${name}-1`,
  tree: treeOf({ [`lib/lib${name}.so.1`]: 9000, 'bin/x': 9000 }),
});

let serial = 0;
/** A machine with a store directory, a home, and a disk that may go. */
function openMachine() {
  serial += 1;
  const at = (...parts: string[]) => path.join(scratch, String(serial), ...parts);
  for (const each of ['store', 'home', 'disk', 'cache', 'locks']) mkdirSync(at(each), { recursive: true });
  const put = (file: string, bytes: Uint8Array): string => {
    mkdirSync(path.dirname(at(file)), { recursive: true });
    writeFileSync(at(file), bytes);
    return at(file);
  };
  const dirs = { catalogues: at('cache'), locks: at('locks') } as Directories;
  const location = { storeDir: at('store'), stateDir: at('state') };
  const open = async (index: 'auto' | 'off' | readonly string[], variable?: string) => {
    const env = { HOME: at('home'), NIX_INDEX_DATABASE: variable };
    const context = { env, location } as unknown as Context;
    const indexes = await openIndexes({ ...DEFAULTS, index }, context, dirs);
    const { file, storeDir } = indexPlace(dirs, context.location);
    const catalogue = openSideCatalogue(file, storeDir);
    const keys = catalogue?.sources().map(({ key }) => path.relative(at(), key)) ?? [];
    catalogue?.close();
    const counting = openCounting(indexes, { ...DEFAULTS, index }, context, dirs);
    const names = counting?.namesBeginning('lib', 9) ?? [];
    const files = names.flatMap((name) => counting?.filesNamed(name).map((each) => each.name) ?? []);
    assert.deepEqual(files, names);
    counting?.close();
    return { indexes, keys, names };
  };
  return { at, put, open, dirs };
}

test('an index on a disk that is away for now is kept, one that is not named any more is forgotten', async () => {
  const { at, put, open } = openMachine();
  const [one, two] = [put('disk/one', databaseOf([lib('one')])), put('two', databaseOf([lib('two')]))];
  assert.deepEqual((await open([one, two])).keys, ['disk/one', 'two']);
  renameSync(at('disk'), at('away'));
  const without = await open([one, two]);
  assert.deepEqual(without.keys, ['disk/one', 'two'], 'unmounted');
  assert.equal(without.indexes.useless.length, 1);
  assert.deepEqual([(await open('off')).keys.length, (await open('off')).names], [2, []], 'off for now');
  renameSync(at('away'), at('disk'));
  const again = await open([one, two]);
  assert.deepEqual(
    again.indexes.read.map(({ state }) => state.kind),
    ['current', 'current'],
    'and is not read again',
  );
  assert.deepEqual((await open([two])).keys, ['two']);
});

test('an index that is found nowhere for now is kept; of the store only what was collected is forgotten', async () => {
  const { at, put, open } = openMachine();
  const first = path.dirname(put(`store/${hashOf(1)}-nix-index-database-1/files`, databaseOf([lib('one')])));
  assert.equal((await open('auto', first)).keys.length, 1);
  assert.equal((await open('auto', '/nowhere')).keys.length, 1, 'named by another environment');
  chmodSync(first, 0);
  const isRoot = process.geteuid?.() === 0;
  if (!isRoot) assert.equal((await open('auto', first)).keys.length, 1, 'unreadable');
  chmodSync(first, 0o755);
  assert.deepEqual((await open(['/nowhere'], first)).keys, [], 'not named by the setting');
  assert.equal((await open('auto', first)).keys.length, 1);
  rmSync(first, { recursive: true });
  assert.deepEqual((await open('auto', first)).keys, [], 'collected');
  const [old, young] = ['2', '3'].map((each) =>
    path.dirname(put(`store/${each.repeat(32)}-nix-index-database/files`, databaseOf([lib(`n${each}`)]))),
  );
  await open('auto', old);
  assert.deepEqual(
    (await open('auto', young)).keys,
    [path.relative(at(), `${young}/files`)],
    'the next one takes the place of the last',
  );
});

test('two environments that name different files do not make each other read them anew', async () => {
  const { put, open, dirs, at } = openMachine();
  const named = put('named', databaseOf([lib('one')]));
  put('home/.cache/nix-index/files', databaseOf([lib('two')]));
  const states = [];
  for (const variable of [named, undefined, named, undefined]) {
    const { indexes } = await open('auto', variable);
    states.push(...indexes.read.map(({ state }) => state.kind));
  }
  assert.deepEqual(states, ['read', 'read', 'current', 'current']);
  const { file } = indexPlace(dirs, { storeDir: at('store'), stateDir: at('state') });
  const database = new DatabaseSync(file);
  database.exec(`update source set built = built - ${31 * 86_400_000}`);
  database.close();
  assert.deepEqual((await open('auto', named)).keys, ['named'], 'a month later');
});

test('what is there, and only another environment names, is kept for it and not asked here', async () => {
  const { put, open, at } = openMachine();
  const [one, two] = ['one', 'two'].map((name) => databaseOf([{ ...lib(name), storeDir: at('store') }]));
  const named = put('disk/named', one as Buffer);
  put('home/.cache/nix-index/files', two as Buffer);
  assert.deepEqual((await open('auto', named)).names, ['libone.so.1']);
  const without = await open('auto');
  assert.deepEqual([without.names, without.keys.length], [['libtwo.so.1'], 2]);
  assert.deepEqual((await open('auto', named)).names, ['libone.so.1']);
  renameSync(at('home'), at('away'));
  assert.deepEqual((await open('auto')).names, ['libtwo.so.1'], 'away for now, and nothing in its place');
  renameSync(at('away'), at('home'));
  renameSync(at('disk'), at('away'));
  assert.deepEqual((await open('auto', named)).names, ['libone.so.1', 'libtwo.so.1'], 'named, and away');
});

test('an index of programs only is passed by, and read once', async () => {
  const { put, open } = openMachine();
  const small = put('small', versionOne(zstdFrame(packageBytes(lib('one'), '/bin/'))));
  const full = put('home/.cache/nix-index/files', databaseOf([lib('one')]));
  const first = await open('auto', small);
  assert.deepEqual(
    first.indexes.read.map(({ file }) => file),
    [full],
  );
  const second = await open('auto', small);
  assert.deepEqual(
    [...second.indexes.passed, ...second.indexes.read].map(({ file, state }) => [file, state.kind]),
    [
      [small, 'current'],
      [full, 'current'],
    ],
  );
});

test('what cannot be forgotten keeps nobody from what is known', async () => {
  const { put, open, dirs } = openMachine();
  const [one, two] = [put('one', databaseOf([lib('one')])), put('two', databaseOf([lib('two')]))];
  await open([one, two]);
  for (const each of readdirSync(dirs.catalogues)) chmodSync(path.join(dirs.catalogues, each), 0o644);
  // Who is root may write anywhere.
  const isRoot = process.geteuid?.() === 0;
  chmodSync(dirs.catalogues, 0o555);
  if (isRoot) process.seteuid?.(65_534);
  try {
    const { indexes, keys } = await open([two]);
    assert.deepEqual([indexes.read.map(({ state }) => state.kind), keys], [['current'], ['one', 'two']]);
  } finally {
    if (isRoot) process.seteuid?.(0);
    chmodSync(dirs.catalogues, 0o755);
  }
});

/** Every page but those of the tables' names and of the sources, as a bad disk leaves them. */
function damagePages(file: string, first: number): void {
  const fd = openSync(file, 'r+');
  const { size } = statSync(file);
  for (let at = first * 4096; at < size; at += 4096) writeSync(fd, Buffer.alloc(4096, 0xff), 0, 4096, at);
  closeSync(fd);
}

test('pages that are damaged: the catalogue goes, and the indexes are read anew', async () => {
  const { put, open, dirs, at } = openMachine();
  const many = Array.from({ length: 400 }, (_, i) => ({
    ...lib(`n${i}`),
    hash: hashOf(i),
    storeDir: at('store'),
  }));
  const index = put('many', databaseOf(many));
  await open([index]);
  const place = indexPlace(dirs, { storeDir: at('store'), stateDir: at('state') });
  let tries = 0;
  const ask = async (): Promise<number | undefined> => {
    tries += 1;
    await open([index]);
    const catalogue = openSideCatalogue(place.file, place.storeDir);
    try {
      return catalogue?.filesNamed('libn7.so.1').length;
    } finally {
      catalogue?.close();
    }
  };
  assert.equal(await ask(), 1);
  damagePages(place.file, 4);
  await assert.rejects(ask(), { code: 'ERR_SQLITE_ERROR' });
  assert.equal(await withWholeIndexes(place, ask), 1);
  assert.equal(tries, 5); // it is looked at twice
  const breaking = async (): Promise<never> => {
    await open([index]);
    damagePages(place.file, 4);
    return await ask().then(() => assert.fail('it is damaged'));
  };
  assert.equal(await withWholeIndexes(place, breaking), undefined, 'not for ever');
  await open([index]);
  damagePages(place.file, 1);
  assert.deepEqual(catalogueStatus(place), { file: place.file, size: 0, sources: [] });
});
