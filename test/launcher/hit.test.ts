// A hit as the kernel sees it: no other process, no write, and a bounded number of calls.
import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { compile, openWorkshop, putScript, resolving, runCommand } from './launcher-fixture.ts';
import { planText, putPlan } from './plan-fixture.ts';
import { needTool } from './tool-fixture.ts';

needTool('strace', 'strace');
const workshop = await openWorkshop();
const program = compile(workshop, 'say-started');
const log = path.join(workshop.directory, 'strace');

/** The launcher's system calls, from after its own execve up to and with the program's. */
async function callsOf(records: readonly string[]): Promise<string[]> {
  putPlan(workshop.place, program, planText(program, records));
  const traced = ['strace', '-f', '-o', log, workshop.launcher, program] as const;
  const { code, stdout, stderr } = await runCommand(workshop, traced);
  assert.deepEqual([code, stdout, stderr], [0, 'started\n', '']);
  const calls = readFileSync(log, 'utf8')
    .split('\n')
    .map((line) => line.replace(/^\d+ +/, ''));
  const last = calls.findLastIndex((call) => call.startsWith('execve('));
  return calls.slice(1, last + 1);
}

const names = (calls: readonly string[]): string[] => calls.map((call) => call.replace(/\(.*/, ''));

test('the calls of a hit, one by one', async () => {
  const program = ['openat', 'fstat', 'readlinkat', 'close'];
  // Whose each directory is on the way to the plans.
  const below = path.join(workshop.place, 'v1/plans').split('/').slice(1);
  const way = below.map(() => 'newfstatat');
  // Below /tmp: on which file system ours and /tmp are.
  const inTmp = workshop.place.startsWith('/tmp/') ? ['newfstatat', 'newfstatat'] : [];
  const plan = ['openat', 'fstat', 'read', 'close'];
  const isInView = 'readlinkat';
  const all = ['prlimit64', ...program, isInView, ...way, ...inTmp, ...plan, 'clock_gettime', 'execve'];
  assert.deepEqual(names(await callsOf([])), all);
});

test('every file that a plan names costs one call', async () => {
  const few = await callsOf(['+A=1', 'f/bin']);
  const many = await callsOf(['+A=1', ...Array.from({ length: 40 }, () => 'f/bin')]);
  assert.equal(many.length - few.length, 39);
});

test('every descriptor is opened for reading or as a path only, and to be closed by the execve', async () => {
  const opens = (await callsOf(['d/usr', 'a/nowhere'])).filter((call) => call.startsWith('openat'));
  assert.ok(opens.length > 0);
  for (const call of opens) assert.match(call, /O_RDONLY.*O_CLOEXEC/);
});

test('a miss adds two processes, and they are gone when the program starts', async () => {
  rmSync(workshop.cache, { recursive: true });
  const script = putScript(
    workshop.directory,
    'resolver',
    `exec /bin/sh -c "${resolving(workshop, program)}"`,
  );
  const env = { ...workshop.environment, NIX_RUN_FOREIGN_RESOLVER: script };
  const traced = ['strace', '-f', '-e', 'trace=clone,clone3,fork,vfork,wait4,execve', '-o', log] as const;
  const { code } = await runCommand(workshop, [...traced, workshop.launcher, program], { env });
  assert.equal(code, 0);
  const text = readFileSync(log, 'utf8');
  const launcher = /^(\d+)/.exec(text)?.[1] ?? '';
  const own = text.split('\n').filter((line) => line.startsWith(`${launcher} `));
  assert.equal(own.filter((line) => / clone\(/.test(line)).length, 1);
  assert.ok(
    own.some((line) => /clone\(child_stack=NULL, flags=0\)/.test(line)),
    own.join('\n'),
  );
  assert.doesNotMatch(own.join('\n'), /SIGCHLD/);
});
