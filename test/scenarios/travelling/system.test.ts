// What root resolved for everybody: users without anything of their own start at once, whatever their environment.
import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  existsSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { emptyStore } from '../../rig/binary-cache.ts';
import { ensureRig } from '../../rig/rig.ts';
import { homeInRoot, type Outcome } from '../../rig/root.ts';
import { launcher, type Settings } from '../tool.ts';
import { assertRan, exchangeForTests, forget, manage, openMachine, words } from './machines.ts';

const rig = await ensureRig('full');
const machine = await openMachine(rig, exchangeForTests());
const { program } = machine;
const place = path.join(machine.varLib, 'nix-run-foreign');

/** Another user, who has a home in root's, which anyone may enter. */
const home = path.join(homeInRoot, 'user');
const homeOnHost = path.join(machine.homeDir, 'user');
const asUser = (...argv: string[]) => [rig.enterRoot, '-1', '1000', '1000', ...argv] as [string, ...string[]];
const NO_RESOLVER = { NIX_RUN_FOREIGN_RESOLVER: '/nowhere/nix-foreign' };
const WIPED = { HOME: undefined, USER: undefined, PATH: undefined };

const start = (env: NonNullable<Settings['env']> = {}): Promise<Outcome> =>
  machine.run({ argv: asUser(launcher, program, ...words), env: { HOME: home, ...env } });
const startHit = (env: NonNullable<Settings['env']> = {}) => start({ ...env, ...NO_RESOLVER });

function forgetUser(): void {
  rmSync(homeOnHost, { recursive: true, force: true });
  mkdirSync(homeOnHost);
  chownSync(homeOnHost, 1000, 1000);
}
forgetUser();

const planName = () => readdirSync(path.join(place, 'v1/plans'))[0] ?? assert.fail('no plan');

test('without it a user has to resolve', async () => {
  assert.equal((await machine.bare(program, words)).status, 127);
  assert.equal((await startHit()).status, 125);
});

test('only root may fill it', async () => {
  const script = '/opt/tool/dist/nix-foreign.cjs';
  const argv = asUser(rig.node, script, 'resolve', '--system', program);
  const { status, stdout, stderr } = await machine.run({ argv, env: { HOME: home } });
  assert.deepEqual([status, stdout], [125, '']);
  assert.equal(
    stderr,
    'nix-foreign: only root may make plans for everybody\n  run it with sudo, or leave --system out to make one for yourself\n',
  );
  assert.equal(existsSync(place), false);
});

/** Everything below the system's place, by name. */
const saved = () => readdirSync(place, { recursive: true, encoding: 'utf8' });

test('a program of a group: no copy that others could read, and its members start it', async () => {
  const file = path.join(machine.homeDir, 'apps/jq');
  chownSync(file, 0, 1000);
  chmodSync(file, 0o750);
  const asked = await machine.manage(['resolve', '--system', '--strategy', 'patched', program], {
    env: { NIX_RUN_FOREIGN_DEBUG: '1' },
  });
  assert.equal(asked.status, 0);
  assert.match(asked.stdout, /2 libraries from the store, strategy loader$/m);
  assert.match(
    asked.stderr,
    /: strategy patched is not possible here, it is loader; see nix-foreign explain$/m,
  );
  assert.deepEqual(
    saved().filter((each) => path.basename(each) === 'jq'),
    [],
  );
  assert.match(asked.stderr, /no patched copy: others may not read the program, and would read its copy/);
  assertRan(await startHit(WIPED));
  chownSync(file, 0, 0);
  assert.equal((await startHit(WIPED)).status, 126, 'nobody else starts it');
  chmodSync(file, 0o755);
  await manage(machine, ['resolve', '--system', '--strategy', 'patched', program]);
  assert.notEqual(saved().filter((each) => path.basename(each) === 'jq').length, 0, 'else there is a copy');
  forget(machine);
  rmSync(place, { recursive: true });
});

test('filled by root it serves a user, also one without an environment', async () => {
  assert.match(await manage(machine, ['resolve', '--system', program]), /2 libraries from the store/);
  assertRan(await startHit());
  assertRan(await startHit(WIPED));
  assertRan(
    await machine.run({ argv: asUser(launcher, program, ...words), env: { ...WIPED, ...NO_RESOLVER } }),
  );
  assert.deepEqual(readdirSync(homeOnHost), []);
});

test('it serves root too, and root may have it with nothing of its own', async () => {
  forget(machine);
  const hit = await machine.start([program, ...words], { env: NO_RESOLVER });
  assertRan(hit);
});

