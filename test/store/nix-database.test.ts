// Nix's own database: what is valid, as root and as an ordinary user, with and without a living connection.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { constants } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { ForeignError } from '../../src/host/errors.ts';
import { isDamaged, openCatalogue } from '../../src/store/catalogue.ts';
import { realise } from '../../src/store/fetch.ts';
import { isOfStore, openNixDatabase } from '../../src/store/nix-database.ts';
import { hasNixDatabase } from '../../src/store/nix-state.ts';
import { refreshCatalogue, validityTest } from '../../src/store/open-catalogue.ts';
import { resultCode } from '../../src/store/sqlite-error.ts';
import { asRoot, needTool } from '../launcher/tool-fixture.ts';
import { compileLibrary, objectName, scratchDirectory } from './compiled-library.ts';
import { buildFailingCalls, failing } from './failing-calls.ts';
import { openPrivateStore, type PrivateStore } from './private-store.ts';

needTool('nix-store', 'nix-bin');

function storeWith(...names: string[]): { store: PrivateStore; paths: string[]; scratch: string } {
  const scratch = scratchDirectory();
  chmodSync(scratch, 0o755);
  const store = openPrivateStore(path.join(scratch, 'nix'));
  const paths = names.map((name) => {
    const source = path.join(scratch, name);
    compileLibrary(path.join(source, 'lib', `lib${name}.so.1`), { soname: `lib${name}.so.1` });
    return store.add(source);
  });
  return { store, paths, scratch };
}

test('valid paths are valid, with the hash that Nix gives', () => {
  const { store, paths } = storeWith('a');
  const [a = ''] = paths;
  const database = openNixDatabase(store.location);
  assert.ok(database);
  assert.equal(database.isValid(a), true);
  assert.equal(database.isValid(`${a}x`), false);
  const hex = execFileSync(path.join(store.nix.bin, 'nix-store'), ['--dump', a], { env: store.nix.env });
  const { createHash } = process.getBuiltinModule('node:crypto');
  assert.equal(database.narHashOf(a), `sha256:${createHash('sha256').update(hex).digest('hex')}`);
  assert.equal(database.narHashOf(objectName('x')), undefined);
  const age = Date.now() / 1000 - (database.registeredAt(a) ?? 0);
  assert.ok(age >= 0 && age < 600, `${age} s old`);
  assert.equal(database.registeredAt(objectName('x')), undefined);
  database.close();
});

/** Its tree of paths becomes noise; a whole copy of it takes its name, or not. What is open stays the noise. */
function damage({ location }: PrivateStore, then: 'replaced' | 'left'): void {
  const file = path.join(location.stateDir, 'db/db.sqlite');
  const bytes = readFileSync(file);
  const fd = openSync(file, 'r+');
  for (let at = 4096; at < bytes.length; at += 4096) writeSync(fd, Buffer.alloc(4096, 0xff), 0, 4096, at);
  closeSync(fd);
  if (then === 'left') return;
  writeFileSync(`${file}.whole`, bytes);
  renameSync(`${file}.whole`, file);
}

test('pages that do not fit each other, as while Nix writes: it is opened anew, and asked once more', () => {
  const { store, paths } = storeWith('a');
  const [a = ''] = paths;
  const database = openNixDatabase(store.location);
  damage(store, 'replaced');
  assert.equal(database?.isValid(a), true);
  assert.match(database?.narHashOf(a) ?? '', /^sha256:/);
  database?.close();
});

test("a damaged database is no damage of our catalogue's, nor of its place", () => {
  const { store, paths } = storeWith('a');
  const database = openNixDatabase(store.location);
  damage(store, 'left');
  for (const ask of [database?.isValid, database?.referrersOf]) {
    assert.throws(
      () => ask?.(paths[0] ?? ''),
      (error) => {
        assert.ok(error instanceof ForeignError, String(error));
        assert.equal(error.code, 'nix-database');
        assert.ok(!isDamaged(error) && resultCode(error) === undefined);
        return true;
      },
    );
  }
  database?.close();
});

test('what lies in the store without being registered is not valid', () => {
  const { store, paths } = storeWith('a');
  const garbage = objectName('garbage');
  mkdirSync(path.join(store.location.storeDir, garbage, 'lib'), { recursive: true });
  const database = openNixDatabase(store.location);
  const isComplete = validityTest(store.location, database);
  assert.equal(isComplete(path.basename(paths[0] ?? '')), true);
  assert.equal(isComplete(garbage), false);
  database?.close();
});

