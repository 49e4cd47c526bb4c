// Foreign programs by their own names in an interactive zsh, each shape first without the hook.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { needTool } from '../../launcher/tool-fixture.ts';
import { ensureRig } from '../../rig/rig.ts';
import { openToolRoot } from '../tool.ts';
import { namedByVariables, posixShapes, type Shape } from './shapes.ts';
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

/** One after the other in one shell: what a line makes, those after it have. */
const inOrder: readonly Shape[] = [
  { line: 'export BAR=1; ./tool a', output: /^<\.\/tool>\[a\]$/ },
  { line: 'export T=./tool; $T a', output: /^<\.\/tool>\[a\]$/ },
  ...namedByVariables((name) => `typeset -g ${name}=./tool`),
  { line: 'words=(./tool pre)', output: /^$/ },
  { line: '$words a', output: /^<\.\/tool>\[pre\]\[a\]$/ },
  { line: '"${words[@]}" a', output: /^<\.\/tool>\[pre\]\[a\]$/ },
  { line: 'typeset -A kept=(run ./tool other ./nothing); list=(./nothing ./tool)', output: /^$/ },
  { line: '$kept[run] x; "${kept[run]}" y', output: /^<\.\/tool>\[x\]\n<\.\/tool>\[y\]$/ },
  { line: '$list[2] x; "${list[-1]}" y', output: /^<\.\/tool>\[x\]\n<\.\/tool>\[y\]$/ },
  { line: '${absent:-./tool} x; "${kept[run]:-./no}" y', output: /^<\.\/tool>\[x\]\n<\.\/tool>\[y\]$/ },
  { line: 'command ./tool x; FOO=1 command ./tool', output: /^<\.\/tool>\[x\]\n<\.\/tool> FOO=1$/ },
  { line: 'alias command', output: /^$/, status: 1 },
  // Where it would expand an alias that the user wrote `command` against, it is left alone.
  { line: "alias true='echo not true'", output: /^$/ },
  { line: 'command true; ./tool x; command true', output: /^<\.\/tool>\[x\]$/ },
  { line: 'command ./tool x; command true', output: /no such file or directory: \.\/tool/ },
  { line: 'command ./tool x; eval "$(echo command true)"', output: /no such file or directory: \.\/tool/ },
  {
    line: 'for i in 1; do command ./tool\ncommand true\ndone',
    output: /^<\.\/tool>$/,
  },
  { line: 'for i in 1; do command ./tool\ndone', output: /^<\.\/tool>$/ },
  { line: 'unalias true', output: /^$/ },
  { line: `${hookLine.zsh}; ./tool x; named y`, output: /^<\.\/tool>\[x\]\n<named>\[y\]$/ },
  { line: 'alias named; whence -w named', output: /^named: command$/ },
  { line: 'name=$HOME', output: /^$/ },
  { line: '${name}/tool a', output: /^<\/home\/tester\/tool>\[a\]$/ },
  { line: './gonix a; whence -w ./gonix', output: /^<\.\/gonix>\[a\]\n\.\/gonix: command$/ },
  { line: 'which cat >/dev/null; ./tool a', output: /^<\.\/tool>\[a\]$/ },
  { line: 'type named', output: /^named is \S+\/bin\/named$/ },
  { line: 'echo "x (export y)"; ./tool a', output: /^x \(export y\)\n<\.\/tool>\[a\]$/ },
  { line: 'echo $commands[fresh]; cp tool bin/fresh', output: /^$/ },
  { line: 'fresh x', output: /^<fresh>\[x\]$/ },
  { line: 'alias fresh="fresh -v"', output: /^$/ },
  { line: 'fresh x', output: /^<fresh>\[-v\]\[x\]$/ },
  { line: 'cp tool bin/late && late x', output: /^<late>\[x\]$/ },
  { line: 'cp tool t7; chmod -x t7', output: /^$/ },
  { line: './t7', output: /^zsh: permission denied: \.\/t7$/, status: 126 },
  { line: 'true; ./t7', output: /^zsh: permission denied: \.\/t7$/, status: 126 },
  { line: 'chmod +x ./t7 && ./t7', output: /^<\.\/t7>$/ },
  { line: 'cp tool t9 && ./t9', output: /^<\.\/t9>$/ },
  { line: 'cp tool t8 \\\n&& ./t8', output: /^<\.\/t8>$/ },
  { line: 'mkdir -p build && cd build && ../tool; cd ..', output: /^<\.\.\/tool>$/ },
  { line: 'true; ./absent', output: /^zsh: no such file or directory: \.\/absent$/, status: 127 },
  { line: 'true; ./build', output: /^zsh: permission denied: \.\/build$/, status: 126 },
  { line: "cp tool 'my tool'; mkdir 'a b'; cp tool 'a b'; cp tool it\\'s", output: /^$/ },
  { line: './my\\ tool x', output: /^<\.\/my tool>\[x\]$/ },
  { line: '"./my tool" x | cat', output: /^<\.\/my tool>\[x\]$/ },
  // `$!` is the program; what comes behind it in the same process runs.
  { line: 'true; "./my tool" pid & wait; echo is $!', output: /^pid (\d+)$[\s\S]*^is \1$/m },
  { line: 'coproc { "./my tool" a; echo b }; cat <&p', output: /^<\.\/my tool>\[a\]\nb$/m },
  { line: '{ "./my tool" a; echo b } & wait', output: /^<\.\/my tool>\[a\]\nb$/m },
  { line: '"./my tool" a && echo b & wait', output: /^<\.\/my tool>\[a\]$[\s\S]*^b$/m },
  { line: 'repeat 2 "./my tool" a & wait', output: /^<\.\/my tool>\[a\]\n<\.\/my tool>\[a\]$/m },
  { line: 'alias twice="repeat 2"', output: /^$/ },
  { line: 'twice "./my tool" a & wait', output: /^<\.\/my tool>\[a\]\n<\.\/my tool>\[a\]$/m },
  { line: 'unalias twice; true && "./my tool" pid & wait; echo is $!', output: /^pid (\d+)$[\s\S]*^is \1$/m },
  { line: `'a b/tool' x; "./it's" y`, output: /^<a b\/tool>\[x\]\n<\.\/it's>\[y\]$/ },
  { line: 'setopt sh_word_split; "./my tool" s; unsetopt sh_word_split', output: /^<\.\/my tool>\[s\]$/ },
  { line: 'setopt warn_nested_var; alias q=true', output: /^$/ },
  { line: 'echo "$(./my\\ tool s)"', output: /^<\.\/my tool>\[s\]$/ },
  { line: 'cp tool "new one" && "./new one"', output: /^<\.\/new one>$/ },
  { line: 'eval "named x"; case a in (a) named y;; esac', output: /^<named>\[x\]\n<named>\[y\]$/ },
  { line: 'command named x; \\named y', output: /^<named>\[x\]\n<named>\[y\]$/ },
  { line: '=named x', output: /^<\/home\/tester\/bin\/named>\[x\]$/ },
  { line: `print -r '#!/bin/bash' > script; echo 'echo ran' >> script; chmod +x script`, output: /^$/ },
  { line: './script', output: /^ran$/ },
  { line: 'setopt ksharrays nounset', output: /^$/ },
  { line: 'command named x; cp tool t6 && ./t6', output: /^<named>\[x\]\n<\.\/t6>$/ },
  { line: 'unsetopt ksharrays nounset', output: /^$/ },
  { line: 'TRAPZERR() { echo trapped }', output: /^$/ },
  { line: 'false', output: /^trapped$/, status: 1 },
  { line: './tool exit 3', output: /^trapped$/, status: 3 },
  { line: '"./tool" exit 3', output: /^trapped$/, status: 3 },
  { line: 'nothing', output: /^zsh: command not found: nothing\ntrapped$/, status: 127 },
  {
    line: 'unfunction TRAPZERR; print ${(k)functions:#(__nix*|add-*)}',
    output: /^command_not_found_handler$/,
  },
];

test('what the lines before, and the line itself, make a program', async () => {
  const shell = await openShell(root, 'zsh', hookLine.zsh);
  try {
    for (const { line, output, status = 0 } of inOrder) {
      const answer = await shell.run(line);
      assert.match(answer.output, output, line);
      assert.equal(answer.status, status, line);
    }
  } finally {
    shell.close();
  }
});

test('the handler of names that are nowhere starts programs, not directories', async () => {
  assert.equal((await hooked.run('mkdir -p $__nix_foreign_shims')).status, 0);
  for (const name of ['..', '.', '""'])
    assert.match(
      (await hooked.run(`(command_not_found_handler ${name})`)).output,
      /^zsh: command not found:( \.\.?)?$/,
    );
});

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

test('what vared is answered is no command', async () => {
  hooked.type('vared -p "? " -c answer; print ${(k)aliases[(I)*tool]}.');
  hooked.press('Enter');
  await hooked.until(/^\? *$/m);
  hooked.type('./tool');
  hooked.press('Enter');
  await hooked.until(/^\? \.\/tool\n\.\nst=0>/m);
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
      for (const again of ['c', 'd']) {
        await shell.run('source ~/.zshrc');
        assert.equal((await shell.run(`./tool ${again} | cat`)).output, `<./tool>[${again}]`);
      }
      assert.doesNotMatch(shell.screen(), /recursion|maximum nested|__nix_foreign/);
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
