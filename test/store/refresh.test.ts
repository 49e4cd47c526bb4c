// Refreshing: what is new, gone, unfinished or changed in the store directory, and what an unchanged one costs.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { ForeignError, remedyOf } from '../../src/host/errors.ts';
import { type Catalogue, openCatalogue } from '../../src/store/catalogue.ts';
import { refreshCatalogue, remedyOfStore } from '../../src/store/open-catalogue.ts';
import { catalogueState } from '../../src/store/soname-table.ts';
import type { StoreLocation } from '../../src/store/store-location.ts';
import { objectName, scratchDirectory } from './compiled-library.ts';
import { buildFailingCalls, type FailingCalls, failing } from './failing-calls.ts';
import { addObjects, syntheticLocation } from './synthetic-store.ts';

interface Fixture {
  readonly scratch: string;
  readonly location: StoreLocation;
  readonly catalogue: Catalogue;
  refresh(): Promise<void>;
  /** Sets the store directory's time, so that no test waits for the clock. */
  age(seconds: number): void;
}

function open(): Fixture {
  const scratch = scratchDirectory();
  const location = syntheticLocation(scratch);
  mkdirSync(location.storeDir);
  const catalogue = openCatalogue(':memory:', location.storeDir);
  return {
    scratch,
    location,
    catalogue,
    refresh: () => refreshCatalogue(catalogue, location, () => {}),
    age: (seconds) => {
      const time = Date.now() / 1000 - seconds;
      utimesSync(location.storeDir, time, time);
    },
  };
}

/** The same catalogue; counts how often its contents were listed, which goes with reading the directory. */
function counting(catalogue: Catalogue): { catalogue: Catalogue; listings: () => number } {
  let listings = 0;
  const objectNames = (): Set<string> => {
    listings += 1;
    return catalogue.objectNames();
  };
  return { catalogue: { ...catalogue, objectNames }, listings: () => listings };
}

test('new objects come in, vanished ones go', async () => {
  const { scratch, catalogue, location, refresh } = open();
  const [first = ''] = addObjects(scratch, 'a', 3);
  await refresh();
  assert.equal(catalogue.counts().objects, 3);
  addObjects(scratch, 'b', 2);
  rmSync(path.join(location.storeDir, first), { recursive: true });
  await refresh();
  assert.deepEqual(catalogue.counts(), { objects: 4, libraries: 4 });
  assert.ok(!catalogue.objectNames().has(first));
});

test('an unchanged store directory is not read again', async () => {
  const { scratch, location, catalogue, age } = open();
  addObjects(scratch, 'a', 3);
  age(100);
  const counted = counting(catalogue);
  await refreshCatalogue(counted.catalogue, location, () => {});
  assert.equal(counted.listings(), 1);
  await refreshCatalogue(counted.catalogue, location, () => {});
  assert.equal(counted.listings(), 1);
});

test('a change after the remembered time is seen', async () => {
  const { scratch, catalogue, age, refresh } = open();
  addObjects(scratch, 'a', 1);
  age(100);
  await refresh();
  addObjects(scratch, 'b', 1);
  age(50);
  await refresh();
  assert.equal(catalogue.counts().objects, 2);
});

for (const [what, seconds] of [
  ['just now', 0],
  ['in the future', -3600],
] as const) {
  test(`a directory that changed ${what} is not remembered: it may change again under that time`, async () => {
    const { scratch, catalogue, location, age, refresh } = open();
    addObjects(scratch, 'a', 1);
    age(seconds);
    const { mtime } = statSync(location.storeDir);
    await refresh();
    addObjects(scratch, 'b', 1);
    utimesSync(location.storeDir, mtime, mtime);
    await refresh();
    assert.equal(catalogue.counts().objects, 2);
  });
}