test('without the database, the time of a finished object tells, and Nix sets it', () => {
  const { store, paths } = storeWith('a');
  const unfinished = objectName('unfinished');
  mkdirSync(path.join(store.location.storeDir, unfinished));
  const isComplete = validityTest(store.location, undefined);
  assert.equal(isComplete(path.basename(paths[0] ?? '')), true);
  assert.equal(isComplete(unfinished), false);
  assert.equal(isComplete(objectName('vanished')), false);
});

test('a store without any Nix counts as it is', () => {
  const scratch = scratchDirectory();
  const isComplete = validityTest({ storeDir: scratch, stateDir: path.join(scratch, 'none') }, undefined);
  assert.equal(isComplete(objectName('any')), true);
});

test('a living store without its database: what Nix still writes counts when its lock is gone', async () => {
  const storeDir = scratchDirectory();
  const name = objectName('half');
  const lock = path.join(storeDir, `${name}.lock`);
  writeFileSync(lock, '');
  mkdirSync(path.join(storeDir, name));
  const catalogue = openCatalogue(':memory:', storeDir);
  const location = { storeDir, stateDir: path.join(storeDir, 'none') };
  await refreshCatalogue(catalogue, location, () => {});
  assert.ok(!catalogue.objectNames().has(name));
  compileLibrary(path.join(storeDir, name, 'lib/libhalf.so.1'));
  rmSync(lock);
  await refreshCatalogue(catalogue, location, () => {});
  assert.equal(catalogue.counts().libraries, 1);
});

test('a lock that Nix left behind beside a finished object hides nothing', () => {
  const storeDir = scratchDirectory();
  const name = objectName('whole');
  writeFileSync(path.join(storeDir, `${name}.lock`), '');
  mkdirSync(path.join(storeDir, name));
  const isComplete = validityTest({ storeDir, stateDir: path.join(storeDir, 'none') }, undefined);
  assert.equal(isComplete(name), false);
  utimesSync(path.join(storeDir, name), 1, 1);
  assert.equal(isComplete(name), true);
});

test('a refresh takes what is registered, and takes the rest when it is', async () => {
  const { store, paths, scratch } = storeWith('a');
  const later = path.join(store.location.storeDir, objectName('later'));
  mkdirSync(path.join(later, 'lib'), { recursive: true });
  compileLibrary(path.join(later, 'lib/liblater.so.1'));
  const catalogue = openCatalogue(':memory:', store.location.storeDir);
  const { storeDir } = store.location;
  const refresh = (): Promise<void> => {
    execFileSync('touch', ['-d', '@1000000000', storeDir]);
    return refreshCatalogue(catalogue, store.location, () => {});
  };
  await refresh();
  assert.deepEqual([...catalogue.objectNames()], [path.basename(paths[0] ?? '')]);
  const registration = path.join(scratch, 'registration');
  writeFileSync(registration, `${later}\n\n0\n`);
  execFileSync(path.join(store.nix.bin, 'nix-store'), ['--register-validity'], {
    env: store.nix.env,
    input: `${later}\n\n0\n`,
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  await refresh();
  assert.ok(catalogue.objectNames().has(path.basename(later)));
});

test('no database, an empty one and one of something else are none', () => {
  const scratch = scratchDirectory();
  const location = { storeDir: scratch, stateDir: scratch };
  assert.equal(openNixDatabase(location), undefined);
  mkdirSync(path.join(scratch, 'db'));
  const file = path.join(scratch, 'db/db.sqlite');
  for (const content of ['', 'noise'.repeat(2000)]) {
    writeFileSync(file, content);
    assert.equal(openNixDatabase(location), undefined);
  }
  rmSync(file);
  const other = new DatabaseSync(file);
  other.exec('create table other (x)');
  other.close();
  assert.equal(openNixDatabase(location), undefined);
});

/** What another user's process says of the validity of paths. */
function askAsNobody(store: PrivateStore, paths: readonly string[], env: NodeJS.ProcessEnv = {}): unknown {
  const module = JSON.stringify(path.resolve('src/store/nix-database.ts'));
  const script = `import { openNixDatabase } from ${module};
    const database = openNixDatabase(${JSON.stringify(store.location)});
    const paths = ${JSON.stringify(paths)};
    console.log(JSON.stringify(database === undefined ? null : paths.map((each) => database.isValid(each))));`;
  const words = ['--reuid=65534', '--regid=65534', '--clear-groups'];
  const node = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script];
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const argv = ['env', ...variables, process.execPath, ...node];
  return JSON.parse(execFileSync('setpriv', [...words, ...argv], { encoding: 'utf8' }));
}

/** What another user's process is told of the size of a path. */
function sizeForNobody(store: PrivateStore, storePath: string): unknown {
  const module = JSON.stringify(path.resolve('src/store/sizes.ts'));
  const script = `import { closureSizes } from ${module};
    console.log(closureSizes(${JSON.stringify(store.location)}).textOf(${JSON.stringify(storePath)}) ?? null);`;
  const words = ['--reuid=65534', '--regid=65534', '--clear-groups', process.execPath];
  const node = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script];
  return execFileSync('setpriv', [...words, ...node], { encoding: 'utf8' }).trim();
}

