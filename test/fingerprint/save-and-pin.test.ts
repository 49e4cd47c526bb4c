// Keeping a fingerprint: pinned by real Nix, kept plainly without, refused when a path vanished.
import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { canonicalText, type Fingerprint } from '../../src/fingerprint/fingerprint.ts';
import { alsoPin, saveAndPin, startSaving } from '../../src/fingerprint/save-and-pin.ts';
import {
  documentBehind,
  plainFingerprint,
  restore,
  rootLink,
  savedBefore,
  savedFingerprintsOf,
  unpin,
} from '../../src/fingerprint/saved-fingerprints.ts';
import { createDirectories, type Directories, temporaryDirectories } from '../../src/host/directories.ts';
import { needTool } from '../launcher/tool-fixture.ts';
import { scratchDirectory } from '../store/compiled-library.ts';
import { openPrivateStore } from '../store/private-store.ts';

needTool('nix-store', 'nix-bin');
const scratch = scratchDirectory();
chmodSync(scratch, 0o755);
const store = openPrivateStore(path.join(scratch, 'nix'));
const { storeDir } = store.location;
const KEY = '0123456789abcdef';

let serial = 0;

function newPlace(): Directories {
  serial += 1;
  const at = (...names: string[]): string => path.join(scratch, `place${serial}`, ...names);
  const place = {
    ...temporaryDirectories(process.geteuid?.() ?? 0),
    cache: at('v1'),
    state: at('state'),
    plans: at('v1/plans'),
    farms: at('v1/farms'),
    locks: at('v1/locks'),
    catalogues: at('v1/catalogues'),
    roots: at('state/roots'),
    fingerprints: at('state/fingerprints'),
  };
  createDirectories(place, process.geteuid?.() ?? 0);
  return place;
}

function addLibrary(name: string): string {
  const source = path.join(scratch, 'sources', name, 'lib');
  mkdirSync(source, { recursive: true });
  writeFileSync(path.join(source, 'lib.so'), name);
  return store.add(path.dirname(source));
}

function fingerprint(sha256: string, ...objects: string[]): Fingerprint {
  const [loader = '', ...libraries] = objects;
  return {
    version: 2,
    program: { sha256: sha256.repeat(64), size: 1, system: 'x86_64-linux', interpreter: '/lib64/ld' },
    loader: { storePath: loader, file: 'lib/lib.so' },
    libraries: libraries.map((storePath, i) => ({
      soname: `l${i}.so`,
      storePath,
      file: 'lib/lib.so',
      match: 'exact',
    })),
    tool: { name: 'nix-run-foreign', version: '0.1.0' },
  };
}

test('pinned: the link names the document, the collector keeps it and what it names', async () => {
  const dirs = newPlace();
  const [loader, library] = [addLibrary('loader-1'), addLibrary('library-1')];
  const document = fingerprint('a', loader, library);
  const link = rootLink(dirs, document.program.sha256, KEY);
  const root = await saveAndPin(startSaving(store.nix, link), document, dirs, link);
  assert.deepEqual(root, { kind: 'saved', file: link });
  assert.equal(readFileSync(link, 'utf8'), canonicalText(document));
  store.run('nix-store', '--gc');
  for (const each of [link, loader, library]) assert.ok(existsSync(each), each);

  const saved = await savedFingerprintsOf([dirs], document.program.sha256, KEY, storeDir);
  assert.deepEqual(saved, [{ fingerprint: document, file: link }]);
  assert.deepEqual(await savedFingerprintsOf([dirs], 'b'.repeat(64), KEY, storeDir), []);

  // The same content at another place of the program: a link of its own to the same document.
  const second = rootLink(dirs, document.program.sha256, 'fedcba9876543210');
  const also = await alsoPin(store.nix, { fingerprint: document, file: link }, dirs, second);
  assert.deepEqual(also, { kind: 'saved', file: second });
  assert.equal(readlinkSync(second), readlinkSync(link));
  unpin(link);
  store.run('nix-store', '--gc');
  assert.ok(existsSync(second) && existsSync(library), 'the other place still pins it');
  unpin(second);
  store.run('nix-store', '--gc');
  assert.ok(!existsSync(library) && !existsSync(path.dirname(second)));
});

