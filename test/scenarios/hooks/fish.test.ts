// Foreign programs by their own names in an interactive fish, each shape first without the hook.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { needTool } from '../../launcher/tool-fixture.ts';
import { ensureRig } from '../../rig/rig.ts';
import { openToolRoot } from '../tool.ts';
import { checkAnswers, checkLists, checkLoading } from './fish-checks.ts';
import { fishFunctions, fishShapes, fishVariables, furtherFishShapes } from './fish-shapes.ts';
import { furnishHome, hookLine, openShell, type ShellSession, shellBinds } from './shell-session.ts';

needTool('/usr/bin/fish', 'fish');
const rig = await ensureRig('full');
const root = await openToolRoot(rig, { binds: shellBinds });
furnishHome(root);
await root.start(['./tool']);

let bare: ShellSession;
let hooked: ShellSession;

before(async () => {
  bare = await openShell(root, 'fish', fishFunctions);
  hooked = await openShell(root, 'fish', `${fishFunctions}\n${hookLine.fish}\n${hookLine.fish}`);
});
after(() => {
  bare?.close();
  hooked?.close();
});

for (const { line, output, status = 0 } of [...fishShapes, ...furtherFishShapes]) {
  test(`fish: ${line}`, async () => {
    const without = await bare.run(line);
    assert.doesNotMatch(without.output, output, 'this works without the hook');
    const answer = await hooked.run(line);
    assert.match(answer.output, output);
    assert.equal(answer.status, status);
  });
}

test('variables of any name may hold a program, or the start of its path', async () => {
  const shell = await openShell(root, 'fish', hookLine.fish);
  try {
    for (const { line, output, status = 0 } of fishVariables) {
      const answer = await shell.run(line);
      assert.match(answer.output, output, line);
      assert.equal(answer.status, status, line);
    }
  } finally {
    shell.close();
  }
});

test('the status before a line, variables and functions are left as they are', async () => {
  assert.deepEqual(await hooked.run('./tool exit 3'), { output: '', status: 3 });
  assert.equal((await hooked.run('echo $status')).output, '3');
  const { output } = await hooked.run('functions greet');
  assert.match(
    output,
    /^# Defined interactively\nfunction greet --description polite\n\s+\.\/tool \$argv greeted\nend$/,
  );
  assert.equal((await hooked.run('functions -a | string match "*copy_of_*"')).output, '');
});

test('a function that is typed keeps its own words', async () => {
  const line = './tool before; function typed; if true; ./tool $argv; else if true; named; end; end';
  assert.equal((await hooked.run(line)).output.split('\n').at(-1), '<./tool>[before]');
  assert.equal((await hooked.run('typed a')).output, '<./tool>[a]');
  const { output } = await hooked.run('functions typed');
  assert.match(output, /if true; \.\/tool \$argv; else if true; named; end/);
  assert.doesNotMatch(output, /nix-run-foreign/);
});

test('an alias of its own name', async () => {
  assert.equal((await hooked.run("alias named='named -v'")).status, 0);
  assert.equal((await hooked.run('named x')).output, '<named>[-v][x]');
  assert.doesNotMatch((await hooked.run('functions named')).output, /nix-run-foreign/);
  assert.equal((await hooked.run('functions -e named')).status, 0);
});

test('exec puts a foreign program in the place of the shell', async () => {
  const shell = await openShell(root, 'fish', hookLine.fish);
  try {
    shell.type('exec named t');
    shell.press('Enter');
    await shell.until(/^<named>\[t\]$/m);
  } finally {
    shell.close();
  }
});

test('a file that an earlier command did not make after all: the words and the status of fish', async () => {
  const { output, status } = await hooked.run('true; ./absent');
  assert.match(output, /^fish: Unknown command: \.\/absent\n/);
  assert.equal(status, 127);
  assert.equal((await hooked.run('mkdir -p made; ./made; pwd; cd ..')).output, '/home/tester/made');
  assert.equal((await hooked.run('set -q __nix_foreign_now; echo $status')).output, '1');
});

