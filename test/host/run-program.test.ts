// How programs end, in both ways of running them.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import {
  type Ended,
  type RunOptions,
  runProgram,
  runProgramNow,
  startProgram,
} from '../../src/host/run-program.ts';
import { scratchDirectory } from '../store/compiled-library.ts';

type Run = (file: string, args: readonly string[], options: RunOptions) => Ended | Promise<Ended>;
const ways: Record<string, Run> = { runProgram: runProgram, runProgramNow: runProgramNow };
const options = { env: { PATH: '/usr/bin:/bin' }, timeout: 10_000 };
const file = path.join(scratchDirectory(), 'not executable');
writeFileSync(file, '#!/bin/sh\n');

for (const [name, run] of Object.entries(ways)) {
  const sh = (script: string, more: Partial<RunOptions> = {}) =>
    run('/bin/sh', ['-c', script], { ...options, ...more });

  test(`${name}: status and output`, async () => {
    const expected = { status: 3, stdout: 'out\n', stderr: 'err\n', failure: undefined, timedOut: false };
    assert.deepEqual(await sh('echo out; echo err >&2; exit 3'), expected);
  });

  test(`${name}: what cannot be started says why, and has no status`, async () => {
    for (const [program, errno] of [
      ['/nowhere', 'ENOENT'],
      [file, 'EACCES'],
      ['/etc', 'EACCES'],
    ] as const) {
      const ended = await run(program, [], options);
      assert.deepEqual([ended.failure, ended.status, ended.timedOut], [errno, undefined, false], program);
    }
  });

  test(`${name}: a signal is no status`, async () => {
    const ended = await sh('kill -TERM $$');
    assert.deepEqual([ended.status, ended.failure, ended.timedOut], [undefined, undefined, false]);
  });

  test(`${name}: too long is killed`, async () => {
    const ended = await sh('exec sleep 30', { timeout: 100 });
    assert.deepEqual([ended.status, ended.timedOut], [undefined, true]);
  });

  test(`${name}: only the environment given, and input to its end`, async () => {
    assert.equal((await run('/usr/bin/env', [], { env: { A: 'b c' }, timeout: 5000 })).stdout, 'A=b c\n');
    const input = 'é\n'.repeat(200_000);
    assert.equal((await run('/bin/cat', [], { ...options, input })).stdout, input);
    assert.equal((await run('/bin/cat', [], options)).stdout, '');
  });

  test(`${name}: a program that does not read its input counts by its end`, async () => {
    const ended = await sh('exit 4', { input: 'x'.repeat(1_000_000) });
    assert.deepEqual([ended.status, ended.failure], [4, undefined]);
  });

  test(`${name}: much output, and bytes that are no text`, async () => {
    assert.equal((await sh('head -c 5000000 /dev/zero')).stdout.length, 5_000_000);
    assert.equal((await sh("printf '\\377x'")).stdout, '\ufffdx');
  });
}

test('what was started ahead and abandoned ends', async () => {
  const running = startProgram('/bin/cat', [], options);
  running.abandon();
  assert.equal((await running.finish('')).status, undefined);
});

test('a program that was started early has its time from when its input is whole', async () => {
  const early = startProgram('/bin/cat', [], { ...options, timeout: 1500 });
  await new Promise((resolve) => setTimeout(resolve, 2000));
  assert.equal((await early.finish('at last')).stdout, 'at last');
  const slow = startProgram('/bin/sleep', ['30'], { ...options, timeout: 100 });
  assert.equal((await slow.finish('')).timedOut, true);
});
