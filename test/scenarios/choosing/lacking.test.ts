// A program without a set, because nobody has a library by its name: the nearest are offered, in a terminal and without.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { programNeeding, stand } from '../closest/needy-programs.ts';
import { openShop } from '../diamonds/shop.ts';
import { assertRefused } from '../expect-failure.ts';
import { fingerprintBehind, planFiles, rootLinks } from '../saved-state.ts';
import { launcher, openToolRoot } from '../tool.ts';
import { terminalsIn } from './terminal.ts';

const rig = await ensureRig('full');
const root = await openToolRoot(rig);
const shop = openShop(root);
const open = terminalsIn(root);
const script = '/opt/tool/dist/nix-foreign.cjs';
const functions = (...names: readonly string[]) =>
  names.map((name) => `int ${name}(void) { return 7; }`).join(' ');

/** Two libraries that nobody has, of each two nearer and farther ones; what they lack is never called. */
const library = (object: string, soname: string, ...has: readonly string[]) =>
  shop.library(object, { soname, source: functions(...has) });
const poor = await library('left-8.0', 'libleft.so.8', 'left_a');
const rich = await library('left-6.0', 'libleft.so.6', 'left_a', 'left_b');
await library('right-2.0', 'libright.so.2', 'right_a');
const source = `int left_a(void); int left_b(void); int left_old(void); int right_a(void); int right_old(void);
  #include <stdio.h>
  int main(int n) { if (n > 1) return left_b() + left_old() + right_old(); printf("%d\\n", left_a() + right_a()); return 0; }`;
const stubs = [
  stand(root, 'libleft.so.7', functions('left_a', 'left_b', 'left_old')),
  stand(root, 'libright.so.1', functions('right_a', 'right_old')),
];
const needing = (name: string): string => programNeeding(root, name, source, [...stubs, '-Wl,-z,lazy']);
const program = needing('needy');

test('the refusal names the nearest and says how they are chosen', async () => {
  const outcome = await root.start([program]);
  assertRefused(outcome, { status: 126, cause: /nearest to libleft\.so\.7 is libleft\.so\.6 \(left-6\.0\)/ });
  assert.match(outcome.stderr, /can be chosen by hand: nix-foreign choose/);
});

test('without a terminal they are listed: the share of symbols, what is missing, what is forced', async () => {
  const { status, stdout, stderr } = await root.manage(['choose', program]);
  assert.deepEqual([status, stderr], [0, '']);
  assert.match(stdout, /^there is no set: the program needs 2 libraries that nobody has/m);
  assert.match(
    stdout,
    /^libleft\.so\.7$\n.* left-6\.0, .*\n +\/nix\/store\S+\n +2 of 4 symbols that are needed; lacks left_old, right_old$/m,
  );
  assert.match(
    stdout,
    /1 of 4 symbols that are needed; lacks left_b, left_old, right_old\n +changes nothing else$/m,
  );
  assert.match(
    stdout,
    /^choose with: nix-foreign choose \S+ --pin libleft\.so\.7=\S+ --pin libright\.so\.1=\S+$/m,
  );
  const value = JSON.parse((await root.manage(['choose', '--json', program])).stdout);
  assert.equal(value.set, 'none');
  const [left] = value.alternatives;
  assert.equal(left.name, 'libleft.so.7');
  assert.deepEqual(
    left.neededBy.map(({ name }: { name: string }) => name),
    ['needy'],
  );
  const [best] = left.candidates;
  assert.deepEqual(
    [best.chosen, best.symbols, best.forces],
    [false, { needed: 4, missing: ['left_old', 'right_old'] }, []],
  );
  assert.ok(best.closureSize > 0);
});