test('history holds what was typed, in this shell and in the next', async () => {
  const lines = ['./tool exit 4', "./tool 'a\\\\b' | cat"];
  for (const line of lines) await hooked.run(line);
  const latest = async () => {
    const kept = (await hooked.run('history --max 8 | string match "*tool*"')).output;
    return kept
      .split('\n')
      .filter((line) => !line.startsWith('history'))
      .slice(0, 2);
  };
  const expected = [...lines].reverse();
  // fish takes in its history's file at most once a second (history(1), merge).
  let typed = await latest();
  for (const end = Date.now() + 10_000; !isDeepStrictEqual(typed, expected) && Date.now() < end; )
    typed = await latest();
  assert.deepEqual(typed, expected);
  const next = await openShell(root, 'fish', '');
  try {
    next.press('Up');
    await next.until(/st=\d+> (history --max|\.\/tool 'a)/);
    next.press('C-c');
    const all = (await next.run('history | cat')).output;
    // Lines of one second have no order among the sessions that fish merges (history(1)).
    assert.match(all, /^\.\/tool 'a\\\\b' \| cat$[\s\S]*^\.\/tool exit 4$/m);
    assert.doesNotMatch(all, /nix-run-foreign|^ |----/m);
  } finally {
    next.close();
  }
});

test('in private mode nothing goes to the disk, whatever the name of the history', async () => {
  const rc = `set -g fish_private_mode 1; set -g fish_history work\n${hookLine.fish}`;
  const shell = await openShell(root, 'fish', rc);
  try {
    assert.equal((await shell.run('./tool private')).output, '<./tool>[private]');
    assert.equal((await shell.run('true')).status, 0);
    const { output } = await shell.run('cat ~/.local/share/fish/work_history');
    assert.doesNotMatch(output, /cmd: \.\/tool private/);
  } finally {
    shell.close();
  }
});

test('Ctrl-Z, jobs, bg, kill, Ctrl-C, and a job in the background', async () => {
  hooked.type('./tool sleep 1000');
  hooked.press('Enter');
  await hooked.until(/nix-run-foreign -- \.\/tool sleep 1000\n*$/);
  hooked.press('C-z');
  await hooked.until(/has stopped\n+st=\d+>\s*$/);
  assert.match((await hooked.run('jobs')).output, /stopped\s\S*nix-run-foreign -- \.\/tool sleep 1000$/);
  assert.match((await hooked.run('bg')).output, /to background$/);
  assert.match((await hooked.run('kill %1; wait')).output, /SIGTERM/);
  hooked.type('./tool sleep 1001');
  hooked.press('Enter');
  await hooked.until(/nix-run-foreign -- \.\/tool sleep 1001\n*$/);
  hooked.press('C-c');
  await hooked.until(/\^C⏎?\n+st=130>/);
  const line = './tool sleep 1002 & ; kill -INT $last_pid; wait; echo ended';
  assert.match((await hooked.run(line)).output, /ended/);
});

test('a command that is nowhere: a shim, a registered directory, then the handler that is there', async () => {
  assert.match((await hooked.run('nix-foreign doctor | cat')).output, /^ok +hook +in this fish$/m);
  assert.equal((await hooked.run('vtool x')).status, 127);
  assert.equal((await hooked.run('nix-foreign dirs add ~/vendor')).status, 0);
  assert.match((await hooked.run('FOO=1 vtool x | cat')).output, /^<\S*vtool>\[x\] FOO=1$/);
  assert.deepEqual(await hooked.run('vtool exit 3'), { output: '', status: 3 });
  assert.equal((await hooked.run('nothing')).output, 'fish: Unknown command: nothing');
  assert.equal((await hooked.run('nix-foreign dirs remove ~/vendor')).status, 0);
  assert.equal((await hooked.run('nix-foreign shim add ./vendor/vtool --as shimmed')).status, 0);
  assert.match((await hooked.run('shimmed y | cat')).output, /^<\S+>\[y\]$/);
  // These are directories beside the shim.
  assert.equal((await hooked.run('..; pwd; cd ~')).output, '/home');
  assert.equal((await hooked.run('.; pwd')).output.split('\n').at(-1), '/home/tester');
  assert.equal((await hooked.run('nix-foreign shim remove shimmed')).status, 0);
  const rc = `function fish_command_not_found; echo asked for $argv; end\n${hookLine.fish}`;
  const shell = await openShell(root, 'fish', rc);
  try {
    assert.deepEqual(await shell.run('nothing a b'), { output: 'asked for nothing a b', status: 127 });
  } finally {
    shell.close();
  }
});

test('answers to `read`, Enter while a list is shown, and functions that are loaded again', async () => {
  const shell = await openShell(root, 'fish', hookLine.fish);
  try {
    await checkAnswers(shell);
    await checkLists(shell);
    await checkLoading(shell);
  } finally {
    shell.close();
  }
});

test('it is undone', async () => {
  const rc = `bind \\r "commandline -i ' earlier'; commandline -f execute"\n${hookLine.fish}\n${hookLine.fish}`;
  const shell = await openShell(root, 'fish', rc);
  try {
    const before = await shell.run('./tool');
    assert.equal(before.output, '<./tool>[earlier]', 'what Enter was bound to before is not done');
    assert.equal((await shell.run('nix-foreign hook --off | source #')).output, '');
    assert.deepEqual((await shell.run('./tool')).status, 127);
    assert.equal((await shell.run('set --names | string match "__nix_f*" #')).output, '');
    assert.equal((await shell.run('functions -a | string match "__nix_f*" #')).output, '');
    assert.equal((await shell.run('echo $NIX_RUN_FOREIGN_HOOK #')).output, '');
    assert.match((await shell.run('bind --user #')).output, /^bind \\r [^_]*$/);
  } finally {
    shell.close();
  }
});

test('Ctrl-J that is bound to something else is left alone', async () => {
  const shell = await openShell(root, 'fish', `bind \\n "commandline -i typed"\n${hookLine.fish}`);
  try {
    shell.type('./tool ');
    shell.press('C-j');
    assert.equal((await shell.run('')).output, '<./tool>[typed]');
    assert.match((await shell.run('bind --user \\n #')).output, /^bind \\n ['"]?commandline -i typed/);
  } finally {
    shell.close();
  }
});

test('beside vi keys: a new line begins with inserting, wherever Enter is pressed', async () => {
  const shell = await openShell(
    root,
    'fish',
    `fish_vi_key_bindings\nfunction fish_mode_prompt; test $fish_bind_mode = insert; or echo N; end\n${hookLine.fish}`,
  );
  try {
    assert.equal((await shell.run('./tool a')).output, '<./tool>[a]');
    shell.type('./tool b');
    shell.press('Escape');
    await shell.until(/N *st=\d+> \.\/tool b/);
    shell.press('Enter');
    await shell.until(/<\.\/tool>\[b\]\n/);
    assert.equal((await shell.run('./tool c')).output, '<./tool>[c]');
  } finally {
    shell.close();
  }
});

test('in a shell that is not interactive the hook is silent and changes nothing', async () => {
  const loader = '/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2';
  const env = { PATH: '/home/tester/bin:/nix/var/nix/profiles/default/bin' };
  const script = `false; ${hookLine.fish}; echo $status; set -q NIX_RUN_FOREIGN_HOOK; echo $status; bind --user`;
  const { stdout, stderr, status } = await root.run({
    argv: [loader, '/usr/bin/fish', '--no-config', '-c', script],
    env,
  });
  assert.deepEqual([stdout, stderr, status], ['0\n1\n', '', 0]);
});
