// A store library whose DT_RPATH, which comes before every farm, names another file than the chosen one → another set, or
// a refusal that says so; never the other file without a word.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { openShop } from '../diamonds/shop.ts';
import { assertRefused } from '../expect-failure.ts';
import { openToolRoot } from '../tool.ts';

const root = await openToolRoot(await ensureRig('full'));
const shop = openShop(root);
const printing = 'int printf(const char *, ...);';

const old = await shop.library('hidden-1.0', {
  soname: 'libhidden.so.1',
  source: 'int s1(void) { return 100; }',
  versions: 'S_1 { global: s1; };',
});
const fresh = await shop.library('hidden-2.0', {
  soname: 'libhidden.so.1',
  source: 'int s1(void) { return 200; } int s2(void) { return 2; }',
  versions: 'S_1 { global: s1; }; S_2 { global: s2; } S_1;',
});
const stubborn = await shop.library('stubborn-1.0', {
  soname: 'libstubborn.so.1',
  source: 'int s1(void); int stubborn(void) { return s1(); }',
  needs: [old],
  flags: ['-Wl,--disable-new-dtags'],
});
const demanding = await shop.library('demanding-2.0', {
  soname: 'libdemanding.so.1',
  source: 'int s2(void); int demanding(void) { return s2(); }',
  needs: [fresh],
});

test('a pin that the loader would pass over is refused, not kept in name only', async () => {
  const source = `${printing} int stubborn(void); int main(void) { printf("%d", stubborn()); return 0; }`;
  const program = shop.program('pinned-in-vain', source, [stubborn]);
  assert.equal((await root.start([program])).stdout, '100');
  const pin = `libhidden.so.1=${fresh.directory}`;
  const outcome = await root.manage(['choose', '--pin', pin, program]);
  assert.equal(outcome.status, 126, outcome.stderr);
  const cause = `libhidden\\.so\\.1 would come from ${old.directory}/libhidden\\.so\\.1, not from ${fresh.directory}/`;
  assert.match(outcome.stderr, new RegExp(cause));
});

const both = `${printing} int stubborn(void); int demanding(void);
  int main(void) { printf("%d %d", stubborn(), demanding()); return 0; }`;

test('where nothing else serves, the refusal names both files', async () => {
  const program = shop.program('both', both, [stubborn, demanding]);
  const cause = new RegExp(
    `would come from ${old.directory}/libhidden\\.so\\.1, not from ${fresh.directory}/`,
  );
  assertRefused(await root.start([program]), { status: 126, cause });
});

test('what is loaded is chosen in the end, when it serves as well', async () => {
  const between = await shop.library('hidden-1.5', {
    soname: 'libhidden.so.1',
    source: 'int s1(void) { return 150; }',
    versions: 'S_1 { global: s1; };',
  });
  await shop.library('demanding-1.0', {
    soname: 'libdemanding.so.1',
    source: 'int s1(void); int demanding(void) { return s1() + 1; }',
    needs: [between],
  });
  const program = shop.program('both-again', both, [stubborn, demanding]);
  const { stdout, stderr, status } = await root.start([program]);
  assert.deepEqual([stdout, stderr, status], ['100 101', '', 0]);
  const shown = await root.manage(['fingerprint', 'show', program]);
  assert.deepEqual(shown.stdout.match(/hidden-\d\.\d/g), ['hidden-1.0'], shown.stdout);
});
