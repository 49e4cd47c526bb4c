// A program that its loader starts by command → its argv in one piece in memory, wherever argv[0] names its path.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { LOADER } from './interpreter-fixture.ts';
import { limited, openWorkshop, runCommand } from './launcher-fixture.ts';
import { planText, putPlan } from './plan-fixture.ts';

const workshop = await openWorkshop();
const { directory, launcher, place } = workshop;
const programs = path.join(import.meta.dirname, 'programs');
const at = (name: string): string => path.join(directory, name);
const program = at('bin/report');

// It finds its library by $ORIGIN, and only so.
for (const name of ['bin', 'lib', 'links']) mkdirSync(at(name));
const library = ['-shared', '-fPIC', '-Wl,-soname,libcalled.so.1', path.join(programs, 'called-library.c')];
execFileSync('cc', ['-w', ...library, '-o', at('lib/libcalled.so.1')]);
const words = [path.join(programs, 'report-argv.c'), at('lib/libcalled.so.1'), '-Wl,-rpath,$ORIGIN/../lib'];
execFileSync('cc', ['-w', '-Wl,--no-as-needed', ...words, '-o', program]);
symlinkSync('../bin/report', at('links/report'));

const loader = [`x${LOADER}`, `A${LOADER}`, 'A--argv0', '0', 'A--library-path', 'L/nowhere', 'P'];

async function report(
  cwd: string,
  command: readonly [string, ...string[]],
  prefix = [launcher],
): Promise<string[]> {
  putPlan(place, program, planText(program, loader));
  const env = { ...workshop.environment, PATH: `${at('bin')}:/usr/bin:/bin` };
  const [first, ...rest] = [...prefix, ...command] as [string, ...string[]];
  const { stdout, stderr } = await runCommand(workshop, [first, ...rest], { ...limited, cwd, env });
  assert.equal(stderr, '');
  return stdout.trimEnd().split('\n');
}

for (const [cwd, name] of [
  [directory, program],
  [directory, 'bin/report'],
  [at('bin'), './report'],
  [at('bin'), '././report'],
] as const)
  test(`${name.replace(directory, '')} is in one piece with what follows, as without us`, async () => {
    const expected = ['contiguous', name, 'a', 'b'];
    assert.deepEqual(await report(cwd, [name, 'a', 'b']), expected);
    assert.deepEqual(await report(cwd, [name, 'a', 'b'], []), expected, 'the program itself');
  });

for (const [cwd, name] of [
  [at('bin'), 'report'],
  [at('bin'), '../bin/report'],
  [directory, 'links/report'],
] as const)
  test(`${name} is what the program sees, though apart: the loader would find another $ORIGIN`, async () => {
    assert.deepEqual(await report(cwd, [name, 'a']), ['apart', name, 'a']);
  });

test('a name that the loader would take for an option is not told to it', async () => {
  mkdirSync(at('--d'));
  copyFileSync(program, at('--d/report'));
  putPlan(place, at('--d/report'), planText(at('--d/report'), loader));
  assert.deepEqual(await report(directory, ['--', '--d/report', 'a']), ['apart', '--d/report', 'a']);
});

test('a name of its own stays', async () => {
  assert.deepEqual(await report(directory, ['--argv0', 'name', program, 'a']), ['apart', 'name', 'a']);
  assert.deepEqual(await report(directory, ['--argv0', '', program, 'a']), ['apart', '', 'a']);
});

test('in a directory that is gone argv[0] is handed over as before', async () => {
  const script = `mkdir gone && cd gone && rmdir ../gone && exec '${launcher}' '${program}' a`;
  assert.deepEqual(await report(directory, ['sh', '-c', script], []), ['contiguous', program, 'a']);
  const relative = `cd links && ../links/../bin/report a; exec '${launcher}' ../bin/report a`;
  const lines = await report(directory, ['sh', '-c', relative], []);
  assert.deepEqual(lines.slice(-3), ['apart', '../bin/report', 'a']);
});
