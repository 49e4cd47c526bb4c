// Programs dated before 1970 and after 2038 → hits, by launchers of both word sizes.
import assert from 'node:assert/strict';
import { utimesSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { builtLauncher } from '../built-launcher.ts';
import { openWorkshop, putScript, runCommand } from './launcher-fixture.ts';
import { planText, putPlan } from './plan-fixture.ts';
import { needTool, on32Bit } from './tool-fixture.ts';

const workshop = await openWorkshop();
const launchers: Record<string, readonly string[]> = { own: [workshop.launcher] };
const small = path.join(workshop.directory, 'of-i686');
if (process.arch === 'x64') {
  await builtLauncher({ output: small, flags: ['-m32'] });
  if (on32Bit.skip !== undefined) needTool('qemu-i386', 'qemu-user');
  launchers['i686'] = on32Bit.skip === undefined ? [small] : ['qemu-i386', small];
}

for (const [name, [file = '', ...words]] of Object.entries(launchers))
  for (const year of [1960, 2040])
    test(`${name}: a program of ${year} starts by its plan`, async () => {
      const program = putScript(workshop.directory, `of-${year}`, 'echo started');
      const time = new Date(Date.UTC(year, 0, 2));
      utimesSync(program, time, time);
      putPlan(workshop.place, program, planText(program));
      const { code, stdout, stderr } = await runCommand(workshop, [file, ...words, program]);
      assert.deepEqual([code, stdout, stderr], [0, 'started\n', '']);
    });

const natively = process.arch === 'x64' ? on32Bit : { skip: 'cc -m32 is of x86-64' };

for (const error of ['ENOSYS', 'EPERM'])
  test(`i686: a start where statx is refused with ${error}`, natively, async () => {
    needTool('strace', 'strace');
    const program = putScript(workshop.directory, `by-${error}`, 'echo started');
    putPlan(workshop.place, program, planText(program));
    const trace = ['strace', '-qq', '-o', '/dev/null', '-e', `inject=statx:error=${error}`] as const;
    const { stdout, stderr } = await runCommand(workshop, [...trace, small, program]);
    assert.deepEqual([stdout, stderr], ['started\n', '']);
  });
