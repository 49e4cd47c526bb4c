// The catalogue's file: what it answers, several processes at once, and every kind of damage.
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { constants } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { type Catalogue, openCatalogue, unlessBusy } from '../../src/store/catalogue.ts';
import { catalogueFile, newestFile, replaceFile } from '../../src/store/catalogue-file.ts';
import { openStore, withStore } from '../../src/store/open-catalogue.ts';
import { scanObject } from '../../src/store/scan-object.ts';
import { FROM_SOURCES } from '../from-sources.ts';
import { asRoot } from '../launcher/tool-fixture.ts';
import { compileLibrary, objectName, scratchDirectory } from './compiled-library.ts';
import { buildFailingCalls, type FailingCalls, failing } from './failing-calls.ts';
import { addObjects, syntheticLocation } from './synthetic-store.ts';

const FILL = path.join(import.meta.dirname, 'programs/fill-catalogue.ts');

function startFilling(catalogues: string, store: string): ChildProcess {
  const { storeDir, stateDir } = syntheticLocation(store);
  return spawn(process.execPath, [...FROM_SOURCES, FILL, catalogues, storeDir, stateDir], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function outcomeOf(
  child: ChildProcess,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (chunk: string) => {
      text[name] += chunk;
    });
  }
  const [code] = await once(child, 'close');
  return { code, ...text };
}

function filled(file: string, storeDir = '/store'): Catalogue {
  const scratch = path.dirname(file);
  const object = objectName('v-1.0');
  compileLibrary(path.join(scratch, object, 'lib/libv.so.1'), { soname: 'libv.so.1' });
  const catalogue = openCatalogue(file, storeDir);
  catalogue.update(new Map([[object, scanObject(path.join(scratch, object))]]), []);
  return catalogue;
}

test('what was put in is found by name, class and machine, and gone when dropped', () => {
  const catalogue = filled(path.join(scratchDirectory(), 'c.sqlite'));
  const [only] = catalogue.librariesOffering('libv.so.1', 64, 62);
  assert.equal(only?.storePath, `/store/${objectName('v-1.0')}`);
  assert.equal(only?.file, 'lib/libv.so.1');
  assert.equal(only?.elf.soname, 'libv.so.1');
  assert.deepEqual(catalogue.librariesOffering('libv.so.1', 32, 3), []);
  assert.deepEqual(catalogue.librariesOffering('libv.so', 64, 62), []);
  assert.deepEqual(catalogue.namesBeginning('libv.so', 64, 62), ['libv.so.1']);
  assert.deepEqual(catalogue.namesBeginning('libv.so.1x', 64, 62), []);
  assert.deepEqual(
    catalogue.librariesIn(only?.storePath ?? '', 64, 62).map(({ names }) => names),
    [['libv.so.1']],
  );
  catalogue.update(new Map(), [objectName('v-1.0')]);
  assert.deepEqual(catalogue.counts(), { objects: 0, libraries: 0 });
  assert.deepEqual(catalogue.librariesOffering('libv.so.1', 64, 62), []);
  catalogue.close();
});

test('names with wildcards of SQL and bytes beyond ASCII are only names', () => {
  const catalogue = filled(path.join(scratchDirectory(), 'c.sqlite'));
  const [elf] = catalogue.librariesOffering('libv.so.1', 64, 62);
  assert.ok(elf);
  const names = ['lib%.so', "lib'x.so", 'lib\u00e9.so', 'lib_.so'];
  catalogue.update(new Map([[objectName('odd'), [{ file: 'lib/x.so', elf: elf.elf, names }]]]), []);
  for (const name of names) assert.equal(catalogue.librariesOffering(name, 64, 62).length, 1, name);
  assert.equal(catalogue.librariesOffering('lib%', 64, 62).length, 0);
  catalogue.close();
});

test('the same object twice is one object', () => {
  const file = path.join(scratchDirectory(), 'c.sqlite');
  filled(file).close();
  const again = filled(file);
  assert.deepEqual(again.counts(), { objects: 1, libraries: 1 });
  again.close();
});

test('a transaction that fails leaves everything as it was', () => {
  const catalogue = filled(path.join(scratchDirectory(), 'c.sqlite'));
  const [elf] = catalogue.librariesOffering('libv.so.1', 64, 62);
  assert.ok(elf);
  const bad = { file: null as unknown as string, elf: elf.elf, names: ['x'] };
  const both = new Map([
    [objectName('good'), [{ file: 'lib/x.so', elf: elf.elf, names: ['libx.so'] }]],
    [objectName('bad'), [bad]],
  ]);
  assert.throws(() => catalogue.update(both, [objectName('v-1.0')]));
  assert.deepEqual(catalogue.counts(), { objects: 1, libraries: 1 });
  catalogue.update(new Map(), []);
  catalogue.close();
});

