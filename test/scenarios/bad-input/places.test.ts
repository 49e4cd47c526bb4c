// Nowhere to write, or not there: the program starts all the same where it can, and one line says what was done.
import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot, type Outcome } from '../../rig/root.ts';
import { compile } from '../compile.ts';
import { assertRefused } from '../expect-failure.ts';
import { foreign } from '../foreign-files.ts';
import { cacheOf, planFiles, stateOf } from '../saved-state.ts';
import { launcher, openToolRoot, type ToolRoot } from '../tool.ts';

const rig = await ensureRig('full');
const jq = foreign(rig, 'bookworm', 'jq');
const words = [jq.path, ...jq.args];
const temporary = '/tmp/nix-run-foreign-0/v1';

function assertStarted({ status, stdout, stderr }: Outcome, notice: RegExp): void {
  assert.deepEqual([status, stdout], [0, '42\n'], stderr);
  assert.match(stderr, /^nix-run-foreign: [^\n]+\n$/);
  assert.match(stderr, notice);
}

function assertHit({ status, stdout, stderr }: Outcome): void {
  assert.deepEqual([status, stdout], [0, '42\n'], stderr);
  // The debug log says why the first place has no plan; nothing else was done.
  assert.doesNotMatch(stderr, /^nix-run-foreign: (?!debug: )/m);
}

/** One of programs/, in the home of a root. */
function compileProgram({ homeDir }: ToolRoot, name: string): void {
  const source = readFileSync(path.join(import.meta.dirname, `programs/${name}.c`), 'utf8');
  compile(path.join(homeDir, name), source, ['-static']);
}

/** The first start says one line, the second is a hit in the place below /tmp. */
async function assertElsewhere(root: ToolRoot, notice: RegExp): Promise<void> {
  assertStarted(await root.start(words), notice);
  assertHit(await root.startHit(words));
}

const readOnlyHome = await openToolRoot(rig, { readOnly: ['home'], catalogue: 'none' });
test('a read-only home', async () => {
  await assertElsewhere(
    readOnlyHome,
    /cannot write .*: read-only file system; using \/tmp\/nix-run-foreign-0/,
  );
});

const used = await openToolRoot(rig, { catalogue: 'none' });
compileProgram(used, 'on-read-only');
for (const directory of ['', '.local', '.local/state/nix-run-foreign/v1/roots'])
  test(`HOME was used, then ~/${directory} is read-only: what is new starts, what was there too`, async () => {
    const curl = foreign(rig, 'bookworm', 'curl');
    const known = [curl.path, ...curl.args];
    assert.equal((await used.start(known)).status, 0);
    await used.manage(['forget', jq.path]);
    const onReadOnly = (command: readonly string[], env: Record<string, string> = {}) =>
      used.run({
        argv: [`${homeInRoot}/on-read-only`, path.join(homeInRoot, directory), '--', launcher, ...command],
        env,
      });
    assertStarted(
      await onReadOnly(words),
      /cannot write .*: read-only file system; using \/tmp\/nix-run-foreign-0/,
    );
    const noResolver = { NIX_RUN_FOREIGN_RESOLVER: '/nowhere/nix-foreign', NIX_RUN_FOREIGN_DEBUG: '1' };
    assertHit(await onReadOnly(words, noResolver));
    assert.equal((await onReadOnly(known, noResolver)).status, 0);
    await used.manage(['forget', jq.path]);
  });

const readOnly = await openToolRoot(rig, { readOnly: ['home', 'tmp'], catalogue: 'none' });
test('a read-only home and /tmp', async () => {
  const outcome = await readOnly.start(words);
  assertRefused(outcome, { status: 125, cause: /nowhere to keep.*read-only file system.*read-only/ });
  assert.match(outcome.stderr, /XDG_CACHE_HOME/);
});

const disks = await openToolRoot(rig, { catalogue: 'none' });
compileProgram(disks, 'on-small-disk');
const onSmallDisk = (kib: number, directories: readonly string[]) =>
  disks.run({
    argv: [`${homeInRoot}/on-small-disk`, String(kib), ...directories, '--', launcher, ...words],
  });
const cache = path.join(homeInRoot, '.cache');
mkdirSync(path.join(disks.homeDir, '.cache'));

for (const kib of [4, 16, 32, 64, 256, 1024])
  test(`a cache that is full after ${kib} KiB`, async () => {
    assertStarted(await onSmallDisk(kib, [cache]), /no space left on the device|disk is full|cannot write/);
    assertRefused(await onSmallDisk(kib, [cache, '/tmp']), { status: 125, cause: /nowhere to keep/ });
    await disks.manage(['forget', '--all']);
  });

const noState = await openToolRoot(rig, { readOnly: ['nix'], catalogue: 'none' });
test('a state directory that cannot be written', async () => {
  const settings = { env: { XDG_STATE_HOME: '/nix/store' } };
  const notice = /cannot write \/nix\/store\/nix-run-foreign\/v1: read-only file system; using \/tmp/;
  const { status, stdout, stderr } = await noState.start(words, settings);
  assert.deepEqual([status, stdout], [0, '42\n'], stderr);
  assert.match(stderr, notice);
  assertHit(await noState.startHit(words, settings));
});

