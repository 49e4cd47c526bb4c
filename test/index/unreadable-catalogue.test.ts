// What was read of indexes, and an error when it is opened, locked or read → nothing is lost, and the error is told.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { DEFAULTS } from '../../src/config/settings.ts';
import type { Directories } from '../../src/host/directories.ts';
import { ForeignError } from '../../src/host/errors.ts';
import { catalogueStatus } from '../../src/index/manage-indexes.ts';
import { readCache } from '../../src/index/read-cache.ts';
import { type CataloguePlace, dropSource, readSource } from '../../src/index/read-source.ts';
import { openSideCatalogue } from '../../src/index/side-catalogue.ts';
import type { Context } from '../../src/resolve/context.ts';
import { fetchLacking } from '../../src/resolve/fetch-absent-libraries.ts';
import { freshBudget, noFetches } from '../../src/resolve/fetch-rounds.ts';
import { indexPlace, openIndexes, withWholeIndexes } from '../../src/resolve/file-indexes.ts';
import type { Job } from '../../src/resolve/job.ts';
import { OTHER } from '../elf/foreign-program.ts';
import { FROM_SOURCES } from '../from-sources.ts';
import { databaseOf, hashOf, treeOf } from '../rig/file-index.ts';
import { scratchDirectory } from '../store/compiled-library.ts';
import { buildFailingCalls, type FailingCalls, failing } from '../store/failing-calls.ts';

const { EMFILE, EIO, ENOLCK } = constants.errno;
const scratch = scratchDirectory();
const failingCalls = path.join(scratch, 'failing-calls.so');
buildFailingCalls(failingCalls);

const library = (name: string, number: number) => ({
  hash: hashOf(number),
  name: `${name}-1.0`,
  tree: treeOf({ [`lib/lib${name}.so.1`]: 9000 }),
});

let serial = 0;
function freshPlace(): CataloguePlace & { put(name: string, bytes: Uint8Array): string } {
  serial += 1;
  const directory = path.join(scratch, String(serial));
  execFileSync('mkdir', ['-p', directory]);
  const put = (name: string, bytes: Uint8Array) => {
    writeFileSync(path.join(directory, name), bytes);
    return path.join(directory, name);
  };
  const dirs = { catalogues: path.join(directory, 'catalogues'), locks: directory } as Directories;
  return { ...indexPlace(dirs, { storeDir: '/nix/store', stateDir: '/nix/var/nix' }), put };
}

const reading = { progress: () => {}, verify: () => ({ kind: 'accepted' }) as const };

/** With 500 packages, and so many pages. */
async function withFirst() {
  const place = freshPlace();
  const many = Array.from({ length: 500 }, (_, i) => library(`n${i}`, i + 10));
  const first = place.put('first', databaseOf([library('one', 1), ...many]));
  assert.equal((await readSource(place, first, reading)).kind, 'read');
  return { place, first, second: place.put('second', databaseOf([library('two', 2)])) };
}

function has(place: CataloguePlace, name: string): boolean {
  const catalogue = openSideCatalogue(place.file, place.storeDir);
  try {
    return (catalogue?.filesNamed(name).length ?? 0) > 0;
  } finally {
    catalogue?.close();
  }
}

/** Reads an index in a process whose calls fail, about the catalogue or what is named; what became of it. */
function readWith(
  calls: Omit<FailingCalls, 'below'> & { readonly below?: string },
  place: CataloguePlace,
  index: string,
): string {
  const program = path.join(import.meta.dirname, 'programs/read-source.ts');
  const env = { ...process.env, ...failing(failingCalls, { below: place.file, ...calls }) };
  const words = [...FROM_SOURCES, program, place.file, place.lock, index];
  const { stdout, stderr } = spawnSync(process.execPath, words, { env, encoding: 'utf8', timeout: 60_000 });
  return stdout.trim().split('\n').at(-1) || stderr;
}

