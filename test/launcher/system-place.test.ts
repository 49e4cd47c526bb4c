// Plans that root made for everybody: looked at last, and only where the user has no plan.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { builtLauncher } from '../built-launcher.ts';
import { openWorkshop, putScript, run, runCommand } from './launcher-fixture.ts';
import { planText, putDecision, putPlan } from './plan-fixture.ts';
import { asRoot } from './tool-fixture.ts';

const workshop = await openWorkshop();
const system = path.join(workshop.directory, 'system');
await builtLauncher({
  output: workshop.launcher,
  node: '/bin/sh',
  script: path.join(workshop.directory, 'built-in-resolver'),
  flags: [`-DSYSTEM_DIRECTORY="${system}"`],
});
const program = putScript(workshop.directory, 'program', 'echo "$PLACE"');
const planOf = (place: string) => planText(program, [`+PLACE=${place}`]);

test('without it a program of the system is a miss', async () => {
  assert.equal((await run(workshop, [program])).stderr.split('\n')[0], 'resolver called');
});

test("the system's plan serves who has none", async () => {
  putPlan(system, program, planOf('system'));
  assert.deepEqual(await run(workshop, [program]), { code: 0, signal: null, stdout: 'system\n', stderr: '' });
});

test("the user's own comes first", async () => {
  putPlan(workshop.place, program, planOf('own'));
  assert.equal((await run(workshop, [program])).stdout, 'own\n');
});

test('an own plan that does not hold is a miss: it may stand for choices', async () => {
  const file = putPlan(workshop.place, program, planText(program, ['f/nothing/here']));
  assert.equal((await run(workshop, [program])).stderr.split('\n')[0], 'resolver called');
  rmSync(file);
});

test("with a note of the user's decisions in the state directory it is a miss, wherever that is", async () => {
  const home = path.join(workshop.directory, 'home');
  const state = path.join(workshop.directory, 'state');
  const temporary = `/tmp/nix-run-foreign-${process.geteuid?.()}`;
  const places = [
    { env: { ...workshop.environment, HOME: home }, place: path.join(home, '.local/state/nix-run-foreign') },
    // Where a home cannot be written.
    { env: { ...workshop.environment, HOME: home }, place: path.join(temporary, 'state') },
    {
      env: { ...workshop.environment, HOME: home, XDG_STATE_HOME: state },
      place: path.join(state, 'nix-run-foreign'),
    },
  ];
  for (const { env, place } of places) {
    const file = putDecision(place, program);
    assert.equal((await run(workshop, [program], { env })).stderr.split('\n')[0], 'resolver called');
    chmodSync(file, 0o666);
    assert.equal(
      (await run(workshop, [program], { env })).stdout,
      'system\n',
      'anybody may have put it there',
    );
    rmSync(file);
    assert.equal((await run(workshop, [program], { env })).stdout, 'system\n');
  }
  // Another's things may be in it by now.
  spawnSync('rmdir', ['-p', '--ignore-fail-on-non-empty', path.join(temporary, 'state/v1/decided')]);
});

test('a system place that others can write is not valid', async () => {
  chmodSync(path.join(system, 'v1/plans'), 0o777);
  assert.equal((await run(workshop, [program])).stderr.split('\n')[0], 'resolver called');
  chmodSync(path.join(system, 'v1/plans'), 0o755);
});

test(
  "in a user's namespace, where root's files look like nobody's, and not those of a stranger outside",
  asRoot,
  async () => {
    const farm = path.join(system, 'v1/farms/farm');
    mkdirSync(farm, { recursive: true });
    const file = putPlan(system, program, planText(program, ['+PLACE=system', `d${farm}`]));
    chmodSync(file, 0o644);
    const asUser = ['setpriv', '--reuid=4321', '--regid=4321', '--clear-groups'] as const;
    const inside = [
      ...asUser,
      'unshare',
      '--user',
      '--map-current-user',
      workshop.launcher,
      program,
    ] as const;
    const outside = [...asUser, workshop.launcher, program] as const;
    for (const words of [outside, inside])
      assert.deepEqual(await runCommand(workshop, words), {
        code: 0,
        signal: null,
        stdout: 'system\n',
        stderr: '',
      });
    for (const owned of [file, path.dirname(file), farm]) {
      chownSync(owned, 4322, 4322);
      const { stderr } = await runCommand(workshop, outside);
      assert.equal(stderr.split('\n')[0], 'resolver called', owned);
      chownSync(owned, 0, 0);
    }
    for (const owned of [file, path.dirname(file), farm]) {
      chmodSync(owned, 0o777);
      const { stderr } = await runCommand(workshop, inside);
      assert.equal(stderr.split('\n')[0], 'resolver called', owned);
      chmodSync(owned, 0o755);
    }
  },
);
