// The dialogue in a real terminal: filter, move, Enter, the consequences, yes and no, Ctrl-C, and the start after it.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { copyHome, foreign } from '../foreign-files.ts';
import { fingerprintBehind, planFiles, rootLinks, stateOf } from '../saved-state.ts';
import { launcher, openToolRoot } from '../tool.ts';
import { terminalsIn } from './terminal.ts';

const rig = await ensureRig('full');
const root = await openToolRoot(rig);
const jq = foreign(rig, 'bookworm', 'jq');
const program = copyHome(root, jq, 'jq');
const script = '/opt/tool/dist/nix-foreign.cjs';

const open = terminalsIn(root);

const choose = () => open(rig.node, script, 'choose', program);

/** Everything that is kept for the program. */
function saved(): unknown {
  const choices = path.join(stateOf(root), 'choices');
  return [
    planFiles(root).map((file) => readFileSync(file, 'utf8')),
    rootLinks(root),
    existsSync(choices)
      ? readdirSync(choices).map((name) => readFileSync(path.join(choices, name), 'utf8'))
      : [],
  ];
}

/** `libjq1-1.6` of the line that is marked. */
function marked(screen: string): string {
  return /^❯ (\S+)/m.exec(screen)?.[1] ?? '';
}

beforeEach(async () => {
  const { status, stderr } = await root.manage(['choose', '--reset', program]);
  assert.equal(status, 0, stderr);
});

