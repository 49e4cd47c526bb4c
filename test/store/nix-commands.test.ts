// The Nix command lines against real Nix: texts with exact references, roots that the collector honours, refusals.
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { pin, pinned, unpin } from '../../src/fingerprint/saved-fingerprints.ts';
import { type Pinned, type StoreText, startRootAdder } from '../../src/store/add-and-pin.ts';
import { addRoot, complaintOf, findNix, invalidPaths, nixVersion } from '../../src/store/nix.ts';
import { needTool } from '../launcher/tool-fixture.ts';
import { scratchDirectory } from './compiled-library.ts';
import { openPrivateStore, type PrivateStore } from './private-store.ts';

needTool('nix-store', 'nix-bin');
const scratch = scratchDirectory();
chmodSync(scratch, 0o755);
const store = openPrivateStore(path.join(scratch, 'nix'));

function addDirectory(name: string): string {
  const source = path.join(scratch, 'sources', name);
  mkdirSync(source, { recursive: true });
  writeFileSync(path.join(source, 'file'), name);
  return store.add(source);
}

const firstLink = path.join(scratch, 'links/text');

const add = (text: StoreText, at: PrivateStore = store): Promise<Pinned> =>
  startRootAdder(at.nix, firstLink).pin(text);

function pathOf(added: Pinned): string {
  assert.equal(added.kind, 'pinned', JSON.stringify(added));
  return added.kind === 'pinned' ? added.storePath : '';
}

test('the references of a text are exactly those given', async () => {
  const [a, b, other] = ['a', 'b', 'other'].map(addDirectory);
  assert.ok(a && b && other);
  // The third is in the text without being given, the second given without being in the text.
  const added = pathOf(await add({ name: 'x.json', content: `${a} ${other}\n`, references: [a, b] }));
  assert.deepEqual(store.run('nix-store', '-q', '--references', added).split('\n').sort(), [a, b].sort());
  assert.equal(readFileSync(added, 'utf8'), `${a} ${other}\n`);
});

/* biome-ignore-start lint/suspicious/noTemplateCurlyInString: it is Nix's antiquotation */
const contents: Record<string, string> = {
  quotes: `{"a":"say \\"hi\\" and 'this'"}`,
  antiquotation: '${x} $${y} $$${z} \\${w} $ { $',
  'line ends': 'one\ntwo\r\nthree\rfour\n\n',
  tabs: 'a\tb\\tc\\\\d\\',
  'beyond ASCII': 'é ü 日本語 \u{1f600} \u2028',
  'Nix words': "in let ${builtins.abort \"x\"} ''two'' /* no comment */ # none",
  empty: '',
  long: 'x'.repeat(300_000),
};
/* biome-ignore-end lint/suspicious/noTemplateCurlyInString: see above */

for (const [what, content] of Object.entries(contents)) {
  test(`a text comes back byte for byte: ${what}`, async () => {
    assert.equal(readFileSync(pathOf(await add({ name: 'text', content, references: [] })), 'utf8'), content);
  });
}

test('same text, same store object', async () => {
  const reference = addDirectory('same');
  const text = { name: 'same.json', content: '{}\n', references: [reference] };
  assert.equal(pathOf(await add(text)), pathOf(await add(text)));
});

test('a path that is not valid any more is named, and nothing is added', async () => {
  const gone = addDirectory('gone');
  store.run('nix-store', '--delete', gone);
  const before = store.run('nix-store', '--dump-db');
  const added = await add({ name: 'y', content: 'y', references: [addDirectory('a'), gone] });
  assert.equal(added.kind, 'vanished');
  assert.equal(added.kind === 'vanished' && added.storePath, gone, JSON.stringify(added));
  assert.equal(store.run('nix-store', '--dump-db'), before);
});