const damages: Record<string, (file: string) => void> = {
  'not a database': (file) => writeFileSync(file, 'this is no database'.repeat(1000)),
  empty: (file) => truncateSync(file, 0),
  'cut in the middle of the header': (file) => truncateSync(file, 50),
  'cut in half': (file) => truncateSync(file, statSync(file).size / 2),
  'with pages of noise': (file) => {
    const bytes = readFileSync(file);
    bytes.fill(0xa5, 4096);
    writeFileSync(file, bytes);
  },
  'of an older version': (file) => {
    const database = new DatabaseSync(file);
    database.exec('pragma user_version = 1; drop table offer; drop table memo');
    database.close();
  },
  'of a newer version': (file) => {
    const database = new DatabaseSync(file);
    database.exec('pragma user_version = 99');
    database.close();
  },
  'a database of something else': (file) => {
    const database = new DatabaseSync(file);
    database.exec('drop table offer; drop table library; create table other (x)');
    database.close();
  },
};

for (const [what, damage] of Object.entries(damages)) {
  test(`a catalogue that is ${what} is filled anew`, async () => {
    const scratch = scratchDirectory();
    addObjects(scratch, 'o', 5);
    const location = syntheticLocation(scratch);
    const first = await openStore(path.join(scratch, 'c'), location);
    first.close();
    damage(catalogueFile(path.join(scratch, 'c'), location.storeDir));
    const again = await openStore(path.join(scratch, 'c'), location);
    assert.deepEqual(again.counts(), { objects: 5, libraries: 5 });
    assert.equal(again.librariesOffering('libv.so.1', 64, 62).length, 5);
    again.close();
  });
}

test('a damaged page, whichever it is, costs a filling and no answer', async () => {
  const scratch = scratchDirectory();
  const names = addObjects(scratch, 'o', 12);
  const location = syntheticLocation(scratch);
  const directory = path.join(scratch, 'c');
  (await openStore(directory, location)).close();
  const file = catalogueFile(directory, location.storeDir);
  const sound = readFileSync(file);
  let latest = file;
  assert.equal(statSync(`${file}-wal`, { throwIfNoEntry: false }), undefined);
  for (let page = 0; page < sound.length / 4096; page += 1) {
    const bytes = Buffer.from(sound);
    bytes.fill(0, page * 4096, (page + 1) * 4096);
    writeFileSync(latest, bytes);
    const answer = await withStore(directory, location, (catalogue) => ({
      offered: catalogue.librariesOffering('libv.so.1', 64, 62).length,
      beginning: catalogue.namesBeginning('lib', 64, 62),
      inside: names.map((name) => catalogue.librariesIn(`${location.storeDir}/${name}`, 64, 62).length),
    }));
    assert.equal(answer.offered, 12, `page ${page}`);
    assert.deepEqual(answer.beginning, ['libv.so.1'], `page ${page}`);
    assert.deepEqual(
      answer.inside,
      names.map(() => 1),
      `page ${page}`,
    );
    latest = newestFile(file).file;
  }
});

test('processes that start together fill one catalogue, and each sees all of it', {
  timeout: 60_000,
}, async () => {
  const scratch = scratchDirectory();
  addObjects(scratch, 'o', 700);
  for (let round = 0; round < 1; round += 1) {
    const catalogues = path.join(scratch, `c${round}`);
    const outcomes = await Promise.all(
      Array.from({ length: 4 }, () => outcomeOf(startFilling(catalogues, scratch))),
    );
    for (const { code, stdout, stderr } of outcomes) {
      assert.equal(code, 0, stderr);
      assert.deepEqual(JSON.parse(stdout), { objects: 700, libraries: 700, offered: 700 });
    }
    const file = catalogueFile(catalogues, syntheticLocation(scratch).storeDir);
    const database = new DatabaseSync(file);
    assert.equal(database.prepare('pragma integrity_check').get()?.['integrity_check'], 'ok');
    database.close();
  }
});