test('in a terminal: first what nobody has, the consequences, and then it is kept', async () => {
  const it = open(rig.node, script, 'choose', program);
  const first = await it.until(/libleft\.so\.7, needed by needy, which nobody has[\s\S]*lacks left_old/);
  assert.match(first, /^❯ left-6\.0 · .*2 of 4 symbols$/m);
  it.press('Down');
  assert.match(await it.until(/lacks left_b, left_old/), /^❯ left-8\.0 · .*1 of 4 symbols$/m);
  it.press('Up', 'Enter');
  await it.until(/libright\.so\.1, needed by needy, which nobody has[\s\S]*1 of 3 symbols/);
  it.press('Enter');
  const end = await it.until(/Keep these choices with the program\?/);
  assert.match(end, /there was no set; now there is one of 2, with the loader glibc-\S+:/);
  assert.match(
    end,
    /libleft\.so\.7: left-6\.0\/lib\/libleft\.so\.6; 2 of 4 symbols that are needed; lacks left_old, right_old/,
  );
  assert.deepEqual([planFiles(root), rootLinks(root)], [[], []]);
  it.press('Enter');
  assert.match(await it.until(/\[status/), /there was no set; now there is one of 2[\s\S]*\[status 0\]/);
  assert.equal((await root.startHit([program])).stdout, '14\n');
  const left = fingerprintBehind(root, rootLinks(root)[0] ?? '').libraries.find(
    ({ soname }) => soname === 'libleft.so.7',
  );
  assert.deepEqual([left?.match, left?.file], ['pinned', 'lib/libleft.so.6']);
});

test('nix-run-foreign --choose does it on the way to the start', async () => {
  const other = needing('on-the-way');
  const it = open(launcher, '--choose', other);
  await it.until(/libleft\.so\.7, needed by on-the-way, which nobody has/);
  it.press('Enter');
  await it.until(/libright\.so\.1, needed by/);
  it.press('Enter');
  await it.until(/Keep these choices/);
  it.press('Enter');
  assert.match(await it.until(/\[status/), /^14$[\s\S]*\[status 0\]/m);
});

test('no at the end, and Ctrl-C, leave everything as it was', async () => {
  const other = needing('undecided');
  const before = [planFiles(root), rootLinks(root)];
  const it = open(rig.node, script, 'choose', other);
  await it.until(/libleft\.so\.7/);
  it.press('C-c');
  await it.until(/\[status 130\]/);
  const again = open(rig.node, script, 'choose', other);
  await again.until(/libleft\.so\.7, needed/);
  again.press('Enter');
  await again.until(/libright\.so\.1, needed/);
  again.press('Enter');
  await again.until(/Keep these choices/);
  again.type('n');
  again.press('Enter');
  assert.match(await again.until(/\[status/), /nothing was changed[\s\S]*\[status 0\]/);
  assert.deepEqual([planFiles(root), rootLinks(root)], before);
});

test('where one of the names has nothing near it, no choice helps: the refusal, and no word of choosing', async () => {
  const nobody = stand(root, 'libnobody.so.1', functions('nobody'));
  const calling = `int nobody(void); int two(void) { return nobody(); } ${source}`;
  const hopeless = programNeeding(root, 'hopeless', calling, [...stubs, nobody, '-Wl,-z,lazy']);
  for (const words of [
    ['choose', hopeless],
    ['resolve', hopeless],
  ]) {
    const { status, stdout, stderr } = await root.manage(words);
    assert.equal(status, 126, stdout);
    assert.match(stderr, /libnobody\.so\.1/);
    assert.doesNotMatch(stderr, /by hand/);
  }
});

test('one pin of several: what is still missing is told, and nothing is written', async () => {
  const partial = needing('partial');
  const { status, stderr } = await root.manage([
    'choose',
    '--pin',
    `libleft.so.7=${rich.directory}`,
    partial,
  ]);
  assert.equal(status, 126);
  assert.match(stderr, /needs libright\.so\.1/);
});

test('a pin that nothing needs is told, once for each', async () => {
  const pin = ['--pin', `libnever.so.9=${poor.directory}/libleft.so.8`];
  const { status, stdout, stderr } = await root.manage([
    'choose',
    '--pin',
    `libleft.so.7=${rich.directory}`,
    '--pin',
    `libright.so.1=${(await library('right-2.0', 'libright.so.2', 'right_a')).directory}`,
    ...pin,
    needing('idle'),
  ]);
  assert.equal(status, 1, 'a pin came to nothing');
  assert.match(stdout, /there was no set; now there is one of 2/);
  assert.match(
    stderr,
    /^nix-foreign: the pin of libnever\.so\.9 has no effect: nothing in the set needs it\n$/,
  );
});
