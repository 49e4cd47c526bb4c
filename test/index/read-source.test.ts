// Index files → a side catalogue: read once, several together, replaced, refused, killed in between.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import {
  type CataloguePlace,
  dropSource,
  readSource,
  type SourceState,
} from '../../src/index/read-source.ts';
import { openSideCatalogue, sideCatalogueFile } from '../../src/index/side-catalogue.ts';
import { FROM_SOURCES } from '../from-sources.ts';
import { databaseOf, hashOf, type IndexedPackage, treeOf } from '../rig/file-index.ts';
import { writeLargeIndex } from '../rig/large-index.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'nix-run-foreign-source-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

let serial = 0;
function freshPlace(): CataloguePlace & { readonly directory: string } {
  serial += 1;
  const directory = path.join(scratch, String(serial));
  mkdirSync(directory);
  const file = sideCatalogueFile(path.join(directory, 'catalogues'), '/nix/store');
  return { directory, file, lock: path.join(directory, 'lock'), storeDir: '/nix/store' };
}

const accept = () => ({ kind: 'accepted' }) as const;

interface Watched {
  readonly state: SourceState;
  readonly shares: readonly number[];
}

async function read(place: CataloguePlace, file: string): Promise<Watched> {
  const shares: number[] = [];
  const state = await readSource(place, file, { progress: (share) => shares.push(share), verify: accept });
  return { state, shares };
}

const library = (name: string, number: number): IndexedPackage => ({
  hash: hashOf(number),
  name: `${name}-1.0`,
  attr: name,
  tree: treeOf({
    [`lib/lib${name}.so.1.0`]: 20_000,
    [`lib/lib${name}.so.1`]: `-> lib${name}.so.1.0`,
    [`lib/lib${name}_extra.so.1`]: 9000,
  }),
});

function providers(place: CataloguePlace, name: string): string[] {
  const catalogue = openSideCatalogue(place.file, place.storeDir);
  assert.ok(catalogue, 'there is no catalogue');
  try {
    return catalogue.filesNamed(name).map(({ object, dir }) => `${object.name.slice(33)}/${dir}`);
  } finally {
    catalogue.close();
  }
}

test('a database is read once, and again when it changes', async () => {
  const place = freshPlace();
  const file = path.join(place.directory, 'files');
  writeFileSync(file, databaseOf([library('foo', 1), library('bar', 2)]));
  const first = await read(place, file);
  assert.equal(first.state.kind, 'read', JSON.stringify(first.state));
  assert.ok(
    first.state.kind === 'read' && first.state.source.files === 6 && first.state.source.objects === 2,
  );
  assert.ok(
    first.shares.length > 0 && first.shares.every((share) => share >= 0 && share <= 1),
    String(first.shares),
  );
  assert.deepEqual(providers(place, 'libfoo.so.1'), ['foo-1.0/lib']);
  const second = await read(place, file);
  assert.equal(second.state.kind, 'current');
  assert.deepEqual(second.shares, []);

  // The same size and time, as files in the store have: the content tells.
  utimesSync(file, 1, 1);
  await read(place, file);
  const other = databaseOf([library('fop', 1), library('bar', 2)]);
  writeFileSync(file, other);
  utimesSync(file, 1, 1);
  assert.equal((await read(place, file)).state.kind, 'read');
  assert.deepEqual(providers(place, 'libfoo.so.1'), []);
  assert.deepEqual(providers(place, 'libfop.so.1'), ['fop-1.0/lib']);
});

test('what the catalogue tells of files, links and names', async () => {
  const place = freshPlace();
  const file = path.join(place.directory, 'files');
  writeFileSync(file, databaseOf([library('foo', 1), library('foobar', 2)]));
  await read(place, file);
  const catalogue = openSideCatalogue(place.file, place.storeDir);
  assert.ok(catalogue);
  const [match] = catalogue.filesNamed('libfoo.so.1');
  assert.ok(match);
  assert.deepEqual(
    [match.kind, match.target, match.object.attr, match.object.toplevel],
    ['link', 'libfoo.so.1.0', 'foo', true],
  );
  assert.equal(match.object.stems, 2);
  assert.equal(catalogue.fileIn(match.object, 'lib', match.target)?.size, 20_000);
  assert.equal(catalogue.fileIn(match.object, 'lib', 'libother.so'), undefined);
  assert.equal(catalogue.fileOf(`${hashOf(1)}-foo-1.0`, 'lib', 'libfoo.so.1.0')?.kind, 'executable');
  assert.deepEqual(catalogue.namesBeginning('libfoo', 3), [
    'libfoo.so.1',
    'libfoo.so.1.0',
    'libfoo_extra.so.1',
  ]);
  assert.equal(catalogue.sources().length, 1);
  catalogue.close();
});

