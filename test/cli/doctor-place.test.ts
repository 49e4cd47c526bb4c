// Directories are tried by writing, the catalogue is looked at and never changed.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { checkCatalogue, checkDirectories, checkPlaces } from '../../src/cli/doctor/checks.ts';
import { checkStarts } from '../../src/cli/doctor/summary.ts';
import type { Directories } from '../../src/host/directories.ts';
import { remedyOf } from '../../src/host/errors.ts';
import { openCatalogue } from '../../src/store/catalogue.ts';
import { catalogueFile } from '../../src/store/catalogue-file.ts';
import { FROM_SOURCES } from '../from-sources.ts';
import { asRoot } from '../launcher/tool-fixture.ts';
import { scratchDirectory } from '../store/compiled-library.ts';

const scratch = scratchDirectory();
const uid = process.geteuid?.() ?? 0;
const location = { storeDir: path.join(scratch, 'store'), stateDir: path.join(scratch, 'var') };

function placeIn(name: string): Directories {
  const at = (...names: string[]) => path.join(scratch, name, ...names);
  const [cache, state] = [at('cache/v1'), at('state/v1')];
  const below = (directory: string, each: string) => path.join(directory, each);
  return {
    cache,
    state,
    plans: below(cache, 'plans'),
    farms: below(cache, 'farms'),
    locks: below(cache, 'locks'),
    catalogues: below(cache, 'catalogues'),
    roots: below(state, 'roots'),
    fingerprints: below(state, 'fingerprints'),
  };
}

test('a place that can be written, and nothing is left in it', () => {
  const dirs = placeIn('good');
  assert.equal(checkDirectories(dirs, uid).state, 'ok');
  for (const directory of [dirs.plans, dirs.farms, dirs.locks, dirs.catalogues, dirs.roots])
    assert.deepEqual(readdirSync(directory), [], directory);
});

test('a directory that takes no file is named, although its modes allow it', asRoot, () => {
  const dirs = placeIn('full');
  assert.equal(checkDirectories(dirs, uid).state, 'ok');
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4k,nr_inodes=1,mode=700', 'none', dirs.roots]);
  try {
    const { state, detail, remedy } = checkDirectories(dirs, uid);
    assert.deepEqual([state, detail], ['lack', `${dirs.roots}: no space left on the device`]);
    assert.equal(remedy, remedyOf('ENOSPC'));
  } finally {
    execFileSync('umount', [dirs.roots]);
  }
});

test('where the own place cannot be written starts go on in the other, and that is told', () => {
  const [own, other] = [placeIn('file/own'), placeIn('other')];
  writeFileSync(path.join(scratch, 'file'), '');
  const { dirs, checks } = checkPlaces([own, other], uid);
  assert.equal(dirs, other);
  const said = checks.map(({ subject, state }) => [subject, state]);
  assert.deepEqual(said, [
    ['directories', 'ok'],
    ['own directories', 'lack'],
  ]);
  assert.ok(checks[1]?.detail.endsWith(`what is found is kept in ${path.dirname(other.cache)} only`));
  assert.equal(checkStarts(checks, { arch: process.arch, env: {} }).state, 'ok');
  const nowhere = checkPlaces([own, placeIn('file/other')], uid).checks;
  assert.deepEqual(
    nowhere.map(({ subject, state }) => [subject, state]),
    [['directories', 'lack']],
  );
});

test('a catalogue that is missing is none the less missing afterwards', () => {
  const dirs = placeIn('empty');
  const check = checkCatalogue(dirs, location);
  assert.deepEqual([check.state, check.detail], ['note', 'it is filled at the first start']);
  assert.ok(!existsSync(path.join(scratch, 'empty')));
});

function filledPlace(name: string): Directories {
  const dirs = placeIn(name);
  const catalogue = openCatalogue(catalogueFile(dirs.catalogues, location.storeDir), location.storeDir);
  catalogue.update(new Map([['a', []]]), []);
  catalogue.close();
  return dirs;
}

test('a catalogue that is there is counted', () => {
  const dirs = filledPlace('there');
  const { state, detail } = checkCatalogue(dirs, location);
  assert.equal(state, 'ok');
  assert.match(detail, /^0 libraries in 1 store objects: /);
});

test('a damaged catalogue, one of another making and a directory stay as they are', () => {
  const dirs = placeIn('damaged');
  const file = catalogueFile(dirs.catalogues, location.storeDir);
  mkdirSync(dirs.catalogues, { recursive: true });
  writeFileSync(file, 'no database '.repeat(100));
  assert.equal(checkCatalogue(dirs, location).state, 'note');
  assert.equal(readFileSync(file, 'utf8'), 'no database '.repeat(100));
  writeFileSync(file, '');
  assert.notEqual(checkCatalogue(dirs, location).state, 'ok');
  assert.equal(readFileSync(file, 'utf8'), '');
  rmSync(file);
  mkdirSync(file);
  assert.notEqual(checkCatalogue(dirs, location).state, 'ok');
  assert.deepEqual(readdirSync(dirs.catalogues), [path.basename(file)]);
});

test('one that somebody else has to themselves just now lacks nothing', () => {
  const dirs = filledPlace('busy');
  const file = catalogueFile(dirs.catalogues, location.storeDir);
  const other = new DatabaseSync(file);
  other.exec('pragma locking_mode = exclusive; begin exclusive');
  try {
    const { subject, state, detail, remedy } = checkCatalogue(dirs, location);
    assert.deepEqual([subject, state, remedy], ['catalogue', 'note', undefined]);
    assert.ok(
      detail.startsWith(`${file}: no lock is to be had, so it was not counted: another process holds it`),
      detail,
    );
  } finally {
    other.close();
  }
});

test('a good one for which no file can be opened: the limit is named, not the file', () => {
  const dirs = filledPlace('crowded');
  const program = path.join(import.meta.dirname, 'programs/crowded-checks.ts');
  const words = [process.execPath, ...FROM_SOURCES, program, JSON.stringify([dirs, location])];
  const stdout = execFileSync('bash', ['-c', 'ulimit -n 128; exec "$@"', 'bash', ...words], {
    encoding: 'utf8',
  });
  const { state, detail, remedy, expected } = JSON.parse(stdout);
  assert.deepEqual([state, remedy], ['lack', expected]);
  assert.match(detail, /\.sqlite: too many open files$/);
});

test('a good one beside which SQLite can make no -shm is not to be removed', asRoot, () => {
  const dirs = filledPlace('read only');
  const still = path.join(scratch, 'still');
  cpSync(dirs.catalogues, still, { recursive: true });
  execFileSync('mount', ['--bind', still, dirs.catalogues]);
  try {
    execFileSync('mount', ['-o', 'remount,bind,ro', dirs.catalogues]);
    const { state, detail, remedy } = checkCatalogue(dirs, location);
    assert.equal(state, 'lack');
    assert.match(detail, /\.sqlite: read-only file system$/);
    assert.match(remedy ?? '', /^check the path and its permissions/);
  } finally {
    execFileSync('umount', [dirs.catalogues]);
  }
});
