// A program that cannot be looked at or may not be started: the words, the remedy and the status of env(1).
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { builtLauncher } from '../built-launcher.ts';
import { openWorkshop, run, runCommand } from './launcher-fixture.ts';
import { asRoot } from './tool-fixture.ts';

const workshop = await openWorkshop();
const at = (...names: string[]): string => path.join(workshop.directory, ...names);
mkdirSync(at('dir'));
execFileSync('mkfifo', ['-m', '755', at('fifo')]);
writeFileSync(at('noexec'), '#!/bin/sh\n', { mode: 0o644 });
symlinkSync('loop', at('loop'));
symlinkSync('nowhere', at('dangling'));
symlinkSync('noexec', at('link'));

const spelling = 'check the spelling of the path';
const bare = 'check its name; a name without a slash is looked up in PATH';
const cases: Record<string, readonly [code: number, cause: string, remedy: string]> = {
  './dir': [126, 'it is a directory', 'name the program inside it'],
  './fifo': [126, 'it is not a regular file', 'name a program'],
  '/dev/null': [126, 'it is not a regular file', 'name a program'],
  './noexec': [126, 'it is not executable', `make it so: chmod +x ${at('noexec')}`],
  './link': [126, 'it is not executable', `make it so: chmod +x ${at('noexec')}`],
  './nosuch': [127, 'no such file or directory', spelling],
  './dangling': [127, 'no such file or directory', spelling],
  nosuch: [127, 'no such file or directory', bare],
  './noexec/below': [126, 'a component of the path is not a directory', spelling],
  './loop': [
    126,
    'too many levels of symbolic links',
    'correct the symbolic links on its path, which lead to one another',
  ],
  [`./${'x'.repeat(300)}`]: [126, 'file name too long', 'name it by a shorter path'],
  noexec: [126, 'permission denied', 'make the file of that name in PATH executable, or name it by its path'],
};

for (const [name, [code, cause, remedy]] of Object.entries(cases))
  test(`refused: ${name.slice(0, 30)}`, async () => {
    const env = { ...workshop.environment, PATH: workshop.directory };
    const outcome = await run(workshop, [name], { cwd: workshop.directory, env });
    assert.equal(outcome.stderr, `nix-run-foreign: ${name}: ${cause}\n  ${remedy}\n`);
    assert.deepEqual([outcome.code, outcome.stdout], [code, '']);
  });

test('refused: a shim whose program is gone; nobody typed its path', async () => {
  const gone = at('gone');
  const { code, stderr } = await run(workshop, [`--shim=${gone}`, at('shims', 'gone'), '--help']);
  assert.equal(
    stderr,
    `nix-run-foreign: ${gone}: the program of this shim is gone\n  put it back, or see: nix-foreign shim list\n`,
  );
  assert.equal(code, 127);
});

test('refused: what is not in PATH, for a loader with an option', async () => {
  const loader = at('ld-linux-x.so.2');
  // What is not set holds no zeros by chance.
  await builtLauncher({ output: loader, flags: ['-ftrivial-auto-var-init=pattern'] });
  const { code, stderr } = await runCommand(workshop, [loader, '--list', 'nosuch']);
  assert.equal(stderr, `nix-run-foreign: nosuch: no such file or directory\n  ${bare}\n`);
  assert.equal(code, 127);
});

test('refused: executable, but not by this user; behind a closed directory', asRoot, async () => {
  copyFileSync('/bin/true', at('private'));
  chmodSync(at('private'), 0o744);
  mkdirSync(at('closed'), { mode: 0o700 });
  copyFileSync('/bin/true', at('closed', 'true'));
  const asNobody = [
    'setpriv',
    '--reuid=65534',
    '--regid=65534',
    '--clear-groups',
    workshop.launcher,
  ] as const;
  const first = await runCommand(workshop, [...asNobody, at('private')]);
  assert.equal(first.code, 126);
  assert.match(first.stderr, /private: you may not execute it\n {2}check its owner and modes, and whether/);
  const second = await runCommand(workshop, [...asNobody, at('closed', 'true')]);
  assert.equal(second.code, 126);
  assert.match(
    second.stderr,
    /true: permission denied\n {2}check the permissions of the directories above it\n/,
  );
});