test('processes that meet a catalogue of another version together replace it once', {
  timeout: 60_000,
}, async () => {
  const scratch = scratchDirectory();
  addObjects(scratch, 'o', 300);
  const catalogues = path.join(scratch, 'c');
  const location = syntheticLocation(scratch);
  (await openStore(catalogues, location)).close();
  const old = new DatabaseSync(catalogueFile(catalogues, location.storeDir));
  old.exec('pragma user_version = 77');
  old.close();
  const outcomes = await Promise.all(
    Array.from({ length: 4 }, () => outcomeOf(startFilling(catalogues, scratch))),
  );
  for (const { code, stdout, stderr } of outcomes) {
    assert.equal(code, 0, stderr);
    assert.deepEqual(JSON.parse(stdout), { objects: 300, libraries: 300, offered: 300 });
  }
});

test('a catalogue stays where the one that it replaced cannot be removed', asRoot, () => {
  const scratch = scratchDirectory();
  const first = path.join(scratch, 'x.sqlite');
  const second = path.join(scratch, 'x.1.sqlite');
  filled(first).close();
  renameSync(first, second);
  writeFileSync(first, 'what it replaced');
  chownSync(second, 65_534, 65_534);
  chmodSync(scratch, 0o1777); // only the owner of a file may remove it
  process.seteuid?.(65_534);
  try {
    const catalogue = openCatalogue(first, '/store');
    assert.deepEqual([catalogue.file, catalogue.counts()], [second, { objects: 1, libraries: 1 }]);
    catalogue.close();
    replaceFile(second);
    openCatalogue(first, '/store').close();
    assert.deepEqual(
      readdirSync(scratch)
        .filter((name) => name.endsWith('.sqlite'))
        .sort(),
      ['x.2.sqlite', 'x.sqlite'],
    );
  } finally {
    process.seteuid?.(0);
  }
});