test('with a database that cannot be read, an object whose time is not 1 is still being written', async () => {
  const { scratch, catalogue, location, age, refresh } = open();
  mkdirSync(path.join(location.stateDir, 'db'), { recursive: true });
  writeFileSync(path.join(location.stateDir, 'db/db.sqlite'), '');
  const [done = '', unfinished = ''] = addObjects(scratch, 'a', 2);
  utimesSync(path.join(location.storeDir, done), 1, 1);
  age(100);
  await refresh();
  assert.deepEqual([...catalogue.objectNames()], [done]);
  utimesSync(path.join(location.storeDir, unfinished), 1, 1);
  age(100);
  await refresh();
  assert.equal(catalogue.counts().objects, 2, 'what was unfinished is looked at again');
});

test('lock files, links and names that are none are no store objects', async () => {
  const { location, scratch, catalogue, refresh } = open();
  mkdirSync(path.join(location.storeDir, '.links'));
  writeFileSync(path.join(location.storeDir, 'README'), '');
  mkdirSync(path.join(location.storeDir, `${'e'.repeat(32)}-not-base32`));
  addObjects(scratch, 'a', 1);
  await refresh();
  assert.equal(catalogue.counts().objects, 1);
});

test('an object that vanishes between the listing and the look at it is passed over', async () => {
  const { scratch, catalogue, location } = open();
  mkdirSync(path.join(location.stateDir, 'db'), { recursive: true });
  writeFileSync(path.join(location.stateDir, 'db/db.sqlite'), '');
  const names = addObjects(scratch, 'a', 3);
  for (const name of names) utimesSync(path.join(location.storeDir, name), 1, 1);
  let gone = false;
  const vanishing: Catalogue = {
    ...catalogue,
    objectNames: () => {
      const known = catalogue.objectNames();
      // The listing comes next; what is taken away in `delete` was listed already.
      known.delete = (name) => {
        if (!gone) rmSync(path.join(location.storeDir, name), { recursive: true });
        gone = true;
        return Set.prototype.delete.call(known, name);
      };
      return known;
    },
  };
  await refreshCatalogue(vanishing, location, () => {});
  assert.equal(catalogue.counts().objects, 2);
});

test('a store that cannot be listed is an error that names it', async () => {
  const { location, refresh } = open();
  rmSync(location.storeDir, { recursive: true });
  await assert.rejects(refresh, (error) => {
    assert.ok(error instanceof ForeignError);
    assert.equal(error.code, 'no-store');
    assert.equal(error.exitCode, 125);
    assert.match(error.message, new RegExp(location.storeDir));
    return true;
  });
});

test('what can be done about it is of what is wrong with it', () => {
  for (const errno of ['EIO', 'ESTALE', 'ENFILE', 'EMFILE']) {
    assert.equal(remedyOfStore(errno), remedyOf(errno));
    assert.doesNotMatch(remedyOfStore(errno), /permissions/);
  }
  assert.match(remedyOfStore('ENOENT'), /^install Nix/);
  assert.match(remedyOfStore('EACCES'), /permissions, or name the store with NIX_STORE_DIR$/);
});

test('progress counts up to the whole', async () => {
  const { scratch, catalogue, location } = open();
  addObjects(scratch, 'a', 260);
  const seen: [number, number][] = [];
  await refreshCatalogue(catalogue, location, (done, total) => seen.push([done, total]));
  assert.deepEqual(seen, [
    [250, 260],
    [260, 260],
  ]);
});

test('long work is done alone, and by the second process not again', async () => {
  const { scratch, catalogue, location } = open();
  addObjects(scratch, 'a', 260);
  const alone = async (work: () => Promise<void>): Promise<void> => {
    // Somebody else held the lock and did it all.
    await refreshCatalogue(catalogue, location, () => {});
    await work();
  };
  let steps = 0;
  await refreshCatalogue(catalogue, location, () => (steps += 1), alone);
  assert.equal(steps, 0);
  assert.equal(catalogue.counts().objects, 260);
});

test('who is ended between two batches has said that names came, and nobody says so of what has none', async () => {
  const { scratch, catalogue, location, refresh } = open();
  addObjects(scratch, 'a', 260);
  const ended = refreshCatalogue(catalogue, location, () => {
    throw new Error('ended');
  });
  await assert.rejects(ended, /ended/);
  const state = catalogueState(catalogue);
  assert.notEqual(state, 0n);
  await refresh();
  const whole = catalogueState(catalogue);
  assert.notEqual(whole, state);
  const empty = path.join(location.storeDir, objectName('empty'));
  mkdirSync(empty);
  await refresh();
  rmSync(empty, { recursive: true });
  await refresh();
  assert.equal(catalogueState(catalogue), whole);
  rmSync(path.join(location.storeDir, objectName('a0')), { recursive: true });
  await refresh();
  assert.notEqual(catalogueState(catalogue), whole);
});

