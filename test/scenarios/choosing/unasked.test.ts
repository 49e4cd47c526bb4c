// In a real terminal: what cannot be is told before anything is written, and nobody is asked who did not ask for it.
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { openShop } from '../diamonds/shop.ts';
import { calls, returns } from '../diamonds/sources.ts';
import { planFiles, rootLinks } from '../saved-state.ts';
import { launcher, openToolRoot } from '../tool.ts';
import { terminalsIn } from './terminal.ts';

const rig = await ensureRig('full');
const root = await openToolRoot(rig);
const shop = openShop(root);
const script = '/opt/tool/dist/nix-foreign.cjs';

const open = terminalsIn(root);

/** A program that needs what only the newer of two builds has. */
async function picky(): Promise<{ program: string; older: string; newer: string }> {
  const build = (object: string, text: string, versions: string) =>
    shop.library(object, { soname: 'libpicked.so.1', source: text, versions });
  const older = await build('picked-1.0', returns('one', 1), 'PICKED_1 { global: *; };');
  const both = 'PICKED_1 { global: one; }; PICKED_2 { global: two; } PICKED_1;';
  const newer = await build('picked-2.0', `${returns('one', 1)} ${returns('two', 2)}`, both);
  const program = shop.program('picky', calls('one', 'two'), [newer]);
  return { program, older: older.directory, newer: newer.directory };
}

const { program, older, newer } = await picky();

test('a first start in a terminal asks nothing, although there is something to choose', async () => {
  assert.match(await open(launcher, program).until(/\[status/), /^1 2\n+\[status 0\]/);
});

test('each candidate is shown with its store path, and what cannot be is told before it is picked', async () => {
  const it = open(rig.node, script, 'choose', program);
  const first = await it.until(/libpicked\.so\.1, needed by program[\s\S]*as it is now/);
  assert.ok(first.includes(path.join(newer, 'libpicked.so.1')), first);
  it.press('Down');
  const second = await it.until(/cannot be: program needs libpicked\.so\.1 \(PICKED_2\)/);
  assert.ok(second.includes(path.join(older, 'libpicked.so.1')), second);
  it.press('C-c');
  await it.until(/\[status 130\]/);
});

test('picked all the same: at the end the conflict, and nothing is written', async () => {
  const before = [planFiles(root), rootLinks(root)];
  const it = open(rig.node, script, 'choose', program);
  await it.until(/as it is now/);
  it.press('Down');
  await it.until(/cannot be/);
  it.press('Enter');
  const end = await it.until(/\[status/);
  assert.match(end, /nix-foreign: .*program needs libpicked\.so\.1 \(PICKED_2\)[\s\S]*nothing was changed/);
  assert.match(end, /\[status 126\]/);
  assert.doesNotMatch(end, /Keep these choices/);
  assert.deepEqual([planFiles(root), rootLinks(root)], before);
  assert.equal((await root.startHit([program])).stdout, '1 2\n');
});

test('what is typed and fits nothing leaves nothing to take', async () => {
  const it = open(rig.node, script, 'choose', program);
  await it.until(/as it is now/);
  it.type('no-such-build');
  await it.until(/No results found/i);
  it.press('C-c');
  await it.until(/\[status 130\]/);
});

test('words in a terminal are done without a question', async () => {
  const it = open(rig.node, script, 'choose', program, '--pin', `libpicked.so.1=${path.dirname(newer)}`);
  assert.match(await it.until(/\[status/), /pin libpicked\.so\.1=[\s\S]*\[status 0\]/);
  assert.match(
    await open(rig.node, script, 'choose', program, '--reset').until(/\[status/),
    /nothing is chosen by hand[\s\S]*\[status 0\]/,
  );
});

test('with stdin from elsewhere, the terminal is not asked: the list is printed', async () => {
  const command = `${rig.node} ${script} choose ${program} < /dev/null`;
  const end = await open(rig.bash, '-c', command).until(/\[status/);
  assert.match(end, /1 library has alternatives in the store/);
  assert.match(end, /\[status 0\]/);
});