test('where a run was killed while it pinned, the derivation that it left has the document', async () => {
  const dirs = newPlace();
  const document = fingerprint('7', addLibrary('loader-10'));
  const { sha256 } = document.program;
  const link = rootLink(dirs, sha256, KEY);
  await saveAndPin(startSaving(store.nix, link), document, dirs, link);
  const [text, derivation] = [readlinkSync(link), derivationOf(readlinkSync(link))];
  rmSync(link);
  symlinkSync(derivation, link);
  const [saved] = await savedFingerprintsOf([dirs], sha256, KEY, storeDir);
  assert.deepEqual(saved, { fingerprint: document, file: link });
  assert.equal(documentBehind(link), text);
  assert.deepEqual(await alsoPin(store.nix, saved, dirs, link), { kind: 'saved', file: link });
  assert.equal(readlinkSync(link), text);
  assert.equal(documentBehind(link), text);
});

function derivationOf(text: string): string {
  const derivations = readdirSync(storeDir).filter((name) => name.endsWith('-pins-a-text.drv'));
  const files = derivations.map((name) => path.join(storeDir, name));
  return files.find((file) => readFileSync(file, 'utf8').includes(text)) ?? assert.fail();
}

test('a link that Nix has dropped from its roots is made one again', async () => {
  const dirs = newPlace();
  const document = fingerprint('6', addLibrary('loader-9'));
  const link = rootLink(dirs, document.program.sha256, KEY);
  const file = link;
  await saveAndPin(startSaving(store.nix, link), document, dirs, link);
  const auto = path.join(store.location.stateDir, 'gcroots/auto');
  const entries = () => readdirSync(auto).map((name) => readlinkSync(path.join(auto, name)));
  assert.ok(entries().includes(link));
  const asPinned = { kind: 'saved', file } as const;
  // As a collector does while the link cannot be seen.
  renameSync(link, `${link}.away`);
  store.run('nix-store', '--gc', '--print-roots');
  renameSync(`${link}.away`, link);
  assert.equal(entries().includes(link), false);
  assert.deepEqual(await alsoPin(store.nix, { fingerprint: document, file }, dirs, link), asPinned);
  assert.ok(entries().includes(link));
  store.run('nix-store', '--gc');
  assert.equal(readFileSync(link, 'utf8'), canonicalText(document));
});

test('without Nix a plain file is the record, with the reason', async () => {
  const dirs = newPlace();
  const document = fingerprint('c', addLibrary('loader-2'));
  const link = rootLink(dirs, document.program.sha256, KEY);
  const root = await saveAndPin(startSaving(undefined, link), document, dirs, link);
  const file = plainFingerprint(dirs, document.program.sha256);
  assert.deepEqual(root, { kind: 'saved', file, unpinned: 'Nix was not found' });
  assert.equal(lstatSync(file).mode & 0o077, 0);
  const [saved] = await savedFingerprintsOf([dirs], document.program.sha256, KEY, storeDir);
  assert.ok(saved);
  assert.equal(saved.file, file);
  // Nix is there the next time: then it is pinned, and the plain file goes.
  assert.deepEqual(await alsoPin(store.nix, saved, dirs, link), { kind: 'saved', file: link });
  assert.equal(existsSync(file), false);
});

test('a Nix that cannot work degrades to a plain file', async () => {
  const dirs = newPlace();
  const document = fingerprint('d', addLibrary('loader-3'));
  const link = rootLink(dirs, document.program.sha256, KEY);
  const broken = { bin: path.join(scratch, 'nowhere'), env: {} };
  const root = await saveAndPin(startSaving(broken, link), document, dirs, link);
  assert.ok(root.kind === 'saved' && root.unpinned !== undefined, JSON.stringify(root));
  const noDaemon = { ...store.nix, env: { ...store.nix.env, NIX_REMOTE: 'unix:///nowhere/socket' } };
  const other = await saveAndPin(startSaving(noDaemon, link), document, dirs, link);
  assert.ok(other.kind === 'saved' && other.unpinned !== undefined, JSON.stringify(other));
});

