// Foreign programs by their own names in an interactive bash, each shape first without the hook.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ensureRig } from '../../rig/rig.ts';
import { openToolRoot } from '../tool.ts';
import { namedByVariables, posixShapes } from './shapes.ts';
import { furnishHome, hookLine, openShell, type ShellSession, shellBinds } from './shell-session.ts';

const rig = await ensureRig('full');
const root = await openToolRoot(rig, { binds: shellBinds });
furnishHome(root);
await root.start(['./tool']);

const functions = `greet() { ./tool "$@" greeted; }\nalias aliased='./tool alias'`;
let bare: ShellSession;
let hooked: ShellSession;

before(async () => {
  bare = await openShell(root, 'bash', functions);
  hooked = await openShell(root, 'bash', `${functions}\n${hookLine.bash}\n${hookLine.bash}`);
});
after(() => {
  bare.close();
  hooked.close();
});

for (const { line, output, status = 0 } of posixShapes) {
  test(`bash: ${line}`, async () => {
    const without = await bare.run(line);
    assert.doesNotMatch(without.output, output, 'this works without the hook');
    const answer = await hooked.run(line);
    assert.match(answer.output, output);
    assert.equal(answer.status, status);
  });
}

/** What others than bash's own shapes need: the alias has the name of the program. */
const awkward: readonly (readonly [line: string, output: RegExp, status?: number])[] = [
  ['named x', /^<named>\[-v\]\[x\]$/],
  ['export BAR=1; ./tool', /^<\.\/tool>$/],
  // In the process that bash started for both.
  ['time ./tool t & wait', /<\.\/tool>\[t\]\s+real\b/],
  ['alias slow="time ./tool"', /^$/],
  ['slow t & wait', /<\.\/tool>\[t\]\s+real\b/],
  // `$!` is the program.
  ['true; ./tool pid & wait; echo "is $!"', /^pid (\d+)$[\s\S]*^is \1$/m],
  ['x=./tool; "$x" pid | cat & ./tool pid & wait; echo "is $!"', /^pid (\d+)$[\s\S]*^is \1$/m],
  // What comes behind it in the same process.
  ['(./tool a; echo b) & wait', /^<\.\/tool>\[a\]\nb$/m],
  ['{ ./tool a; echo b; } | cat', /^<\.\/tool>\[a\]\nb$/],
  ['true && ./tool a && echo b & wait', /^<\.\/tool>\[a\]\nb$/m],
  ['for i in 1 2; do ./tool $i; done & wait', /^<\.\/tool>\[1\]\n<\.\/tool>\[2\]$/m],
  ['for i in 1 2\ndo ./tool $i\ndone | cat', /^<\.\/tool>\[1\]\n<\.\/tool>\[2\]$/],
  ['eval "./tool a; echo b" & wait', /^<\.\/tool>\[a\]\nb$/m],
  [`alias two='eval "./tool a; echo b"'`, /^$/],
  ['two & wait', /^<\.\/tool>\[a\]\nb$/m],
  ['alias evaluated=eval timed=time', /^$/],
  ['evaluated "./tool a; echo b" & wait', /^<\.\/tool>\[a\]\nb$/m],
  ['timed ./tool t & wait', /<\.\/tool>\[t\]\s+real\b/],
  ['coproc { ./tool a; echo b; }; cat <&"${COPROC[0]}"; wait', /^<\.\/tool>\[a\]\nb$/m],
  [`(${hookLine.bash}; ./tool a; echo b) & wait`, /^<\.\/tool>\[a\]\nb$/m],
  // A word that only ends so.
  ['./nothing --overtime 5', /^bash: \.\/nothing: No such file or directory$/, 127],
  ['which ls >/dev/null 2>&1; ./tool a', /^<\.\/tool>\[a\]$/],
  ['type cat >/dev/null && ./tool b', /^<\.\/tool>\[b\]$/],
  ['cp tool t7; chmod -x t7', /^$/],
  ['chmod +x ./t7 && ./t7', /^<\.\/t7>$/],
  ['cp tool t9 && ./t9 && ./nothing', /^<\.\/t9>\nbash: \.\/nothing: No such file or directory$/, 127],
  ['true; ./vendor', /^bash: \.\/vendor: Is a directory$/, 126],
  ['true; ./.bashrc', /^bash: \.\/\.bashrc: Permission denied$/, 126],
  ['mkdir -p build && cd build && ../tool; cd ..', /^<\.\.\/tool>$/],
  ['>out \\named q; cat out', /^<named>\[q\]$/],
  ['2>/dev/null \\named q', /^<named>\[q\]$/],
  ['FOO=./tool; $FOO a', /^<\.\/tool>\[a\]$/],
  ['export BAR=./tool; $BAR b', /^<\.\/tool>\[b\]$/],
  ['true &&\n./tool c', /^<\.\/tool>\[c\]$/],
  ['cp tool t10 &&\n./t10', /^<\.\/t10>$/],
  ['eval "named x"', /^<named>\[-v\]\[x\]$/],
  ['exec 5>&1; coproc named c >&5; wait; exec 5>&-', /<named>\[-v\]\[c\]/],
  ['case a in (a) named x;; esac', /^<named>\[-v\]\[x\]$/],
  ['./gonix n; declare -F ./gonix', /^<\.\/gonix>\[n\]$/, 1],
  ['words=(./tool pre)', /^$/],
  ['"${words[@]}" x', /^<\.\/tool>\[pre\]\[x\]$/],
  ['declare -A kept=([run]=./tool [other]=./nothing) && list=(./nothing ./tool)', /^$/],
  ['${kept[run]} x; "${list[1]}" y', /^<\.\/tool>\[x\]\n<\.\/tool>\[y\]$/],
  ['${kept[other]} x', /No such file/, 127],
  ['${absent:-./tool} x; "${kept[run]:-./nothing}" y', /^<\.\/tool>\[x\]\n<\.\/tool>\[y\]$/],
  ["cp tool t@1; cp tool 't~2#3=4'", /^$/],
  // As completion writes it.
  ['./t\\@1 x', /^<\.\/t@1>\[x\]$/],
  ['./t~2#3\\=4 x', /^<\.\/t~2#3=4>\[x\]$/],
  ["mkdir -p lib; cp tool lib/t=4; mkdir -p 'a=~'; cp tool 'a=~/tool'; there='a=~'", /^$/],
  ['lib/t=4 x', /^<lib\/t=4>\[x\]$/],
  ['FOO=a/b=c ./tool x', /^<\.\/tool>\[x\] FOO=a\/b=c$/],
  ['$there/tool x', /^<a=~\/tool>\[x\]$/],
  [`${hookLine.bash}; ./tool again; named y`, /^<\.\/tool>\[again\]\n<named>\[-v\]\[y\]$/],
  ['declare -F named', /^$/, 1],
  ['rest=~', /^$/],
  ['$rest/tool x', /^<\/home\/tester\/tool>\[x\]$/],
];

test('commands behind others, made by others, and in other places', async () => {
  const rc = `alias named='named -v'\nPROMPT_COMMAND='seen=$?'\nexport PROMPT_COMMAND\n${hookLine.bash}`;
  const shell = await openShell(root, 'bash', rc);
  try {
    for (const [line, output, status = 0] of awkward) {
      const answer = await shell.run(line);
      assert.match(answer.output, output, line);
      assert.equal(answer.status, status, line);
    }
  } finally {
    shell.close();
  }
});

test('variables of any name may hold a program, and read-only ones are left alone', async () => {
  const shell = await openShell(root, 'bash', hookLine.bash);
  try {
    for (const { line, output } of namedByVariables((name) => `${name}=./tool; readonly ${name}`))
      assert.match((await shell.run(line)).output, output, line);
  } finally {
    shell.close();
  }
});

test('traps see what they see without the hook, and a child without it is silent', async () => {
  const rc = `PROMPT_COMMAND='seen=$?'\nexport PROMPT_COMMAND\n${hookLine.bash}`;
  const shell = await openShell(root, 'bash', rc);
  try {
    shell.type('bash --norc -i');
    shell.press('Enter');
    await shell.until(/^bash-5[^\n]*[#$] ?$/m);
    const { output } = await shell.run('(exit 5)\necho had $seen; PS1="st=$seen> "; exit');
    assert.match(output, /^had 5$/m);
    assert.doesNotMatch(shell.screen(), /not found/);
    await shell.run("trap 'echo failed' ERR");
    assert.deepEqual(await shell.run('(exit 3)'), { output: 'failed', status: 3 });
    assert.equal((await shell.run('echo $seen; trap - ERR')).output, '3');
    await shell.run("trap 'echo saw $BASH_COMMAND' DEBUG");
    assert.equal((await shell.run('true')).output, 'saw true\nsaw seen=$?');
    await shell.run('eval "$(nix-foreign hook --off)"');
    await shell.run('trap - DEBUG');
    assert.match((await shell.run('declare -p PROMPT_COMMAND')).output, /="seen=\\\$\?"$/);
  } finally {
    shell.close();
  }
});

test('a line, the status before it, history and the names of functions are left as they are', async () => {
  assert.deepEqual(await hooked.run('./tool exit 3'), { output: '', status: 3 });
  assert.equal((await hooked.run('echo $?')).output, '3');
  assert.equal((await hooked.run('fc -ln -2 -2')).output.trim(), './tool exit 3');
  assert.match(
    (await hooked.run("compgen -A function -X '__nix*'")).output,
    /^command_not_found_handle\ngreet$/,
  );
  assert.equal((await hooked.run('echo last')).output, 'last');
  assert.equal((await hooked.run('./tool "$_" | cat')).output, '<./tool>[last]');
});

test('what `read -e` is answered leaves the line that runs as it is', async () => {
  const shell = await openShell(root, 'bash', hookLine.bash);
  try {
    await shell.run('true'); // before there is any history, bash does not tell
    shell.type('./tool a; read -e -p "? " x; ./tool $x; read -e -p "? " x; ./tool b; read -e -p "? " x');
    shell.press('Enter');
    for (const answer of ['named', './golike', 'last']) {
      await shell.until(/^\? *$/m);
      shell.type(answer);
      shell.press('Enter');
    }
    await shell.until(
      /^<\.\/tool>\[a\]\n\? named\n<\.\/tool>\[named\]\n\? \.\/golike\n<\.\/tool>\[b\]\n\? last\nst=0>/m,
    );
    // What the line had is taken back, and the next one has its own.
    assert.deepEqual(await shell.run('compgen -A function .'), { output: '', status: 1 });
    assert.equal((await shell.run('set +o history; ./tool c')).output, '<./tool>[c]');
    assert.equal((await shell.run('./tool d')).output, '<./tool>[d]');
    assert.equal((await shell.run('unset HISTCMD; ./tool e')).output, '<./tool>[e]');
    assert.equal((await shell.run('./tool f')).output, '<./tool>[f]');
  } finally {
    shell.close();
  }
});

test('what the last match of the user left in BASH_REMATCH is still there', async () => {
  assert.equal((await hooked.run('[[ foo123 =~ ([a-z]+)([0-9]+) ]]; FOO=./tool')).status, 0);
  const line = 'named x; $FOO y; ./tool z; nothing-of-this-name; declare -p BASH_REMATCH';
  const kept = /\[x\][\s\S]*\[y\][\s\S]*\[z\][\s\S]*=\(\[0\]="foo123" \[1\]="foo" \[2\]="123"\)$/;
  assert.match((await hooked.run(line)).output, kept);
});

test('Ctrl-Z, jobs, bg, kill, Ctrl-C', async () => {
  hooked.type('./tool sleep 1000');
  hooked.press('Enter');
  await hooked.until(/\.\/tool sleep 1000\n*$/);
  hooked.press('C-z');
  await hooked.until(/Stopped[^\n]*'sleep' '1000'\n+st=148>/);
  assert.match((await hooked.run('bg')).output, /'\.\/tool' 'sleep' '1000' &/);
  assert.equal((await hooked.run('kill %1; wait %1')).status, 143);
  hooked.type('./tool sleep 1001');
  hooked.press('Enter');
  await hooked.until(/sleep 1001\n*$/);
  hooked.press('C-c');
  await hooked.until(/\^C\n+st=130>/);
  assert.equal((await hooked.run('./tool sleep 1002 & kill $!; wait $!')).status, 143);
});

test('a command that is nowhere: a shim, a registered directory, then whoever was asked before', async () => {
  assert.match((await hooked.run('nix-foreign doctor | cat')).output, /^ok +hook +in this bash$/m);
  assert.equal((await hooked.run('vtool x')).status, 127);
  assert.equal((await hooked.run('nix-foreign dirs add ~/vendor')).status, 0);
  assert.match((await hooked.run('FOO=1 vtool x | cat')).output, /<\S*vtool>\[x\] FOO=1/);
  assert.match((await hooked.run('nothing')).output, /^bash: nothing: command not found$/);
  assert.equal((await hooked.run('mkdir -p "$__nix_foreign_shims"')).status, 0);
  for (const name of ['..', '""']) assert.equal((await hooked.run(`${name} x`)).status, 127, name);
  assert.equal((await hooked.run('nix-foreign dirs remove ~/vendor')).status, 0);
  const shell = await openShell(
    root,
    'bash',
    `command_not_found_handle() { echo "asked for $*"; return 9; }\n${hookLine.bash}\n${hookLine.bash}`,
  );
  try {
    assert.deepEqual(await shell.run('nothing a b'), { output: 'asked for nothing a b', status: 9 });
    assert.equal((await shell.run('eval "$(nix-foreign hook --off)"')).output, '');
    assert.deepEqual(await shell.run('nothing c'), { output: 'asked for nothing c', status: 9 });
    assert.equal((await shell.run('./tool')).status, 127);
    assert.equal(
      (
        await shell.run(
          'compgen -v __nix; compgen -A function __nix; echo "$PROMPT_COMMAND$NIX_RUN_FOREIGN_HOOK"',
        )
      ).output,
      '',
    );
    assert.match(
      (await shell.run('bind -s; bind -X; bind -q accept-line')).output,
      /^accept-line can be invoked via "\\C-j", "\\C-m"\.$/,
    );
  } finally {
    shell.close();
  }
});

test('Ctrl-J that is bound to something else is left alone', async () => {
  const shell = await openShell(root, 'bash', `bind '"\\C-j": "typed"'\n${hookLine.bash}`);
  const bound = async () => {
    shell.type('./tool ');
    shell.press('C-j');
    return await shell.run('');
  };
  try {
    assert.equal((await bound()).output, '<./tool>[typed]');
    assert.equal((await shell.run('eval "$(nix-foreign hook --off)"')).output, '');
    assert.match((await shell.run('bind -s')).output, /^"\\C-j": "typed"$/);
  } finally {
    shell.close();
  }
});

test('beside a PROMPT_COMMAND, a prompt of two lines, vi keys, set -u and set -e', async () => {
  const rc = `PROMPT_COMMAND='seen=$?'\nPS1='first line\\nst=$?> '\nset -o vi\nset -u\n${hookLine.bash}`;
  const shell = await openShell(root, 'bash', rc);
  try {
    assert.match((await shell.run('./tool a')).output, /^<\.\/tool>\[a\]/);
    assert.equal((await shell.run('(exit 4)')).status, 4);
    assert.match((await shell.run('echo $seen')).output, /^4\n/);
    assert.equal((shell.screen().match(/first line/g) ?? []).length, 4);
  } finally {
    shell.close();
  }
});

test('in a script that is strict the hook is silent and changes nothing', async () => {
  const script = `set -euo pipefail; ${hookLine.bash}; trap -p; echo "\${PROMPT_COMMAND-}$(nix-foreign hook bash | wc -l)"; echo "\${NIX_RUN_FOREIGN_HOOK-none}"`;
  const { stdout, stderr, status } = await root.run({
    argv: ['bash', '-c', `export PATH=~/bin:$PATH; ${script}`],
  });
  assert.deepEqual([stderr, status], ['', 0]);
  assert.match(stdout, /^\d{3}\nnone\n$/);
});

test('a line too long to be looked at is let through', async () => {
  const enter = (line: string) =>
    `READLINE_LINE=${line}; __nix_foreign_enter 0 _; echo "$? \${__nix_foreign_defined[*]}"`;
  // Without HISTCMD it is not seen that this line itself runs.
  const script = `cd; unset HISTCMD; ${hookLine.bash}; ${enter('./tool')}; __nix_foreign_take_back; ${enter('$(printf "./tool; %20000s" x)')}`;
  const { stdout } = await root.run({ argv: ['bash', '-ic', `export PATH=~/bin:$PATH; ${script}`] });
  assert.equal(stdout, '0 ./tool\n0 \n');
});
