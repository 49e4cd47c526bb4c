// The launcher's substitute: the same words, the same plans, the same exit status, through Node.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { applyPlan } from '../../src/cli/run/apply-plan.ts';
import { readLauncherWords } from '../../src/cli/run/run.ts';
import { barePlan } from '../plan/bare-plan.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'nix-run-foreign-run-'));
after(() => rmSync(directory, { recursive: true }));

const substitute = path.resolve(import.meta.dirname, '../../bin/nix-run-foreign.mjs');
const program = path.join(directory, 'program');
const source = path.join(directory, 'program.c');
writeFileSync(
  source,
  `#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv) {
  if (argc > 2) raise(atoi(argv[2]));
  printf("%s|%s|%s\\n", argv[0], getenv("HOME"), getenv("XDG_CACHE_HOME"));
  return argc > 1 ? atoi(argv[1]) : 0;
}
`,
);
assert.equal(spawnSync('cc', ['-static', '-o', program, source], { stdio: 'inherit' }).status, 0);

function run(words: readonly string[], env: Record<string, string> = {}) {
  const home = { HOME: directory, PATH: `${directory}:/usr/bin:/bin` };
  return spawnSync(process.execPath, [substitute, ...words], { env: { ...home, ...env }, encoding: 'utf8' });
}

test('exit status, argv[0] and the environment as it was given', () => {
  const { status, stdout, stderr } = run(['program', '7'], { HOME: '/nowhere', XDG_CACHE_HOME: 'relative' });
  assert.deepEqual([status, stdout, stderr], [7, 'program|/nowhere|relative\n', '']);
});

test('a fatal signal of the program is the end of the substitute too', () => {
  assert.equal(run([program, '0', '15']).signal, 'SIGTERM');
  assert.equal(run([program, '0', '9']).signal, 'SIGKILL');
});

test('failures have the statuses of env(1), a cause and a remedy', () => {
  for (const [words, status] of [
    [['no-such-program'], 127],
    [[directory], 126],
    [['--no-such-option'], 125],
    [[], 125],
  ] as const) {
    const ended = run(words);
    assert.equal(ended.status, status);
    assert.match(ended.stderr, /^nix-run-foreign: .+\n {2}.+\n$/);
    assert.equal(ended.stdout, '');
  }
});

test('options end at the program or at --', () => {
  assert.deepEqual(readLauncherWords(['--refresh', 'a', '--help']), {
    action: '--refresh',
    words: ['a', '--help'],
  });
  assert.deepEqual(readLauncherWords(['--', '--refresh']), { action: '--run', words: ['--refresh'] });
  assert.deepEqual(readLauncherWords(['--version', 'a']), { action: '--version', words: [] });
});

const plan = barePlan('/real/program', {
  execute: '/store/ld.so',
  environment: [['NIX_LD', 'ours']],
  argv: [
    { kind: 'literal', text: '/store/ld.so' },
    { kind: 'argv0' },
    { kind: 'library-path', list: '/farm' },
    { kind: 'program' },
  ],
});

test('a plan is applied as the launcher applies it', () => {
  const applied = (libraryPath: string | undefined) =>
    applyPlan(plan, './p', ['p', 'a'], { LD_LIBRARY_PATH: libraryPath, NIX_LD: 'theirs' });
  assert.deepEqual(applied('/mine').args, ['p', '/mine:/farm', '/real/program', 'a']);
  assert.deepEqual(applied('/mine:').args[1], '/mine:/farm');
  assert.deepEqual(applied('').args[1], '/farm');
  const { file, argv0, env } = applied(undefined);
  assert.deepEqual([file, argv0, env], ['/store/ld.so', '/store/ld.so', { NIX_LD: 'ours' }]);
  const direct = applyPlan({ ...plan, argv: [], environment: [] }, './p', ['p', 'a'], {});
  assert.deepEqual([direct.argv0, direct.args], ['p', ['a']]);
});

test('a plan for nix-ld and the launcher is applied as if there were none: nix-ld is told the loader', () => {
  const { env, file } = applyPlan(
    {
      ...plan,
      strategy: 'interpreter',
      argv: [],
      environment: [],
      loader: '/store/ld.so',
      libraryPath: '/farm',
      launcherVariables: ['NIX_LD_x86_64_linux'],
      execute: '/p',
    },
    '/p',
    ['p'],
    { NIX_LD_x86_64_linux: 'theirs', A: '1' },
  );
  assert.deepEqual(env, {
    NIX_LD_x86_64_linux: '/store/ld.so',
    NIX_LD_LIBRARY_PATH_x86_64_linux: '/farm',
    A: '1',
  });
  assert.equal(file, '/p');
});