for (const [kind, nix] of [
  ['by Nix', store.nix],
  ['without Nix', undefined],
] as const) {
  test(`what was saved before comes back ${kind}, a plain record too`, async () => {
    const dirs = newPlace();
    const [earlier, later] = ['7', '8'].map((each) => fingerprint('9', addLibrary(`loader-${each}`)));
    assert.ok(earlier && later);
    const { sha256 } = earlier.program;
    const link = rootLink(dirs, sha256, KEY);
    const file = plainFingerprint(dirs, sha256);
    const saved = () => savedFingerprintsOf([dirs], sha256, KEY, storeDir);
    const nothing = savedBefore(dirs, sha256, link);
    await saveAndPin(startSaving(nix, link), later, dirs, link);
    assert.equal((await saved()).length, 1);
    await restore(nix, nothing, [later]);
    assert.deepEqual(await saved(), []);

    await saveAndPin(undefined, earlier, dirs, link);
    const plain = savedBefore(dirs, sha256, link);
    await saveAndPin(startSaving(nix, link), later, dirs, link);
    assert.deepEqual((await saved())[0]?.fingerprint, later);
    await restore(nix, plain, [later]);
    assert.deepEqual(await saved(), [{ fingerprint: earlier, file }]);
  });
}

test('what another place of the content saved meanwhile stays', async () => {
  const dirs = newPlace();
  const [first, refused, other] = ['10', '11', '12'].map((each) =>
    fingerprint('8', addLibrary(`loader-${each}`)),
  );
  assert.ok(first && refused && other);
  const { sha256 } = first.program;
  const link = rootLink(dirs, sha256, KEY);
  for (const earlier of [[], [first]]) {
    for (const each of earlier) await saveAndPin(undefined, each, dirs, link);
    const before = savedBefore(dirs, sha256, link);
    await saveAndPin(undefined, refused, dirs, link);
    await saveAndPin(undefined, other, dirs, rootLink(dirs, sha256, 'fedcba9876543210'));
    await restore(undefined, before, [refused]);
    assert.equal(readFileSync(plainFingerprint(dirs, sha256), 'utf8'), canonicalText(other));
  }
});

test('a path that vanished is told by name, and nothing is kept', async () => {
  const dirs = newPlace();
  const gone = addLibrary('loader-4');
  store.run('nix-store', '--delete', gone);
  const document = fingerprint('e', addLibrary('loader-5'), gone);
  const link = rootLink(dirs, document.program.sha256, KEY);
  const root = await saveAndPin(startSaving(store.nix, link), document, dirs, link);
  assert.ok(root.kind === 'vanished' && root.why.includes(gone), JSON.stringify(root));
  assert.deepEqual(await savedFingerprintsOf([dirs], document.program.sha256, KEY, storeDir), []);
});

test('a record that is damaged, dangling, foreign, a directory or a device is none', async () => {
  const dirs = newPlace();
  const sha256 = 'f'.repeat(64);
  const link = rootLink(dirs, sha256, KEY);
  mkdirSync(path.dirname(link), { recursive: true });
  const file = path.join(scratch, 'damaged');
  for (const content of [
    '',
    '{',
    canonicalText(fingerprint('0', addLibrary('loader-6'))),
    'x'.repeat(2 << 20),
  ]) {
    writeFileSync(file, content);
    unpin(link);
    mkdirSync(path.dirname(link), { recursive: true });
    symlinkSync(file, link);
    assert.deepEqual(await savedFingerprintsOf([dirs], sha256, KEY, storeDir), []);
  }
  for (const target of ['/nowhere', '/', '/dev/zero']) {
    unpin(link);
    mkdirSync(path.dirname(link), { recursive: true });
    symlinkSync(target, link);
    assert.deepEqual(await savedFingerprintsOf([dirs], sha256, KEY, storeDir), []);
  }
});