test('nobody else can write to it, and everybody can read it', async () => {
  const { stdout } = await machine.run({
    argv: asUser(
      rig.node,
      '-e',
      "for (const each of fs.readdirSync('/var/lib/nix-run-foreign', { recursive: true })) { const file = '/var/lib/nix-run-foreign/' + each; const { mode } = fs.lstatSync(file); if (fs.lstatSync(file).isSymbolicLink()) continue; let writable = true; try { fs.accessSync(file, 2) } catch { writable = false } if (writable) console.log('writable', file); }",
    ),
  });
  assert.equal(stdout, '');
});

test('the libraries are pinned', async () => {
  await emptyStore(machine);
  assertRan(await startHit());
});

test("a user's own record of another start is looked at with the system's", async () => {
  const { status, stdout, stderr } = await start({ NIX_RUN_FOREIGN_DEBUG: '1' });
  assert.deepEqual([status, stdout], [0, '42\n'], stderr);
  assert.doesNotMatch(stderr, /solved/);
});

test("the user's own plan comes first", async () => {
  assert.equal(
    (await machine.run({ argv: asUser(launcher, '--refresh', program, ...words), env: { HOME: home } }))
      .status,
    0,
  );
  const plan = path.join(homeOnHost, '.cache/nix-run-foreign/v1/plans', planName());
  assert.ok(existsSync(plan), 'no plan of the own');
  // What the launcher cannot follow in the own plan is a miss, although the system's would do.
  const saved = path.join(place, 'v1/plans', planName());
  const moved = `${saved}.away`;
  renameSync(saved, moved);
  assertRan(await startHit());
  renameSync(moved, saved);
  forgetUser();
});

const asManager = async (...line: string[]): Promise<string> => {
  const argv = asUser(rig.node, '/opt/tool/dist/nix-foreign.cjs', ...line);
  const { status, stdout, stderr } = await machine.run({ argv, env: { HOME: home } });
  assert.equal(status, 0, stderr);
  return stdout;
};

test('a user is told of it as it is: where it lies, and that it is for everybody', async () => {
  const inRoot = '/var/lib/nix-run-foreign/v1';
  const told = JSON.parse(await asManager('explain', '--json', program));
  assert.equal(told.plan, `${inRoot}/plans/${planName()}`);
  const farms = readdirSync(path.join(place, 'v1/farms')).map((name) => `${inRoot}/farms/${name}`);
  assert.ok(farms.includes(told.farm), told.farm);
  assert.doesNotMatch(told.optional.notOnDemand, /nobody planned it/);
  assert.equal(await asManager('list'), `loader  ${program}  (for everybody)\n`);
  await asManager('choose', program, '--prefer', 'jq');
  assert.equal(await asManager('list'), `loader  ${program}  (not pinned)\n`);
  await asManager('forget', program);
  assert.match(await asManager('list'), /^there is no launch plan/, 'a start makes one of their own');
  forgetUser();
});

test('what the user decided holds without their plan, until it is taken back', async () => {
  const noPlan = () => rmSync(path.join(homeOnHost, '.cache'), { recursive: true });
  const plans = path.join(homeOnHost, '.cache/nix-run-foreign/v1/plans');
  const decisions = [
    { made: ['choose', program, '--prefer', 'jq'], back: ['choose', program, '--reset'] },
    { made: ['resolve', '--strategy', 'loader', program], back: ['resolve', '--strategy', 'auto', program] },
  ];
  for (const { made, back } of decisions) {
    await asManager(...made);
    noPlan();
    assert.equal((await startHit()).status, 125, made.join(' '));
    assertRan(await start(), [/not protected from garbage collection/]);
    assert.deepEqual(readdirSync(plans), [planName()], made.join(' '));
    await asManager('forget', program);
    assert.equal((await startHit()).status, 125, made.join(' '));
    await asManager(...back);
    noPlan();
    assertRan(await startHit());
  }
  forgetUser();
});

test('one that others could write is not trusted', async () => {
  chmodSync(path.join(place, 'v1/plans'), 0o777);
  assert.equal((await startHit()).status, 125);
  chmodSync(path.join(place, 'v1/plans'), 0o755);
  assertRan(await startHit());
});

test("others' starts leave no trace there, so not being used is no reason to prune", async () => {
  const long = Date.now() / 1000 - 400 * 24 * 60 * 60;
  // But for the copy of the loader: a plan is for the file that it was made with, to the nanosecond.
  for (const name of saved())
    if (!name.startsWith('v1/copies/')) lutimesSync(path.join(place, name), long, long);
  assert.equal(await manage(machine, ['prune', '--unused', '30']), 'nothing to prune\n');
  assertRan(await startHit());
});

test('pruned by root when the program is gone', async () => {
  assert.match(await manage(machine, ['roots']), /apps\/jq/);
  rmSync(path.join(machine.homeDir, 'apps/jq'));
  assert.equal(await manage(machine, ['prune']), `pruned ${program}: the program is gone\n`);
  assert.deepEqual(readdirSync(path.join(place, 'v1/plans')), []);
});