test('Enter takes what is recommended: at the end nothing differs and nothing is written', async () => {
  const before = saved();
  const it = choose();
  const first = await it.until(/libjq\.so\.1, needed by jq[\s\S]*recommended[\s\S]*as it is now/);
  assert.match(first, /^❯ libjq1-\S+ · glibc-[\d.]+ · [\d.]+ [KM]iB · recommended$/m);
  assert.match(first, /all \d+ symbols that are needed are there/);
  it.press('Enter');
  await it.until(/\? libonig\.so\.5, needed by libjq\.so\.1/);
  it.press('Enter');
  assert.match(await it.until(/\[status/), /nothing was changed[\s\S]*\[status 0\]/);
  assert.deepEqual(saved(), before);
});

test('typing filters; what is picked is shown with what it forces, agreed to, and kept', async () => {
  const it = choose();
  const first = await it.until(/libjq\.so\.1, needed by jq[\s\S]*recommended/);
  const wanted = /^ {2}(libjq1-\S+) · (glibc-[\d.]+)/m.exec(first) ?? assert.fail(first);
  it.type(wanted[2] ?? '');
  const filtered = await it.until(
    new RegExp(`^❯ ${wanted[1]?.replace(/[+.]/g, '\\$&')}[\\s\\S]*changes \\d+ more`, 'm'),
  );
  assert.equal([...filtered.matchAll(/^[❯ ] libjq1-/gm)].length, 1);
  assert.match(filtered, /was built with glibc-/);
  it.press('Enter');
  await it.until(/\? libonig\.so\.5/);
  it.press('Enter');
  const end = await it.until(/Keep these choices with the program\?/);
  assert.match(end, /libjq\.so\.1: libjq1-\S+ → libjq1-/);
  assert.match(end, /the loader: glibc-\S+ → glibc-/);
  assert.deepEqual((saved() as unknown[][])[2], []);
  it.press('Enter');
  assert.match(await it.until(/\[status/), /pin libjq\.so\.1=[\s\S]*\[status 0\]/);
  const library = fingerprintBehind(root, rootLinks(root)[0] ?? '').libraries.find(
    ({ soname }) => soname === 'libjq.so.1',
  );
  assert.equal(library?.match, 'pinned');
  assert.ok(library?.storePath.endsWith(wanted[1] ?? '?'));
});

test('what is picked takes the place of a file that was added', async () => {
  const libraryNow = () =>
    fingerprintBehind(root, rootLinks(root)[0] ?? '').libraries.find(({ soname }) => soname === 'libjq.so.1');
  const { storePath, file } = libraryNow() ?? assert.fail();
  const added = path.join(storePath, file);
  const { status, stderr } = await root.manage(['choose', '--add', `libjq.so.1=${added}`, program]);
  assert.equal(status, 0, stderr);
  const it = choose();
  await it.until(/libjq\.so\.1, needed by jq/);
  it.press('Down');
  const wanted = marked(await it.until(/changes \d+ more/));
  it.press('Enter');
  await it.until(/\? libonig\.so\.5/);
  it.press('Enter');
  await it.until(/Keep these choices/);
  it.press('Enter');
  await it.until(/pin libjq\.so\.1=[\s\S]*add libjq\.so\.1\n[\s\S]*\[status 0\]/);
  const now = libraryNow();
  assert.ok(now?.storePath.endsWith(wanted) && now.storePath !== storePath, `${now?.storePath}: ${wanted}`);
});

test('what is chosen while the dialogue is open stays, whoever chooses at the same time', async () => {
  const it = choose();
  await it.until(/recommended[\s\S]*as it is now/);
  const exclude = (name: string) => root.manage(['choose', '--exclude', name, program]);
  const names = ['none-1', 'none-2', 'none-3', 'none-4'];
  for (const { status, stderr } of await Promise.all(names.map(exclude))) assert.equal(status, 0, stderr);
  it.press('Down', 'Enter');
  await it.until(/\? libonig\.so\.5/);
  it.press('Enter');
  await it.until(/Keep these choices/);
  it.press('Enter');
  const end = await it.until(/\[status/);
  assert.match(end, /pin libjq\.so\.1=[\s\S]*exclude none-1[\s\S]*\[status 0\]/);
  const [text = ''] = (saved() as string[][])[2] ?? [];
  for (const name of [...names, 'libjq.so.1']) assert.ok(text.includes(`"${name}"`), `${name}: ${text}`);
});

test('no at the end changes nothing', async () => {
  const before = saved();
  const it = choose();
  const first = marked(await it.until(/recommended[\s\S]*as it is now/));
  it.press('Down');
  const second = marked(await it.until(/changes \d+ more/));
  assert.notEqual(second, first);
  it.press('Enter');
  await it.until(/\? libonig\.so\.5/);
  it.press('Enter');
  await it.until(/Keep these choices/);
  it.type('n');
  it.press('Enter');
  assert.match(await it.until(/\[status/), /nothing was changed[\s\S]*\[status 0\]/);
  assert.deepEqual(saved(), before);
});

for (const at of ['the first question', 'the last one'] as const) {
  test(`Ctrl-C at ${at}: status 130, everything as it was`, async () => {
    const before = saved();
    const it = choose();
    await it.until(/recommended[\s\S]*as it is now/);
    if (at === 'the last one') {
      it.press('Down', 'Enter');
      await it.until(/\? libonig\.so\.5/);
      it.press('Enter');
      await it.until(/Keep these choices/);
    }
    it.press('C-c');
    await it.until(/\[status 130\]/);
    assert.deepEqual(saved(), before);
  });
}

test('nix-run-foreign --choose asks before it starts the program', async () => {
  const it = open(launcher, '--choose', program, ...jq.args);
  await it.until(/recommended[\s\S]*as it is now/);
  it.press('Down', 'Enter');
  await it.until(/\? libonig\.so\.5/);
  it.press('Enter');
  await it.until(/Keep these choices/);
  it.press('Enter');
  assert.match(await it.until(/\[status/), /^42$[\s\S]*\[status 0\]/m);
  assert.match((await root.startHit([program, ...jq.args])).stdout, jq.expect);
});

test('left with Ctrl-C, nix-run-foreign --choose starts nothing', async () => {
  const it = open(launcher, '--choose', program, ...jq.args);
  await it.until(/recommended/);
  it.press('C-c');
  assert.doesNotMatch(await it.until(/\[status 130\]/), /^42$/m);
});

test('nix-run-foreign --choose without a terminal asks nothing and starts', async () => {
  const { status, stdout, stderr } = await root.start(['--choose', program, ...jq.args]);
  assert.deepEqual([status, stdout, stderr], [0, '42\n', '']);
});