const FILL = path.resolve('test/store/programs/fill-catalogue.ts');

/** Another process brings the catalogue up to date while calls fail. */
function fillFailing(
  scratch: string,
  calls: FailingCalls,
): { counts: unknown; stderr: string; status: number | null } {
  const library = path.join(scratch, 'failing-calls.so');
  buildFailingCalls(library);
  const { storeDir, stateDir } = syntheticLocation(scratch);
  const words = ['--disable-warning=ExperimentalWarning', FILL, path.join(scratch, 'c'), storeDir, stateDir];
  const env = { ...process.env, ...failing(library, calls) };
  const { stdout, stderr, status } = spawnSync(process.execPath, words, { env, encoding: 'utf8' });
  return { counts: stdout === '' ? undefined : JSON.parse(stdout), stderr, status };
}

for (const [call, error] of [
  ['read', 'EIO'],
  ['open', 'EIO'],
  ['open', 'EACCES'],
] as const)
  test(`a library that cannot be read once (${call}: ${error}) is read again`, () => {
    const scratch = scratchDirectory();
    const [name = ''] = addObjects(scratch, 'a', 2);
    const below = path.join(syntheticLocation(scratch).storeDir, name);
    const errno = constants.errno[error];
    const { counts, stderr } = fillFailing(scratch, { call, below, errno, times: 1 });
    assert.deepEqual(counts, { objects: 2, libraries: 2, offered: 2 });
    assert.equal(stderr, '');
  });

test('what this user may not read at two looks is none that a start could open', () => {
  const scratch = scratchDirectory();
  const [name = ''] = addObjects(scratch, 'a', 2);
  const below = path.join(syntheticLocation(scratch).storeDir, name);
  const { counts, stderr } = fillFailing(scratch, { call: 'open', below, errno: constants.errno.EACCES });
  assert.deepEqual([counts, stderr], [{ objects: 2, libraries: 1, offered: 1 }, '']);
});

for (const call of ['read', 'open'] as const)
  test(`an object that a failing disk cannot ${call} is said, and looked at again`, () => {
    const scratch = scratchDirectory();
    const [name = ''] = addObjects(scratch, 'a', 2);
    const { storeDir } = syntheticLocation(scratch);
    utimesSync(storeDir, 1_000, 1_000);
    const below = path.join(storeDir, name);
    const { counts, stderr } = fillFailing(scratch, { call, below, errno: constants.errno.EIO });
    assert.deepEqual(counts, { objects: 1, libraries: 1, offered: 1 });
    assert.equal(
      stderr,
      `fill: left out, since it cannot be read: ${below}: input/output error; check the disk: dmesg says more\n`,
    );
    const again = fillFailing(scratch, { call, below, errno: constants.errno.EIO });
    assert.deepEqual([again.counts, again.stderr], [counts, ''], 'it is said when it is news');
    const later = fillFailing(scratch, { call, below: '/nowhere', errno: constants.errno.EIO });
    assert.deepEqual([later.counts, later.stderr], [{ objects: 2, libraries: 2, offered: 2 }, '']);
  });

test('with too many open files nothing is called empty', () => {
  const scratch = scratchDirectory();
  const [name = ''] = addObjects(scratch, 'a', 2);
  const below = path.join(syntheticLocation(scratch).storeDir, name);
  const { stderr, status } = fillFailing(scratch, { call: 'open', below, errno: constants.errno.EMFILE });
  assert.equal(status, 1);
  assert.match(stderr, /EMFILE: too many open files/);
  const later = fillFailing(scratch, { call: 'open', below: '/nowhere', errno: constants.errno.EMFILE });
  assert.deepEqual(later.counts, { objects: 2, libraries: 2, offered: 2 });
});
