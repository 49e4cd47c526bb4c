// The launcher for aarch64, run by an emulator: as a command, and as the interpreter of programs for Debian's arm64 libc.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { SYSTEMS } from '../../scripts/compile-c.ts';
import { builtLauncher } from '../built-launcher.ts';
import { plan } from './interpreter-fixture.ts';
import { limited, openWorkshop, putScript, resolving, runCommand } from './launcher-fixture.ts';
import { planText, putPlan } from './plan-fixture.ts';
import { needTool } from './tool-fixture.ts';

const LIBC = '/usr/aarch64-linux-gnu/lib';
const loader = path.join(LIBC, 'ld-linux-aarch64.so.1');
needTool('aarch64-linux-gnu-gcc', 'gcc-aarch64-linux-gnu');
needTool('/usr/aarch64-linux-gnu/include/stdio.h', 'libc6-dev-arm64-cross');
needTool('qemu-aarch64', 'qemu-user');

const workshop = await openWorkshop();
const { directory } = workshop;
const launcher = path.join(directory, 'nix-run-foreign-aarch64');
await builtLauncher({
  output: launcher,
  node: '/bin/sh',
  script: path.join(directory, 'built-in-resolver'),
  ...SYSTEMS['aarch64-linux'],
});

function compile(output: string, name: string, flags: readonly string[]): string {
  const file = path.join(directory, output);
  const source = path.join(import.meta.dirname, 'programs', `${name}.c`);
  execFileSync('aarch64-linux-gnu-gcc', ['-O1', '-w', '-o', file, source, ...flags]);
  return file;
}

const soname = 'libchange-environment.so.1';
const library = compile(soname, 'change-environment', [
  '-shared',
  '-fPIC',
  `-Wl,-soname,${soname}`,
  '-DCHANGE=0',
]);
const program = compile('program', 'print-environment', [
  '-Wl,--no-as-needed',
  library,
  `-Wl,--dynamic-linker=${launcher}`,
]);
const libraries = `${directory}:${LIBC}`;
const cache = `XDG_CACHE_HOME=${workshop.environment['XDG_CACHE_HOME']}`;

function run(words: readonly string[], env: NodeJS.ProcessEnv = {}) {
  return runCommand(workshop, ['qemu-aarch64', ...words], {
    env: { XDG_CACHE_HOME: workshop.environment['XDG_CACHE_HOME'], ...env },
    ...limited,
  });
}

test('as a command it becomes the program of a plan', async () => {
  putPlan(workshop.place, '/bin/echo', planText('/bin/echo'));
  const { code, stdout, stderr } = await run([launcher, '/bin/echo', 'a b', 'c']);
  assert.deepEqual([code, stdout, stderr], [0, 'a b c\n', '']);
});

test('as an interpreter it enters the loader, and the program finds what the user had', async () => {
  plan(workshop, program, libraries, loader);
  const vector = 'vector readable, page size 4096';
  const alone = await run([program]);
  assert.deepEqual(alone.stderr, '');
  assert.deepEqual(alone.stdout.trimEnd().split('\n'), [`library sees ${libraries}`, cache, vector]);
  const both = await run([program], { LD_LIBRARY_PATH: '/users' });
  const lines = both.stdout.trimEnd().split('\n').sort();
  assert.deepEqual(
    lines,
    [
      'LD_LIBRARY_PATH=/users',
      cache,
      `library sees ${libraries}:${path.dirname(loader)}:/users`,
      vector,
    ].sort(),
  );
  assert.deepEqual([alone.code, both.code], [0, 0]);
});

test('as an interpreter it has a plan made', async () => {
  const records = [`l${loader}`, `b${libraries}`];
  const script = putScript(directory, 'resolver', resolving(workshop, program, records));
  const outcome = await run([program], { NIX_RUN_FOREIGN_RESOLVER: script, NIX_RUN_FOREIGN_DEBUG: '1' });
  assert.match(outcome.stderr, /there is no plan/);
  assert.match(outcome.stdout, /^library sees /);
  assert.equal(outcome.code, 0);
});
