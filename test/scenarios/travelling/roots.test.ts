// What is pinned and why, what pruning drops, and that the collector takes the libraries then and not before.
import assert from 'node:assert/strict';
import { appendFileSync, lstatSync, lutimesSync, rmSync, utimesSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, test } from 'node:test';
import { emptyStore } from '../../rig/binary-cache.ts';
import { ensureRig } from '../../rig/rig.ts';
import { copyHome, foreign } from '../foreign-files.ts';
import { planFiles, rootLinks } from '../saved-state.ts';
import {
  assertRan,
  exchangeForTests,
  fetching,
  isInStore,
  manage,
  openMachine,
  putFile,
  SIDECAR,
  startOver,
  words,
} from './machines.ts';
import { publishJq } from './publish-jq.ts';

const DAY = 24 * 60 * 60;
const rig = await ensureRig('full');
const exchange = exchangeForTests();
const { cache, cacheKey, sidecar, libraries } = await publishJq(await openMachine(rig, exchange), exchange);
const machine = await openMachine(rig, exchange);
const { program } = machine;
const line = [program, ...words];
const settings = fetching([cache], [cacheKey.publicKey]);

interface Listed {
  readonly roots: {
    program: string;
    lastUse: string;
    prunable: string | null;
    closure: number;
    onlyThis: number;
  }[];
  readonly closure: number;
  readonly onlyOurs: number;
}

const roots = async (): Promise<Listed> => JSON.parse(await manage(machine, ['roots', '--json'])) as Listed;
const areThere = () => libraries.every((each) => isInStore(machine, each));

/** As if the program had not been started since, and something else had read the plan. */
function setBack(days: number): void {
  const now = Date.now() / 1000;
  const then = now - days * DAY;
  for (const file of planFiles(machine)) utimesSync(file, now, then);
  for (const link of rootLinks(machine)) lutimesSync(link, then, then);
}

beforeEach(async () => {
  rmSync(path.join(machine.homeDir, 'apps'), { recursive: true, force: true });
  copyHome(machine, foreign(rig, 'bookworm', 'jq'), 'apps/jq');
  putFile(machine, SIDECAR, sidecar);
  await startOver(machine);
  assertRan(await machine.start(line, settings));
});

async function assertPruned(args: readonly string[], why: string): Promise<void> {
  assert.equal(await manage(machine, ['prune', '--dry-run', ...args]), `would prune ${program}: ${why}\n`);
  await emptyStore(machine);
  assert.ok(areThere(), 'the collector took what is pinned');
  assert.equal(await manage(machine, ['prune', ...args]), `pruned ${program}: ${why}\n`);
  assert.deepEqual([rootLinks(machine), planFiles(machine)], [[], []]);
  await emptyStore(machine);
  assert.equal(areThere(), false, 'something still keeps the libraries');
  assert.equal(await manage(machine, ['prune']), 'nothing to prune\n');
}

test('nothing is pinned where nothing was started', async () => {
  await startOver(machine);
  assert.equal(
    await manage(machine, ['roots']),
    'nothing is pinned; the first start of a program pins its libraries\n',
  );
});

test('roots tells the program, the size of its closure, and what only that keeps', async () => {
  const { roots: rows, closure, onlyOurs } = await roots();
  const [row] = rows;
  assert.equal(rows.length, 1);
  assert.equal(row?.program, program);
  assert.equal(row?.prunable, null);
  assert.equal(row?.lastUse, new Date().toISOString().slice(0, 10));
  const sizes = await machine.run({ argv: ['nix-store', '-q', '--size', ...libraries] });
  const own = sizes.stdout
    .trim()
    .split('\n')
    .map(Number)
    .reduce((a, b) => a + b);
  assert.ok(onlyOurs >= own, `${onlyOurs} < ${own}`);
  assert.ok(closure > onlyOurs, 'libc is kept by others too');
  const table = await manage(machine, ['roots']);
  assert.match(table, /^ *closure +only this +last use +program\n/);
  assert.match(table, /would go without us\n$/);
});

async function deadBytes(): Promise<number> {
  const { stdout } = await machine.run({ argv: ['nix-store', '--gc', '--print-dead'] });
  const dead = stdout.split('\n').filter((each) => each.startsWith('/nix/store/'));
  if (dead.length === 0) return 0;
  const { stdout: sizes } = await machine.run({ argv: ['nix-store', '-q', '--size', ...dead] });
  return sizes
    .trim()
    .split('\n')
    .map(Number)
    .reduce((a, b) => a + b);
}

test('what would go is what the collector takes', async () => {
  const before = await deadBytes();
  const { onlyOurs } = await roots();
  for (const link of rootLinks(machine)) rmSync(link);
  assert.equal((await deadBytes()) - before, onlyOurs);
});

test('a program that is gone', async () => {
  rmSync(path.join(machine.homeDir, 'apps/jq'));
  assert.equal((await roots()).roots[0]?.prunable, 'the program is gone');
  await assertPruned([], 'the program is gone');
});

test('a program that changed', async () => {
  appendFileSync(path.join(machine.homeDir, 'apps/jq'), 'more');
  await assertPruned([], 'the program changed');
});

test('a program that was only touched is kept', async () => {
  utimesSync(path.join(machine.homeDir, 'apps/jq'), 1, 1);
  assert.equal(await manage(machine, ['prune']), 'nothing to prune\n');
  assertRan(await machine.start(line));
});

test('a program that was not started for long', async () => {
  setBack(31);
  assert.equal(await manage(machine, ['prune', '--unused', '32']), 'nothing to prune\n');
  await assertPruned(['--unused', '31'], 'not started for 31 days');
});

test('a start counts as use', async () => {
  setBack(31);
  assertRan(await machine.startHit(line));
  const [plan = '', link = ''] = [...planFiles(machine), ...rootLinks(machine)];
  for (const file of [plan, link]) assert.ok(lstatSync(file).mtimeMs > Date.now() - DAY * 1000, file);
  assert.equal(await manage(machine, ['prune', '--unused', '30']), 'nothing to prune\n');
});

test('a deleted cache unpins nothing, and the next start needs no cache', async () => {
  rmSync(path.join(machine.homeDir, '.cache'), { recursive: true });
  assert.equal(await manage(machine, ['prune']), 'nothing to prune\n');
  await emptyStore(machine);
  assert.ok(areThere());
  assertRan(await machine.start(line));
});

test('after pruning the next start fetches again', async () => {
  setBack(2);
  await manage(machine, ['prune', '--unused', '1']);
  await emptyStore(machine);
  assertRan(await machine.start(line, settings));
  assert.ok(areThere());
});

for (const bad of ['0', '-1', 'many', '1.5', '']) {
  test(`--unused ${JSON.stringify(bad)} is refused`, async () => {
    const { status, stderr } = await machine.manage(['prune', '--unused', bad]);
    assert.equal(status, 125);
    assert.match(stderr, /^nix-foreign: --unused takes a number of days from 1, and not '.*'\n {2}\S.*\n$/);
  });
}
