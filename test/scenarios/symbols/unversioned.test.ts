// Symbols without version: the set that defines them is found, and where there is none the user is told.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { type Made, openShop } from '../diamonds/shop.ts';
import { calls, glibc, returns } from '../diamonds/sources.ts';
import { assertRefused } from '../expect-failure.ts';
import { openToolRoot } from '../tool.ts';
import { callsOnDemand, NOW, pointsTo, twoBuilds } from './programs.ts';

const rig = await ensureRig('full');
const root = await openToolRoot(rig);
const shop = openShop(root);

/** What the loader itself says with the library that comes first: newest version, exact soname. */
async function startWith(libraries: readonly Made[], program: string, ...args: string[]) {
  const loader = `${glibc(shop, '41').directory}/ld-linux-x86-64.so.2`;
  const libraryPath = libraries.map(({ directory }) => directory).join(':');
  return root.run({ argv: [loader, '--library-path', libraryPath, program, ...args] });
}

const lookupError = /symbol lookup error: .* undefined symbol: gone/;

test('a program that is bound at the start gets the build that defines everything', async () => {
  const { recent } = await twoBuilds(shop, 'hard');
  const old = shop.existing(/^hard-1\.0$/, 'libhard.so.1');
  const program = shop.program('hard', callsOnDemand, [old], NOW);
  assert.match((await startWith([recent], program)).stderr, lookupError);
  const outcome = await root.start([program]);
  assert.equal(outcome.stderr, '');
  assert.equal(outcome.stdout, '1\n');
});

test('so does one that would only end at the call', async () => {
  const { old, recent } = await twoBuilds(shop, 'soft');
  const program = shop.program('soft', callsOnDemand, [old]);
  assert.equal((await startWith([recent], program)).stdout, '3\n');
  assert.match((await startWith([recent], program, 'call')).stderr, lookupError);
  const outcome = await root.start([program, 'call']);
  assert.equal(outcome.stdout, '2\n', outcome.stderr);
});

test('a newer parent gives way when its child has no build with the symbol', async () => {
  const base = await shop.library('root-1.0', { soname: 'libroot.so.1', source: returns('base', 5) });
  const stand = await shop.library('root-stand-in', {
    soname: 'libroot.so.1',
    source: `${returns('base', 5)} ${returns('more', 6)}`,
  });
  const old = await shop.library('crown-1.0', {
    soname: 'libcrown.so.1',
    source: 'int base(void); int crown(void) { return base() - 4; }',
    needs: [base],
  });
  const recent = await shop.library('crown-2.0', {
    soname: 'libcrown.so.1',
    source: 'int more(void); int crown(void) { return more(); }',
    needs: [stand],
    flags: NOW,
  });
  const program = shop.program('crown', calls('crown'), [old]);
  await shop.forget(stand);
  assert.match((await startWith([recent, base], program)).stderr, /undefined symbol: more/);
  const outcome = await root.start([program]);
  assert.equal(outcome.stdout, '1\n', outcome.stderr);
});

test('a build that brings the symbol through a library of its own counts', async () => {
  const leaf = await shop.library('leaf-1.0', { soname: 'libleaf.so.1', source: returns('leaf', 7) });
  // As it was when the program was linked: everything in one library.
  const stand = await shop.library('trunk-stand-in', {
    soname: 'libtrunk.so.1',
    source: `${returns('trunk', 1)} ${returns('leaf', 6)}`,
  });
  const recent = await shop.library('trunk-2.0', { soname: 'libtrunk.so.1', source: returns('trunk', 1) });
  await shop.library('trunk-1.0', {
    soname: 'libtrunk.so.1',
    source: returns('trunk', 1),
    needs: [leaf],
  });
  const program = shop.program('leaf', calls('trunk', 'leaf'), [stand], NOW);
  await shop.forget(stand);
  assert.match((await startWith([recent, leaf], program)).stderr, /undefined symbol: leaf/);
  const outcome = await root.start([program]);
  assert.equal(outcome.stdout, '1 7\n', outcome.stderr);
});

test('what the user pinned is refused where the start needs more, with what has it', async () => {
  const { old, recent } = await twoBuilds(shop, 'held');
  const program = shop.program('held', callsOnDemand, [old], NOW);
  const pin = `libheld.so.1=${recent.directory}/libheld.so.1`;
  const outcome = await root.manage(['choose', program, '--pin', pin]);
  assert.equal(outcome.status, 126);
  assert.match(
    outcome.stderr,
    /libheld\.so\.1 is pinned to \S+; program needs the symbol gone; libheld\.so\.1 from held-2\.0 does not define it, only held-1\.0 does\n/,
  );
});

test('what nobody defines is refused where the start needs it', async () => {
  const { old, recent } = await twoBuilds(shop, 'lost');
  const now = shop.program('lost-now', callsOnDemand, [old], NOW);
  const pointer = shop.program('lost-pointer', pointsTo, [old]);
  await shop.forget(old);
  for (const program of [now, pointer]) {
    assert.match((await startWith([recent], program)).stderr, lookupError);
    assertRefused(await root.start([program]), {
      status: 126,
      cause:
        /program needs the symbol gone; no library that could be loaded defines it; liblost\.so\.1 from lost-2\.0 does not$/,
    });
  }
});

test('what nobody defines and nobody calls stands in no way, and explain tells of it', async () => {
  const { old, recent } = await twoBuilds(shop, 'idle');
  const program = shop.program('idle', callsOnDemand, [old]);
  await shop.forget(old);
  assert.equal((await startWith([recent], program)).stdout, '3\n');
  const outcome = await root.start([program]);
  assert.equal(outcome.stderr, '');
  assert.equal(outcome.stdout, '3\n');
  const explained = await root.manage(['explain', program]);
  assert.match(
    explained.stdout,
    /warning: program needs the symbol gone when it first calls it, and nobody here defines it/,
  );
});