test('is Nix there? A directory without a database says no', asRoot, () => {
  const { store } = storeWith('a');
  assert.ok(hasNixDatabase(store.location));
  const empty = scratchDirectory();
  mkdirSync(path.join(empty, 'db'));
  assert.ok(!hasNixDatabase({ stateDir: empty }));
  assert.ok(!hasNixDatabase({ stateDir: path.join(empty, 'nothing') }));
});

test('an ordinary user reads it when nobody has it open', asRoot, () => {
  const { store, paths } = storeWith('a');
  assert.match(String(sizeForNobody(store, paths[0] ?? '')), /KiB/);
  assert.equal(existsSync(path.join(store.location.stateDir, 'db/db.sqlite-wal')), false);
  assert.deepEqual(askAsNobody(store, [...paths, '/nowhere']), [true, false]);
});

test('an ordinary user sees what a living connection has not checkpointed yet', asRoot, () => {
  const { store, paths } = storeWith('a');
  const file = path.join(store.location.stateDir, 'db/db.sqlite');
  const living = new DatabaseSync(file);
  living.exec('pragma journal_mode = wal; pragma wal_autocheckpoint = 0');
  const fresh = `${store.location.storeDir}/${objectName('fresh')}`;
  living
    .prepare("insert into ValidPaths (path, hash, registrationTime) values (?, 'sha256:0', 1)")
    .run(fresh);
  assert.deepEqual(askAsNobody(store, [...paths, fresh]), [true, true]);
  const library = path.join(path.dirname(store.location.stateDir), 'failing-calls.so');
  buildFailingCalls(library);
  for (const name of ['EINTR', 'EIO'] as const)
    for (const times of [1, 2]) {
      const calls = { call: 'lock', below: file, errno: constants.errno[name], times } as const;
      const answer = askAsNobody(store, [...paths, fresh], failing(library, calls));
      assert.deepEqual(answer, [true, true], `${name}, ${times} times`);
    }
  const without = failing(library, { call: 'lock', below: file, errno: constants.errno.EIO });
  assert.deepEqual(
    askAsNobody(store, [...paths, fresh], without),
    [true, false],
    'as it was last checkpointed',
  );
  living.close();
});

test('a state directory with characters that mean something in a URI is read', asRoot, () => {
  const scratch = scratchDirectory();
  chmodSync(scratch, 0o755);
  const store = openPrivateStore(path.join(scratch, 'odd %41 #x?y'));
  mkdirSync(path.join(scratch, 'source'));
  const added = store.add(path.join(scratch, 'source'));
  assert.deepEqual(askAsNobody(store, [added]), [true]);
});

test('a database that may not be read is none', asRoot, () => {
  const { store, paths } = storeWith('a');
  chmodSync(path.join(store.location.stateDir, 'db/db.sqlite'), 0o600);
  assert.equal(askAsNobody(store, paths), null);
});

test('of a database that is of another store than the directory no path is taken', async () => {
  const scratch = scratchDirectory();
  chmodSync(scratch, 0o755);
  const store = openPrivateStore(path.join(scratch, 'nix'));
  const files = Array.from({ length: 10 }, (_, index) => path.join(scratch, `file-${index}`));
  for (const each of files) writeFileSync(each, each);
  const [one = '', two = ''] = store.run('nix-store', '--add', ...files).split('\n');
  const ask = async () => await realise(store.nix, [one], path.join(scratch, 'link'), () => {});
  const isValid = () => store.run('nix-store', '--check-validity', '--print-invalid', one) === '';
  const why = `${one} is valid for Nix, and there is no such file`;
  for (const each of [one, two]) rmSync(each);
  assert.equal(isOfStore(store.location), false);
  assert.deepEqual(await ask(), { kind: 'failed', why });
  assert.ok(isValid());
  writeFileSync(two, '');
  assert.equal(isOfStore(store.location), true);
  assert.deepEqual(await ask(), { kind: 'undone', why });
  assert.ok(!isValid());
  assert.equal(isOfStore({ ...store.location, stateDir: path.join(scratch, 'nowhere') }), false);
});