test('several indexes in one catalogue: one may change or go, the others stay', async () => {
  const place = freshPlace();
  const [one, two] = ['one', 'two'].map((name) => path.join(place.directory, name)) as [string, string];
  writeFileSync(one, databaseOf([library('foo', 1), library('both', 3)]));
  writeFileSync(two, databaseOf([library('bar', 2), { ...library('both', 3), toplevel: false, attr: '' }]));
  await read(place, one);
  await read(place, two);
  assert.deepEqual(providers(place, 'libfoo.so.1'), ['foo-1.0/lib']);
  assert.deepEqual(providers(place, 'libbar.so.1'), ['bar-1.0/lib']);
  assert.deepEqual(providers(place, 'libboth.so.1'), ['both-1.0/lib'], 'one store object is one candidate');
  writeFileSync(one, databaseOf([library('baz', 4)]));
  await read(place, one);
  assert.deepEqual(providers(place, 'libfoo.so.1'), []);
  assert.deepEqual(providers(place, 'libbar.so.1'), ['bar-1.0/lib']);
  assert.deepEqual(providers(place, 'libbaz.so.1'), ['baz-1.0/lib']);
  assert.equal(await dropSource(place, two), true);
  assert.equal(await dropSource(place, two), false);
  assert.deepEqual(providers(place, 'libbar.so.1'), []);
  assert.deepEqual(providers(place, 'libbaz.so.1'), ['baz-1.0/lib']);
});

test('a damaged index gives nothing, is not read again, and takes nothing from others', async () => {
  const place = freshPlace();
  const [good, bad] = ['good', 'bad'].map((name) => path.join(place.directory, name)) as [string, string];
  const bytes = databaseOf(Array.from({ length: 500 }, (_, i) => library(`n${i}`, i + 1)));
  writeFileSync(good, databaseOf([library('foo', 1)]));
  writeFileSync(bad, bytes.subarray(0, bytes.length - 5));
  await read(place, good);
  const first = await read(place, bad);
  assert.ok(
    first.state.kind === 'read' && first.state.source.refusal?.kind === 'damaged',
    JSON.stringify(first.state),
  );
  const again = await read(place, bad);
  assert.ok(again.state.kind === 'current' && again.state.source.refusal?.kind === 'damaged');
  assert.deepEqual(providers(place, 'libn1.so.1'), []);
  assert.deepEqual(providers(place, 'libfoo.so.1'), ['foo-1.0/lib']);
  writeFileSync(bad, bytes);
  const whole = await read(place, bad);
  assert.ok(whole.state.kind === 'read' && whole.state.source.refusal === undefined);
  assert.deepEqual(providers(place, 'libn1.so.1'), ['n1-1.0/lib']);
});

test('an index that changes while it is read is not taken', async () => {
  const place = freshPlace();
  const file = path.join(place.directory, 'files');
  writeFileSync(file, databaseOf([library('foo', 1)]));
  const progress = () => appendFileSync(file, 'x');
  const state = await readSource(place, file, { progress, verify: accept });
  assert.deepEqual(state, { kind: 'changed' });
  assert.equal(existsSync(place.file), false);
  // One that is replaced is another file: what was opened is what counts.
  writeFileSync(file, databaseOf([library('foo', 1)]));
  const replace = () => {
    writeFileSync(`${file}.new`, databaseOf([library('bar', 2)]));
    renameSync(`${file}.new`, file);
  };
  assert.equal((await readSource(place, file, { progress: replace, verify: accept })).kind, 'read');
  assert.deepEqual(providers(place, 'libfoo.so.1'), ['foo-1.0/lib']);
  assert.equal((await read(place, file)).state.kind, 'read');
  assert.deepEqual(providers(place, 'libbar.so.1'), ['bar-1.0/lib']);
});

test('files that cannot be read, and places that cannot be written', async () => {
  const place = freshPlace();
  assert.equal((await read(place, path.join(place.directory, 'none'))).state.kind, 'unreadable');
  assert.equal((await read(place, place.directory)).state.kind, 'unreadable');
  const fifo = path.join(place.directory, 'fifo');
  await once(spawn('mkfifo', [fifo]), 'exit');
  assert.equal((await read(place, fifo)).state.kind, 'unreadable');
  const file = path.join(place.directory, 'files');
  writeFileSync(file, databaseOf([library('foo', 1)]));
  writeFileSync(path.join(place.directory, 'plain'), '');
  const nowhere = { ...place, file: path.join(place.directory, 'plain', 'x.sqlite') };
  assert.equal((await read(nowhere, file)).state.kind, 'unwritable');
  const full = { ...place, file: '/dev/full/x.sqlite' };
  assert.equal((await read(full, file)).state.kind, 'unwritable');
});