test('a path that is in the store directory and not registered counts as gone', async () => {
  const unknown = path.join(store.location.storeDir, `${'a'.repeat(32)}-unknown`);
  mkdirSync(unknown, { recursive: true });
  const added = await add({ name: 'y', content: 'y', references: [unknown] });
  assert.equal(added.kind === 'vanished' && added.storePath, unknown, JSON.stringify(added));
});

test('settings that forbid store paths in evaluation do not concern us', async () => {
  const env = { ...store.nix.env, NIX_CONFIG: 'restrict-eval = true\npure-eval = true' };
  const reference = addDirectory('pure');
  const rootAdder = startRootAdder({ ...store.nix, env }, firstLink);
  const added = await rootAdder.pin({ name: 'p', content: 'p', references: [reference] });
  assert.equal(added.kind, 'pinned', JSON.stringify(added));
});

test('a Nix that was started for nothing ends', async () => {
  const rootAdder = startRootAdder(store.nix, firstLink);
  rootAdder.abandon();
  const added = await rootAdder.pin({ name: 'z', content: 'z', references: [] });
  assert.equal(added.kind, 'refused');
});

test('a Nix that cannot be started is refused in words', async () => {
  const nix = { bin: '/nowhere', env: {} };
  const added = await startRootAdder(nix, firstLink).pin({ name: 'z', content: 'z', references: [] });
  assert.deepEqual(added, { kind: 'refused', why: 'it could not be started (ENOENT)' });
  assert.equal(await nixVersion(nix), undefined);
});

test('the link is an indirect root of the text itself, and replaces the one before', async () => {
  const [one, two] = [addDirectory('first'), addDirectory('second')];
  const before = pathOf(await add({ name: 'pinned.json', content: '1', references: [one] }));
  const after = pathOf(await add({ name: 'pinned.json', content: '2', references: [two] }));
  assert.equal(pinned(firstLink), after);
  store.run('nix-store', '--gc');
  assert.ok(existsSync(after) && existsSync(two));
  assert.equal(existsSync(before) || existsSync(one), false);
  const roots = store.run('nix-store', '--query', '--roots', two);
  assert.ok(roots.includes(firstLink), roots);
});

test('a root keeps a text and all it references; without it the collector takes them', async () => {
  const saved = addDirectory('kept');
  const added = pathOf(await add({ name: 'root.json', content: 'r', references: [saved] }));
  unpin(firstLink);
  const link = path.join(scratch, 'roots/deep/link');
  assert.deepEqual(await pin(store.nix, link, added), { kind: 'rooted' });
  assert.equal(pinned(link), added);
  store.run('nix-store', '--gc');
  assert.ok(existsSync(added) && existsSync(saved));
  assert.deepEqual([...(await invalidPaths(store.nix, [added, saved]))], []);
  unpin(link);
  assert.equal(existsSync(path.dirname(link)), false, 'an empty directory is not left behind');
  store.run('nix-store', '--gc');
  assert.equal(existsSync(added) || existsSync(saved), false);
  assert.deepEqual([...(await invalidPaths(store.nix, [added, saved]))].sort(), [added, saved].sort());
});

test('a root link is moved to another text', async () => {
  const link = path.join(scratch, 'moved');
  const [one, two] = [
    pathOf(await add({ name: 'one', content: '1', references: [] })),
    pathOf(await add({ name: 'two', content: '2', references: [] })),
  ];
  for (const each of [one, two]) assert.deepEqual(await addRoot(store.nix, link, each), { kind: 'rooted' });
  assert.equal(pinned(link), two);
});

test('a file that is no link of ours is never replaced', async () => {
  const text = pathOf(await add({ name: 'one', content: '1', references: [] }));
  const file = path.join(scratch, 'file');
  writeFileSync(file, 'mine');
  const foreign = path.join(scratch, 'foreign');
  symlinkSync('/etc/passwd', foreign);
  for (const link of [file, foreign]) assert.equal((await addRoot(store.nix, link, text)).kind, 'refused');
  assert.equal(readFileSync(file, 'utf8'), 'mine');
  assert.equal(pinned(foreign), '/etc/passwd');
});

