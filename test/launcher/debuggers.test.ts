// What a debugger, a core dump and a profiler make of a program that the launcher entered.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { compileEntered, compileLibrary, LOADER, plan } from './interpreter-fixture.ts';
import { openWorkshop, runCommand } from './launcher-fixture.ts';
import { needTool } from './tool-fixture.ts';

needTool('gdb', 'gdb');
const workshop = await openWorkshop();
const { directory } = workshop;
const library = compileLibrary(workshop, 'called-library');
const program = compileEntered(workshop, 'call-library', ['-g', library]);
plan(workshop, program, path.dirname(library));

async function gdb(words: readonly string[], commands: readonly string[]): Promise<string> {
  const asked = commands.flatMap((command) => ['-ex', command]);
  const { stdout } = await runCommand(workshop, ['gdb', '-q', '-nx', '-batch', ...asked, ...words], {
    cwd: directory,
    timeout: 60_000,
  });
  return stdout;
}

const STOP = ['set breakpoint pending on', 'break in_library', 'run', 'bt', 'info sharedlibrary', 'continue'];

function assertStopped(said: string, main: RegExp): void {
  assert.match(said, /Breakpoint 1, (0x[0-9a-f]+ in )?in_library \(die=0\)/);
  assert.match(said, main);
  assert.match(said, new RegExp(`Yes .*${library}$`, 'm'));
  assert.match(said, new RegExp(`Yes .*${LOADER}$`, 'm'), 'the loader by its own file');
  assert.doesNotMatch(said, new RegExp(`^0x.*${workshop.launcher}$`, 'm'));
  assert.match(said, /exited normally/);
}

test('gdb stops in a library, and knows every object by its file', async () => {
  assertStopped(await gdb([program], STOP), /^#1 .* in main \(/m);
});

test('gdb stops in a library of a program without symbols', async () => {
  const stripped = path.join(directory, 'stripped');
  copyFileSync(program, stripped);
  execFileSync('strip', [stripped]);
  plan(workshop, stripped, path.dirname(library));
  assertStopped(await gdb([stripped], STOP), /^#1 /m);
});

test('a core dump tells the same', async () => {
  const pattern = readFileSync('/proc/sys/kernel/core_pattern', 'utf8').trim();
  assert.doesNotMatch(
    pattern,
    /^\|/,
    'this machine hands cores to a program; set kernel.core_pattern to "core"',
  );
  const script = `ulimit -c unlimited; exec '${program}' die`;
  const { signal } = await runCommand(workshop, ['sh', '-c', script], { cwd: directory });
  assert.equal(signal, 'SIGABRT');
  const core = readdirSync(directory).find((name) => name.startsWith('core')) ?? '';
  const said = await gdb([program, core], ['bt', 'info sharedlibrary']);
  assert.match(said, /in_library \(die=1\)/);
  assert.match(said, /in main \(/);
  assert.match(said, new RegExp(`Yes .*${LOADER}$`, 'm'));
});
