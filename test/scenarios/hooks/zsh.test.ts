// Foreign programs by their own names in an interactive zsh, each shape first without the hook.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { needTool } from '../../launch/launcher/tool-fixture.ts';
import { ensureRig } from '../../rig/rig.ts';
import { openToolRoot } from '../tool.ts';
import { posixShapes } from './shapes.ts';
import { furnishHome, hookLine, openShell, type ShellSession, shellBinds } from './shell-session.ts';

needTool('/usr/bin/zsh', 'zsh');
for (const each of ['autosuggestions', 'syntax-highlighting']) {
  needTool(`/usr/share/zsh-${each}/zsh-${each}.zsh`, `zsh-${each}`);
}
const rig = await ensureRig('full');
const root = await openToolRoot(rig, { binds: shellBinds });
furnishHome(root);
await root.start(['./tool']);

const functions = `greet() { ./tool "$@" greeted }\nalias aliased='./tool alias'\nsetopt bang_hist`;
let bare: ShellSession;
let hooked: ShellSession;

before(async () => {
  bare = await openShell(root, 'zsh', functions);
  hooked = await openShell(root, 'zsh', `${functions}\n${hookLine.zsh}\n${hookLine.zsh}`);
});
after(() => {
  bare?.close();
  hooked?.close();
});

for (const { line, output, status = 0 } of posixShapes) {
  test(`zsh: ${line}`, async () => {
    const without = await bare.run(line);
    assert.doesNotMatch(without.output, output, 'this works without the hook');
    const answer = await hooked.run(line);
    assert.match(answer.output, output);
    assert.equal(answer.status, status);
  });
}

test('a line, the status before it, history, aliases and functions are left as they are', {}, async () => {
  assert.deepEqual(await hooked.run('./tool exit 3'), { output: '', status: 3 });
  assert.equal((await hooked.run('echo $?')).output, '3');
  assert.equal((await hooked.run('fc -ln -2 -2')).output.trim(), './tool exit 3');
  assert.equal(
    (await hooked.run('print -l ${(k)functions:#(__nix*|add-*)} | sort')).output,
    'command_not_found_handler\ngreet',
  );
  assert.equal((await hooked.run('print ${(ok)aliases}')).output, 'aliased run-help which-command');
});

test('Ctrl-Z, jobs, bg, kill, Ctrl-C', async () => {
  hooked.type('./tool sleep 1000');
  hooked.press('Enter');
  await hooked.until(/\.\/tool sleep 1000\n*$/);
  hooked.press('C-z');
  await hooked.until(/suspended[^\n]*\.\/tool sleep 1000\n+st=\d+>/);
  assert.match((await hooked.run('bg')).output, /\.\/tool sleep 1000/);
  await hooked.run('kill %1; wait %1');
  hooked.type('./tool sleep 1001');
  hooked.press('Enter');
  await hooked.until(/sleep 1001\n*$/);
  hooked.press('C-c');
  await hooked.until(/\^C\n+st=130>/);
  assert.equal((await hooked.run('./tool sleep 1002 & kill $!; wait $!')).status, 143);
});

test('a command that is nowhere, and the way back', async () => {
  assert.match((await hooked.run('nix-foreign doctor | cat')).output, /^ok +hook +in this zsh$/m);
  assert.equal((await hooked.run('vtool x')).status, 127);
  assert.equal((await hooked.run('nix-foreign dirs add ~/vendor')).status, 0);
  assert.match((await hooked.run('FOO=1 vtool x | cat')).output, /<\S*vtool>\[x\] FOO=1/);
  assert.match((await hooked.run('nothing')).output, /^zsh: command not found: nothing$/);
  assert.equal((await hooked.run('nix-foreign dirs remove ~/vendor')).status, 0);
  const rc = `command_not_found_handler() { echo "asked for $*"; return 9 }\n${hookLine.zsh}\n${hookLine.zsh}`;
  const shell = await openShell(root, 'zsh', rc);
  try {
    assert.deepEqual(await shell.run('nothing a b'), { output: 'asked for nothing a b', status: 9 });
    assert.equal((await shell.run('eval "$(nix-foreign hook --off)"')).output, '');
    assert.deepEqual(await shell.run('nothing c'), { output: 'asked for nothing c', status: 9 });
    assert.equal((await shell.run('./tool')).status, 127);
    const left =
      'print ${(Mk)parameters:#__nix*} ${(Mk)functions:#__nix*} $precmd_functions $NIX_RUN_FOREIGN_HOOK';
    assert.equal((await shell.run(left)).output, '');
  } finally {
    shell.close();
  }
});

test('beside zsh-autosuggestions, zsh-syntax-highlighting and vi keys', async () => {
  const plugins = ['autosuggestions', 'syntax-highlighting'].map(
    (each) => `source /usr/share/zsh-${each}/zsh-${each}.zsh`,
  );
  for (const lines of [
    [...plugins, hookLine.zsh],
    [hookLine.zsh, ...plugins],
  ]) {
    const shell = await openShell(root, 'zsh', ['bindkey -v', ...lines].join('\n'));
    try {
      assert.match((await shell.run('./tool a | cat')).output, /^<\.\/tool>\[a\]$/);
      assert.match((await shell.run('named b')).output, /^<named>\[b\]$/);
      assert.equal((await shell.run('(exit 4)')).status, 4);
    } finally {
      shell.close();
    }
  }
});

test('in a script that is strict the hook is silent and changes nothing', async () => {
  const script = `set -euo pipefail; ${hookLine.zsh}; echo "\${NIX_RUN_FOREIGN_HOOK-none}"`;
  const loader = '/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2';
  const env = { PATH: '/home/tester/bin:/nix/var/nix/profiles/default/bin' };
  const { stdout, stderr, status } = await root.run({ argv: [loader, '/usr/bin/zsh', '-c', script], env });
  assert.deepEqual([stdout, stderr, status], ['none\n', '', 0]);
});