test('a vanished path gets no root, and no link', async () => {
  const gone = addDirectory('gone-before-root');
  store.run('nix-store', '--delete', gone);
  const link = path.join(scratch, 'no-root');
  const result = await addRoot(store.nix, link, gone);
  assert.equal(result.kind === 'vanished' && result.storePath, gone, JSON.stringify(result));
  assert.equal(pinned(link), undefined);
});

test('asking for the version makes no store', async () => {
  const at = (name: string): string => path.join(scratch, 'nothing', name);
  const env = { ...store.nix.env, NIX_STORE_DIR: at('store'), NIX_STATE_DIR: at('var') };
  assert.match((await nixVersion({ ...store.nix, env })) ?? '', /^\d+\.\d+/);
  assert.equal(existsSync(path.join(scratch, 'nothing')), false);
});

test('the version is a version', async () => {
  assert.match((await nixVersion(store.nix)) ?? '', /^\d+\.\d+/);
});

test('Nix is found on PATH first, in usual places without, and gets a harmless environment', () => {
  const bin = path.join(scratch, 'bin');
  mkdirSync(bin);
  writeFileSync(path.join(bin, 'nix-store'), '#!/bin/sh\n', { mode: 0o755 });
  assert.equal(findNix({ PATH: `/nowhere:relative:${bin}:/usr/bin` })?.bin, bin);
  assert.equal(findNix({ PATH: path.relative('.', bin), HOME: '/nowhere' })?.bin !== bin, true);
  for (const [profile, env] of [
    ['.nix-profile', {}],
    ['.local/state/nix/profile', {}],
    ['state/nix/profile', { XDG_STATE_HOME: path.join(scratch, 'of-profiles/state') }],
  ] as const) {
    const home = path.join(scratch, 'of-profiles');
    const own = path.join(home, profile, 'bin');
    mkdirSync(own, { recursive: true });
    symlinkSync('/bin/true', path.join(own, 'nix-store'));
    assert.equal(findNix({ HOME: home, ...env })?.bin, own);
    rmSync(home, { recursive: true });
  }
  assert.ok(findNix({}), 'with a wiped environment');
  const env = findNix({
    PATH: bin,
    HOME: '/home/me',
    NIX_REMOTE: 'daemon',
    LD_LIBRARY_PATH: '/x',
    LD_PRELOAD: '/y',
    NODE_OPTIONS: '--z',
    NIX_LD: '/l',
    NIX_LD_LIBRARY_PATH_x86_64_linux: '/l',
    GLIBC_TUNABLES: 'a',
    OPENSSL_CONF: '/o.cnf',
    BASH_ENV: '/b',
    LANGUAGES: 'not LANGUAGE',
    LC_ALL: 'C',
    NIX_RUN_FOREIGN_RESOLVING: '1',
    NIX_RUN_FOREIGN_DEBUG: '1',
    GONE: undefined,
  })?.env;
  assert.deepEqual(env, {
    ...{ PATH: bin, HOME: '/home/me', NIX_REMOTE: 'daemon' },
    ...{ LC_ALL: 'C', NIX_RUN_FOREIGN_RESOLVING: '1' },
  });
});

test('what went wrong is the last line that says error, without colours', () => {
  const ended = { status: 1, stdout: '', failure: undefined, timedOut: false };
  const stderr = "warning: x\n\u001b[31;1merror:\u001b[0m path '/a' is not valid\n   at file\n";
  assert.equal(complaintOf({ ...ended, stderr }), "path '/a' is not valid");
  assert.equal(complaintOf({ ...ended, stderr: 'only this\n\n' }), 'only this');
  assert.equal(complaintOf({ ...ended, stderr: '' }), 'it ended with status 1');
  assert.equal(complaintOf({ ...ended, stderr: '', timedOut: true }), 'it took too long');
});