test('a catalogue that is damaged, of another version, or no catalogue is made anew', async () => {
  const place = freshPlace();
  const file = path.join(place.directory, 'files');
  writeFileSync(file, databaseOf([library('foo', 1)]));
  await read(place, file);
  const damage: (() => void)[] = [
    () => writeFileSync(place.file, 'hello'),
    () => writeFileSync(place.file, ''),
    () => truncateSync(place.file, 4096),
    () => writeFileSync(place.file, Buffer.alloc(50_000, 7)),
  ];
  for (const [i, harm] of damage.entries()) {
    harm();
    assert.equal((await read(place, file)).state.kind, 'read', `case ${i}`);
    assert.deepEqual(providers(place, 'libfoo.so.1'), ['foo-1.0/lib'], `case ${i}`);
  }
});

test('a link to the store is the file it leads to', async () => {
  const place = freshPlace();
  const [file, link] = ['files', 'link'].map((name) => path.join(place.directory, name)) as [string, string];
  writeFileSync(file, databaseOf([library('foo', 1)]));
  symlinkSync(file, link);
  assert.equal((await read(place, link)).state.kind, 'read');
  assert.equal((await read(place, file)).state.kind, 'current');
});

const PROGRAM = path.join(import.meta.dirname, 'programs/read-source.ts');

function start(place: CataloguePlace, file: string) {
  const words = [...FROM_SOURCES, PROGRAM, place.file, place.lock, file];
  return spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
}

async function outputOf(child: ReturnType<typeof start>): Promise<string> {
  let text = '';
  child.stdout?.on('data', (piece) => {
    text += String(piece);
  });
  await once(child, 'close');
  return text;
}

test('several processes at once: one reads, all have it', { timeout: 120_000 }, async () => {
  const place = freshPlace();
  const file = path.join(place.directory, 'files');
  writeLargeIndex(file, 100_000);
  const outputs = await Promise.all([1, 2, 3].map(() => outputOf(start(place, file))));
  assert.deepEqual(outputs.map((each) => JSON.parse(each.trim().split('\n').at(-1) ?? '').kind).sort(), [
    'current',
    'current',
    'read',
  ]);
});

test('killed at any moment: the old catalogue stays, the next process cleans up', {
  timeout: 180_000,
}, async () => {
  const place = freshPlace();
  const [old, file] = ['old', 'files'].map((name) => path.join(place.directory, name)) as [string, string];
  writeFileSync(old, databaseOf([library('foo', 1)]));
  const { sonames } = writeLargeIndex(file, 200_000);
  await read(place, old);
  for (let kills = 0; kills < 6; kills += 1) {
    const child = start(place, file);
    // It prints a line for each piece that it has read.
    let lines = 0;
    for await (const piece of child.stdout ?? []) {
      lines += String(piece).split('\n').length - 1;
      if (lines > kills * 3) break;
    }
    child.kill('SIGKILL');
    await once(child, 'close').catch(() => {});
    assert.deepEqual(providers(place, 'libfoo.so.1'), ['foo-1.0/lib'], `kill ${kills}`);
  }
  await read(place, file);
  assert.deepEqual(providers(place, 'libfoo.so.1'), ['foo-1.0/lib']);
  assert.equal(providers(place, sonames[0] ?? '').length, 1);
  assert.deepEqual(readdirSync(path.dirname(place.file)), [path.basename(place.file)]);
});

test('a disk that is full: said in one line, and nothing is left on it', {
  skip: process.getuid?.() === 0 ? false : 'root alone can mount a small disk',
}, () => {
  const place = freshPlace();
  const file = path.join(place.directory, 'files');
  writeLargeIndex(file, 100_000);
  const disk = path.join(place.directory, 'disk');
  mkdirSync(disk);
  const node = [process.execPath, '--disable-warning=ExperimentalWarning', PROGRAM];
  const words = [...node, path.join(disk, 'x.sqlite'), place.lock, file];
  const script = 'mount -t tmpfs -o size=32k none "$0" && "$@" && ls -A "$0"';
  const { stdout, status } = spawnSync('unshare', ['-m', 'sh', '-c', script, disk, ...words], {
    encoding: 'utf8',
  });
  assert.equal(status, 0);
  const [last = ''] = stdout.trim().split('\n').slice(-1);
  assert.match(
    last,
    /^\{"kind":"unwritable","why":"[^"\n]*(full|space)[^"\n]*","remedy":"make room there"\}$/,
  );
});

test('a place that is read-only for us', {
  skip: process.getuid?.() === 0 ? 'root may write everywhere' : false,
}, async () => {
  const place = freshPlace();
  const file = path.join(place.directory, 'files');
  writeFileSync(file, databaseOf([library('foo', 1)]));
  chmodSync(place.directory, 0o500);
  assert.equal((await read(place, file)).state.kind, 'unwritable');
  chmodSync(place.directory, 0o700);
});