test('no lock is to be had: none is needed, and nothing is lost', async () => {
  const { place, second } = await withFirst();
  const begun = Date.now();
  assert.match(readWith({ call: 'lock', errno: ENOLCK }, place, second), /^\{"kind":"read"/);
  assert.ok(Date.now() - begun < 15_000, 'nobody waits for it');
  assert.deepEqual([has(place, 'libone.so.1'), has(place, 'libtwo.so.1')], [true, true]);
});

/** The catalogue is opened before the lock, under it, and to take over what other sources gave. */
for (const from of [1, 2, 3])
  test(`no descriptor is left at opening ${from}: the other source stays`, async () => {
    const { place, second } = await withFirst();
    const before = readFileSync(place.file);
    const said = readWith({ call: 'open', errno: EMFILE, from }, place, second);
    const { kind, why, remedy } = JSON.parse(said);
    assert.deepEqual(
      [kind, remedy],
      ['unwritable', 'raise the limit of open files: ulimit -S -n hard'],
      said,
    );
    assert.match(why, /^\/.*: too many open files$/);
    assert.ok(readFileSync(place.file).equals(before));
  });

test('the disk does not give what others gave: they stay', async () => {
  const { place, second } = await withFirst();
  const before = readFileSync(place.file);
  const { kind, why, remedy } = JSON.parse(
    readWith({ call: 'read', errno: EIO, after: 16_384 }, place, second),
  );
  assert.deepEqual([kind, remedy], ['unwritable', 'check the disk: dmesg says more']);
  assert.match(why, /^\/.*: input\/output error$/);
  assert.ok(readFileSync(place.file).equals(before));
});

test('the disk does not give a page once: it is asked again', async () => {
  const { place, second } = await withFirst();
  const said = readWith({ call: 'read', errno: EIO, after: 16_384, times: 1 }, place, second);
  assert.match(said, /^\{"kind":"read"/);
  assert.deepEqual([has(place, 'libone.so.1'), has(place, 'libtwo.so.1')], [true, true]);
});

/** Opens as what it is not: a link that leads to itself. */
function hide({ file }: CataloguePlace): () => void {
  renameSync(file, `${file}.aside`);
  symlinkSync(file, file);
  return () => renameSync(`${file}.aside`, file);
}

const UNREADABLE = (error: unknown): boolean =>
  error instanceof ForeignError &&
  error.code === 'unreadable-index' &&
  /^\/.*: .* cannot be asked: too many levels of symbolic links$/.test(error.message) &&
  error.hint === 'check the path and its permissions: ls -ld says more';

test('one that cannot be opened is not one that is not there: each way to it says why', async () => {
  const { place, first, second } = await withFirst();
  const show = hide(place);
  const { file, storeDir } = place;
  assert.throws(() => openSideCatalogue(file, storeDir), UNREADABLE);
  assert.throws(() => catalogueStatus(place), UNREADABLE);
  await assert.rejects(dropSource(place, first), UNREADABLE);
  const open = async () => openSideCatalogue(file, storeDir);
  await assert.rejects(withWholeIndexes(place, open), UNREADABLE);
  const state = await readSource(place, second, reading);
  assert.ok(state.kind === 'unwritable' && /symbolic links$/.test(state.why), JSON.stringify(state));
  show();
  assert.equal(has(place, 'libone.so.1'), true);
  for (const none of [`${file}.none`, `${first}/x.sqlite`])
    assert.equal(openSideCatalogue(none, storeDir), undefined);
});

test('what a binary cache gave is there after a rewrite that failed', async () => {
  const { place, second } = await withFirst();
  const cache = path.join(scratch, `cache-${serial}`);
  execFileSync('mkdir', [cache]);
  writeFileSync(path.join(cache, 'nix-cache-info'), 'StoreDir: /nix/store\n');
  const read = await readCache(place, { address: cache, roots: undefined, progress: () => {}, env: {} });
  assert.ok(read.kind === 'read' && read.state.kind === 'read', JSON.stringify(read));
  const addresses = () => {
    const catalogue = openSideCatalogue(place.file, place.storeDir);
    const all = catalogue?.cacheAddresses();
    catalogue?.close();
    return all;
  };
  readWith({ call: 'open', errno: EMFILE, from: 3 }, place, second);
  assert.deepEqual(addresses(), [pathToFileURL(cache).href]);
  assert.equal((await readSource(place, second, reading)).kind, 'read');
  assert.deepEqual(addresses(), [pathToFileURL(cache).href]);
});

test('a start goes on with what the store says, and with why the index could not be asked', async () => {
  const place = freshPlace();
  const index = place.put('files', databaseOf([library('one', 1)]));
  const dirs = { catalogues: path.dirname(place.file), locks: path.dirname(index) } as Directories;
  const context = {
    env: { HOME: scratch, NIX_RUN_FOREIGN_INDEX: index },
    host: { uid: process.geteuid?.() ?? 0 },
    location: { storeDir: '/nix/store', stateDir: path.join(scratch, 'state') },
    nix: undefined,
  } as unknown as Context;
  await openIndexes({ ...DEFAULTS, index: [index] }, context, dirs);
  const program = { typedName: './tool', elf: OTHER, libc: { kind: 'glibc' } };
  const budget = freshBudget();
  const job = { program, dirs, context, choices: undefined, budget } as unknown as Job;
  const ask = async (isSolved: boolean) => {
    const rounds = noFetches();
    const lacking = [{ name: 'libnone.so.1', versions: [], known: [] }];
    const lack = { lacking, lookedAt: Date.now(), rounds, isSolved, excluded: new Set<string>() };
    assert.equal(await fetchLacking(job, lack), false);
    return rounds;
  };
  assert.match((await ask(false)).word?.why.join() ?? '', /the file index has no libnone\.so\.1/);
  const show = hide(place);
  const { word, isWithoutIndex } = await ask(false);
  assert.match(word?.why.join() ?? '', /cannot be asked: too many levels of symbolic links$/);
  assert.deepEqual([word?.kind, isWithoutIndex], ['not-fetched', false]);
  assert.equal(word?.remedy, 'check the path and its permissions: ls -ld says more');
  show();
  rmSync(place.file);
});

test('an index that a failing disk does not give is not called damaged, and is read when it does', async () => {
  const { place, second } = await withFirst();
  for (const errno of [EIO, constants.errno.EINTR]) {
    const said = readWith({ call: 'read', errno, below: second }, place, second);
    assert.equal(JSON.parse(said).kind, 'unreadable', said);
  }
  assert.equal((await readSource(place, second, reading)).kind, 'read');
});