test('a reader sees whole objects while another process writes', { timeout: 60_000 }, async () => {
  const scratch = scratchDirectory();
  addObjects(scratch, 'o', 600);
  const catalogues = path.join(scratch, 'c');
  const { storeDir } = syntheticLocation(scratch);
  const child = outcomeOf(startFilling(catalogues, scratch));
  let over = false;
  void child.then(() => {
    over = true;
  });
  const reader = openCatalogue(catalogueFile(catalogues, storeDir), storeDir);
  let looks = 0;
  while (!over) {
    const offered = reader.librariesOffering('libv.so.1', 64, 62).length;
    const { objects, libraries } = reader.counts();
    assert.ok(objects >= offered, 'what was seen cannot vanish');
    assert.ok(libraries >= objects, `${libraries} libraries in ${objects} objects`);
    looks += 1;
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal((await child).code, 0);
  assert.ok(looks > 0);
  assert.deepEqual(reader.counts(), { objects: 600, libraries: 600 });
  reader.close();
});

test('kill -9 at any moment leaves a catalogue that is filled to the end', { timeout: 120_000 }, async () => {
  const scratch = scratchDirectory();
  addObjects(scratch, 'o', 700);
  const catalogues = path.join(scratch, 'c');
  const location = syntheticLocation(scratch);
  const file = catalogueFile(catalogues, location.storeDir);
  for (const objects of [1, 400]) {
    const child = startFilling(catalogues, scratch);
    const done = once(child, 'close');
    // Killed when so many objects are in, which is between two transactions or in one.
    const watcher = openCatalogue(file, location.storeDir);
    while (watcher.counts().objects < objects && child.exitCode === null) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    watcher.close();
    child.kill('SIGKILL');
    await done;
    const database = new DatabaseSync(file);
    assert.equal(database.prepare('pragma integrity_check').get()?.['integrity_check'], 'ok');
    database.close();
  }
  const last = await outcomeOf(startFilling(catalogues, scratch));
  assert.deepEqual(JSON.parse(last.stdout), { objects: 700, libraries: 700, offered: 700 });
});

test('a catalogue that is only held by somebody for a moment is not thrown away', async () => {
  const scratch = scratchDirectory();
  const file = path.join(scratch, 'c.sqlite');
  filled(file).close();
  const inode = statSync(file).ino;
  const holder = new DatabaseSync(file);
  holder.exec('begin exclusive');
  const reader = openCatalogue(file, '/store');
  assert.deepEqual(reader.counts(), { objects: 1, libraries: 1 });
  reader.close();
  holder.exec('rollback');
  holder.close();
  assert.equal(statSync(file).ino, inode);
});

function filesBeside(file: string): string[] {
  return readdirSync(path.dirname(file)).filter((name) => name.startsWith('c.'));
}

test('a directory in place of the catalogue gives way', () => {
  const file = path.join(scratchDirectory(), 'c.sqlite');
  mkdirSync(path.join(file, 'full'), { recursive: true });
  filled(file).close();
  const again = openCatalogue(file, '/store');
  assert.deepEqual(again.counts(), { objects: 1, libraries: 1 });
  again.close();
  assert.deepEqual(filesBeside(file), ['c.1.sqlite']);
});

test('who still has a catalogue open shares nothing with the one in its place', () => {
  const file = path.join(scratchDirectory(), 'c.sqlite');
  const old = filled(file);
  const database = new DatabaseSync(file);
  database.exec('pragma user_version = 77');
  database.close();
  const next = openCatalogue(file, '/store');
  assert.notEqual(next.file, old.file);
  assert.deepEqual(next.counts(), { objects: 0, libraries: 0 });
  // One that listed the directory before, and opens only now, makes a file anew that is gone by the next time.
  writeFileSync(`${file}-wal`, '');
  next.update(new Map([['other', []]]), []);
  old.update(new Map([['late', []]]), []);
  old.close();
  const last = openCatalogue(file, '/store');
  assert.deepEqual([...last.objectNames()], ['other']);
  next.close();
  last.close();
  assert.deepEqual(filesBeside(file), ['c.1.sqlite']);
});

test('what is told at once that the file is busy is done again; any other error ends it', async () => {
  // SQLITE_BUSY_RECOVERY; SQLITE_PROTOCOL, where a lock of the WAL fails by EINTR or EMFILE.
  for (const errcode of [261, 15]) {
    let calls = 0;
    const answer = await unlessBusy(async () => {
      calls += 1;
      if (calls < 3) throw Object.assign(new Error('locked'), { errcode });
      return calls;
    });
    assert.equal(answer, 3);
  }
  const full = Object.assign(new Error('full'), { errcode: 13 });
  await assert.rejects(
    unlessBusy(() => Promise.reject(full)),
    full,
  );
});

test('what could not be used is closed: its locks go with it', () => {
  const file = path.join(scratchDirectory(), 'c.sqlite');
  filled(file).close();
  const database = new DatabaseSync(file);
  database.exec('drop table offer');
  database.close();
  const catalogue = openCatalogue(file, '/store');
  const held = readdirSync('/proc/self/fd').map((each) => {
    try {
      return readlinkSync(`/proc/self/fd/${each}`);
    } catch {
      return ''; // of the listing itself
    }
  });
  assert.deepEqual(
    held.filter((each) => each.startsWith(file) && each.endsWith(' (deleted)')),
    [],
  );
  catalogue.close();
});

/** Another process opens the catalogue while calls about its file fail; what was thrown. */
function openFailing(file: string, calls: Omit<FailingCalls, 'below'>): string {
  const library = path.join(path.dirname(file), 'failing-calls.so');
  buildFailingCalls(library);
  const script = `import { openCatalogue } from ${JSON.stringify(path.resolve('src/store/catalogue.ts'))};
    try { console.log(openCatalogue(${JSON.stringify(file)}, '/store').counts().objects) }
    catch (error) { console.log(String(error.code), error.errcode ?? '') }`;
  const env = { ...process.env, ...failing(library, { ...calls, below: file }) };
  return execFileSync(process.execPath, [...FROM_SOURCES, '--input-type=module', '-e', script], {
    env,
    encoding: 'utf8',
  }).trim();
}

test('a catalogue that cannot be opened now is not thrown away, and the reason is said', () => {
  const file = path.join(scratchDirectory(), 'c.sqlite');
  filled(file).close();
  const { ino } = statSync(file);
  for (const name of ['EMFILE', 'EIO', 'ENFILE'] as const)
    assert.equal(openFailing(file, { call: 'open', errno: constants.errno[name] }), name);
  assert.equal(openFailing(file, { call: 'open', errno: constants.errno.EMFILE, times: 1 }), '1');
  assert.equal(statSync(file).ino, ino);
});

test('on a file system without locks the answer comes at once', () => {
  const file = path.join(scratchDirectory(), 'c.sqlite');
  filled(file).close();
  const begin = performance.now();
  assert.match(openFailing(file, { call: 'lock', errno: constants.errno.ENOLCK }), /^ERR_SQLITE_ERROR \d+$/);
  assert.ok(performance.now() - begin < 30_000);
});