const open = await openToolRoot(rig, { catalogue: 'none' });
test('plans that others can write', async () => {
  mkdirSync(path.join(cacheOf(open), 'plans'), { recursive: true });
  chmodSync(path.join(cacheOf(open), 'plans'), 0o777);
  await assertElsewhere(open, new RegExp(`can be written by others; using ${temporary}`));
});

const file = await openToolRoot(rig, { catalogue: 'none' });
test('a cache that is a file', async () => {
  writeFileSync(path.join(file.homeDir, '.cache'), '');
  await assertElsewhere(file, new RegExp(`not a directory; using ${temporary}`));
});

const STRANGER = 4711;
const squatted = await openToolRoot(rig, {
  readOnly: ['home'],
  catalogue: 'none',
  binds: [{ from: readOnlyHome.homeDir, to: '/tmp/nix-run-foreign-0', mode: 'read-write' }],
});
test("a place below /tmp that is somebody else's", async () => {
  chownSync(readOnlyHome.homeDir, STRANGER, STRANGER);
  assertRefused(await squatted.start(words), { status: 125, cause: /belongs to somebody else/ });
});

const attacked = await openToolRoot(rig, { catalogue: 'none' });
test('a place in /tmp that somebody else made first: nothing that its links lead to is changed', async () => {
  const root = attacked;
  const [home, tmp] = [root.homeDir, path.join(root.homeDir, '../tmp')];
  const victim = path.join(home, 'victim');
  for (const name of ['flake.lock', 'photos/one', '.x.1.2.tmp', 'record.json']) {
    mkdirSync(path.dirname(path.join(victim, name)), { recursive: true });
    writeFileSync(path.join(victim, name), 'mine');
    utimesSync(path.join(victim, name), 1, 1);
  }
  utimesSync(path.join(victim, 'photos'), 1, 1);
  const before = readdirSync(victim, { recursive: true }).sort();
  for (const [base, names] of Object.entries({
    v1: ['plans', 'farms', 'locks', 'catalogues', 'copies', 'unpacked', 'views', 'run-times'],
    'state/v1': ['roots', 'fingerprints', 'fetching', 'patched', 'choices'],
  })) {
    const directory = path.join(tmp, 'nix-run-foreign-0', base);
    mkdirSync(directory, { recursive: true });
    for (const name of names) symlinkSync(path.join(homeInRoot, 'victim'), path.join(directory, name));
    for (const each of [directory, path.dirname(directory)]) chownSync(each, 1234, 1234);
  }
  chownSync(path.join(tmp, 'nix-run-foreign-0'), 1234, 1234);
  const first = await root.start(words);
  assert.equal(first.stdout, '42\n', first.stderr);
  for (const command of [
    ['prune', '--patched', '--unused', '1'],
    ['forget', '--all'],
    ['unpatch', '--all'],
    ['forget', jq.path],
    ['list'],
    ['doctor'],
  ]) {
    const { stderr } = await root.manage(command);
    if (command[0] === 'prune')
      assert.match(
        stderr,
        /\/tmp\/nix-run-foreign-0 is left out: somebody else .*: ls -ld \/tmp\/nix-run-foreign-0$/m,
      );
  }
  assert.deepEqual(readdirSync(victim, { recursive: true }).sort(), before);
});

const unreadable = await openToolRoot(rig, { catalogue: 'none' });
test('what cannot be read is not taken for nothing: forget removes the plan, prune says why it cannot look', async () => {
  assert.equal((await unreadable.start(words)).stdout, '42\n');
  const [plan = ''] = planFiles(unreadable);
  rmSync(plan);
  symlinkSync(path.basename(plan), plan);
  const forgotten = await unreadable.manage(['forget', jq.path]);
  assert.deepEqual([forgotten.status, forgotten.stdout], [0, `forgot ${jq.path}\n`], forgotten.stderr);
  assert.deepEqual(planFiles(unreadable), []);

  assert.equal((await unreadable.start(words)).stdout, '42\n');
  const [again = ''] = planFiles(unreadable);
  writeFileSync(again, 'cut');
  assert.equal((await unreadable.manage(['forget', '--all'])).status, 0);
  assert.deepEqual(planFiles(unreadable), []);

  const plans = path.join(cacheOf(unreadable), 'plans');
  rmSync(plans, { recursive: true });
  symlinkSync('plans', plans);
  const list = await unreadable.manage(['list']);
  assert.match(
    list.stderr,
    /^nix-foreign: \S+plans: too many levels of symbolic links; what is planned there is left out; check the path .*\n$/,
  );
  rmSync(plans);

  const roots = path.join(stateOf(unreadable), 'roots');
  rmSync(roots, { recursive: true });
  symlinkSync('roots', roots);
  const { status, stdout, stderr } = await unreadable.manage(['prune']);
  assert.deepEqual([status, stdout], [125, ''], stderr);
  assert.match(stderr, /^nix-foreign: \S+roots: scandir: too many levels of symbolic links\n {2}\S.*\n$/);
});
