// A plan that is followed leaves a trace of that, once a day, in the times of its file and of its root link.
import assert from 'node:assert/strict';
import { lstatSync, lutimesSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { openWorkshop, putScript, run } from './launcher-fixture.ts';
import { planText, putPlan } from './plan-fixture.ts';

const HOUR = 60 * 60;
const workshop = await openWorkshop();
const program = putScript(workshop.directory, 'program', 'echo started');
const root = path.join(workshop.directory, 'root');
symlinkSync(program, root);
const plan = putPlan(workshop.place, program, planText(program, [`r${root}`]));

function age(file: string): number {
  return (Date.now() - lstatSync(file).mtimeMs) / 1000;
}

async function startWhenAgedBy(seconds: number, readBefore = seconds): Promise<void> {
  const now = Date.now() / 1000;
  for (const file of [plan, root]) lutimesSync(file, now - readBefore, now - seconds);
  assert.deepEqual(await run(workshop, [program]), {
    code: 0,
    signal: null,
    stdout: 'started\n',
    stderr: '',
  });
}

test('a plan that nobody used for a day is touched, and so is its root link, not what that names', async () => {
  const before = lstatSync(program).mtimeMs;
  await startWhenAgedBy(25 * HOUR);
  assert.ok(age(plan) < HOUR);
  assert.ok(age(root) < HOUR);
  assert.equal(lstatSync(program).mtimeMs, before);
});

test('that something else read the plan, such as a backup, is no use', async () => {
  await startWhenAgedBy(25 * HOUR, HOUR);
  assert.ok(age(plan) < HOUR);
  assert.ok(age(root) < HOUR);
});

test('one that was used since is left alone', async () => {
  await startWhenAgedBy(20 * HOUR);
  assert.ok(lstatSync(plan).mtimeMs < Date.now() - 19 * HOUR * 1000);
  assert.ok(age(root) > 19 * HOUR);
});

test('a root that cannot be touched is no failure', async () => {
  putPlan(workshop.place, program, planText(program, ['r/nothing/here']));
  await startWhenAgedBy(25 * HOUR);
  assert.ok(age(plan) < HOUR);
});
