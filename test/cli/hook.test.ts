// `nix-foreign hook` without a name: for the shell that asks, whatever another one left in the environment.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

const PROJECT = path.resolve(import.meta.dirname, '../..');
const manager = [process.execPath, path.join(PROJECT, 'dist/nix-foreign.cjs')];

/** `:` behind it keeps bash from becoming the command. */
function askedByBash(words: readonly string[], env: Record<string, string>) {
  const argv = ['-c', '"$@"; :', 'bash', ...manager, ...words];
  return spawnSync('bash', argv, { encoding: 'utf8', env: { PATH: '/usr/bin:/bin', HOME: '/', ...env } });
}

test('the shell that asks goes before what the environment tells of another', () => {
  const env = { NIX_RUN_FOREIGN_HOOK: 'fish:0:/x', SHELL: '/usr/bin/zsh' };
  const off = askedByBash(['hook', '--off'], env);
  assert.equal(off.stderr, '');
  assert.equal(off.stdout, readFileSync(path.join(PROJECT, 'shell-hooks/off.bash'), 'utf8'));
  assert.match(askedByBash(['hook'], env).stdout, /^# shellcheck shell=bash\n/);
});

test('a name goes before everything', () => {
  const { stdout } = askedByBash(['hook', 'zsh', '--off'], {});
  assert.equal(stdout, readFileSync(path.join(PROJECT, 'shell-hooks/off.zsh'), 'utf8'));
});

test('names to wrap are filled in, and what is no name is refused', () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { stdout } = askedByBash(['hook', shell, '--wrap', 'python3,node', '--wrap=g++'], {});
    assert.match(stdout, /__nix_foreign_wrapped.*' ?python3 node g\+\+ ?'/, shell);
  }
  for (const wrong of ['./tool', 'a b', '', "it's"]) {
    const { stdout, stderr } = askedByBash(['hook', 'bash', '--wrap', wrong], {});
    assert.equal(stdout, '', wrong);
    assert.match(stderr, /is no name of a command\n/);
  }
});

test('where no shell asks, the variables tell', () => {
  const argv = ['hook', '--off'];
  const asked = (env: Record<string, string>) =>
    spawnSync(manager[0] ?? '', [...manager.slice(1), ...argv], { encoding: 'utf8', env });
  const off = (shell: string) => readFileSync(path.join(PROJECT, `shell-hooks/off.${shell}`), 'utf8');
  assert.equal(
    asked({ NIX_RUN_FOREIGN_HOOK: 'fish:0:/x', SHELL: '/usr/bin/zsh', HOME: '/' }).stdout,
    off('fish'),
  );
  assert.equal(asked({ SHELL: '/usr/bin/zsh', HOME: '/' }).stdout, off('zsh'));
  const none = asked({ HOME: '/' });
  assert.deepEqual([none.status, none.stdout], [125, '']);
  assert.match(none.stderr, /hook needs a shell\n {2}.*bash, zsh, fish/);
});
