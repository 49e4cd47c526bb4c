// Beside what else hooks into shells: direnv, prompts that look at every command, DEBUG traps. On this machine itself:
// a program whose interpreter is nowhere, and a launcher that only gives it one.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { hookText, SHELLS, type Shell } from '../../../src/integrations/hooks/hook-text.ts';
import { needTool } from '../../launcher/tool-fixture.ts';
import { openTerminal } from '../choosing/terminal.ts';
import { prelude, type ShellSession, sessionIn } from './shell-session.ts';

for (const each of [...SHELLS, 'direnv']) needTool(each, each);
const home = mkdtempSync(path.join(tmpdir(), 'nix-run-foreign-beside-'));
after(() => rmSync(home, { recursive: true, force: true }));
const at = (name: string) => path.join(home, name);
const foreign = [
  '-Wl,--dynamic-linker=/nowhere/ld-linux-x86-64.so.2',
  path.join(import.meta.dirname, 'speak.c'),
];
execFileSync('cc', ['-o', at('tool'), ...foreign]);
writeFileSync(at('launcher'), '#!/bin/sh\nshift\nexec /lib64/ld-linux-x86-64.so.2 "$@"\n', { mode: 0o755 });
mkdirSync(at('project'));
execFileSync('cp', [at('tool'), at('project/tool')]);
writeFileSync(at('project/.envrc'), 'export FOO=direnv\n');
const env = { HOME: home, PATH: '/usr/bin:/bin', TERM: 'screen', LC_ALL: 'C.UTF-8', DIRENV_LOG_FORMAT: '' };
execFileSync('direnv', ['allow', at('project')], { env });

const places = {
  launcher: at('launcher'),
  stubs: [],
  nixLd: '',
  shims: at('shims'),
  directories: at('directories'),
};
for (const name of ['vendor', 'second']) mkdirSync(at(name));
execFileSync('cp', [at('tool'), at('vendor/vtool')]);
writeFileSync(places.directories, `${at('vendor')}\n${at('second')}\n`);
const hooks = path.resolve(import.meta.dirname, '../../../shell-hooks');

/** A shell whose own file holds the parts, `hook` standing for ours. */
async function openShell(shell: Shell, parts: readonly string[]): Promise<ShellSession> {
  const file = at(shell === 'zsh' ? '.zshrc' : `rc.${shell}`);
  const text = parts.map((each) => (each === 'hook' ? hookText(shell, places, hooks) : each));
  writeFileSync(file, [prelude[shell], `cd ${home}`, ...text, ''].join('\n'));
  const words = {
    bash: ['/bin/bash', '--noprofile', '--rcfile', file, '-i'],
    zsh: ['/bin/zsh', '-d', '-i'],
    fish: ['/usr/bin/fish', '--no-config', '-C', `source ${file}`, '-i'],
  }[shell] as [string, ...string[]];
  return sessionIn(openTerminal({ words, env }));
}

async function inShell(
  shell: Shell,
  parts: readonly string[],
  check: (session: ShellSession) => Promise<void>,
): Promise<void> {
  const session = await openShell(shell, parts);
  try {
    await check(session);
  } finally {
    session.close();
  }
}

const direnvLine: Readonly<Record<Shell, string>> = {
  bash: 'eval "$(direnv hook bash)"',
  zsh: 'eval "$(direnv hook zsh)"',
  fish: 'direnv hook fish | source',
};

for (const shell of SHELLS) {
  for (const parts of [
    ['hook', direnvLine[shell]],
    [direnvLine[shell], 'hook'],
  ]) {
    test(`${shell}: ${parts[0] === 'hook' ? 'before' : 'after'} direnv`, async () => {
      await inShell(shell, parts, async ({ run }) => {
        assert.equal((await run('./tool a')).output, '<./tool>[a]');
        await run('cd project');
        assert.equal((await run('./tool b | cat')).output, '<./tool>[b] FOO=direnv');
        assert.equal((await run('./tool exit 5')).status, 5);
        await run('cd ..');
        assert.equal((await run('./tool c')).output, '<./tool>[c]');
      });
    });
  }
}

// Processes that a shell starts for a line whose words the hook has seen before: no more than without the hook.
for (const [line, processes] of [
  ['true; cd . ; greet', 0],
  ['/bin/true; env true | cat', 3],
  ['ls -d / > /dev/null', 1],
] as const) {
  test(`no process but the line's own: ${line}`, async () => {
    for (const shell of SHELLS) {
      const greet = shell === 'fish' ? 'function greet; echo hello; end' : 'greet() { echo hello; }';
      const count = async (parts: readonly string[]) => {
        let started = 0;
        await inShell(shell, parts, async ({ run }) => {
          const pid = (await run(shell === 'fish' ? 'echo $fish_pid' : 'echo $$')).output;
          for (let i = 0; i < 4; i += 1) await run(line);
          const trace = at('trace');
          const options = ['-f', '-qq', '-e', 'trace=process', '-o', trace, '-p', pid];
          const strace = spawn('strace', options, { stdio: 'ignore' });
          while (!readFileSync(`/proc/${pid}/status`, 'utf8').includes(`TracerPid:\t${strace.pid}\n`))
            await sleep(20);
          await run(line);
          strace.kill('SIGINT');
          await once(strace, 'exit');
          // Threads of fish are no processes.
          const calls = readFileSync(trace, 'utf8').split('\n');
          started = calls.filter(
            (each) => /\b(v?fork|clone3?)\(/.test(each) && !each.includes('CLONE_THREAD'),
          ).length;
        });
        return started;
      };
      assert.equal(await count([greet]), processes, `${shell}, bare`);
      assert.equal(await count([greet, 'hook']), processes, `${shell}, with the hook`);
    }
  });
}

test('a native command that is to be wrapped goes through the launcher, by its name only', async () => {
  mkdirSync(at('bin'));
  writeFileSync(at('bin/hello'), '#!/bin/sh\necho hello "$@"\n', { mode: 0o755 });
  writeFileSync(at('telling'), '#!/bin/sh\nshift\necho through\nexec "$@"\n', { mode: 0o755 });
  for (const shell of SHELLS) {
    const onPath = shell === 'fish' ? `set -gx PATH ${at('bin')} $PATH` : `export PATH=${at('bin')}:$PATH`;
    const wrapping = hookText(shell, { ...places, launcher: at('telling') }, hooks, ['hello', 'other']);
    await inShell(shell, [onPath, 'hook'], async ({ run }) => {
      assert.equal((await run('hello a')).output, 'hello a', shell);
    });
    await inShell(shell, [onPath, wrapping], async ({ run }) => {
      assert.equal((await run('hello a')).output, 'through\nhello a', shell);
      assert.equal((await run('true && hello b | cat')).output, 'through\nhello b', shell);
      assert.equal(
        (await run('echo (hello c)'.replace('(', shell === 'fish' ? '(' : '$('))).output,
        'through hello c',
        shell,
      );
      assert.equal((await run('bin/hello d')).output, 'hello d', shell);
      assert.equal((await run('other')).status, 127, shell);
    });
  }
});

test('a program of a registered directory has the stdin and the exit status that it has by its path', async () => {
  for (const shell of SHELLS) {
    await inShell(shell, ['hook'], async ({ run }) => {
      assert.equal((await run('echo typed | vtool cat')).output, 'typed', shell);
      assert.equal((await run('vtool exit 3')).status, 3, shell);
      assert.equal((await run('nothing-of-this-name')).status, 127, shell);
    });
  }
});

test('SHLVL is what a native command has', async () => {
  for (const shell of ['bash', 'zsh'] as const) {
    await inShell(shell, ['hook'], async ({ run }) => {
      const level = (await run('printenv SHLVL')).output;
      assert.match(level, /^\d$/);
      for (const program of ['./tool', 'vtool'])
        for (const around of [
          'X',
          '(X)',
          'X | cat',
          'true | X',
          'X & wait',
          'for i in 1; do X; done | cat',
        ]) {
          const line = around.replace('X', `${program} level`);
          assert.match((await run(line)).output, new RegExp(`^${level}$`, 'm'), `${shell}: ${line}`);
        }
    });
  }
});

test('without the hook the program does not start', async () => {
  for (const shell of SHELLS)
    await inShell(shell, [], async ({ run }) => assert.equal((await run('./tool')).status, 127, shell));
});

/** Notes the first command after each prompt and passes over key bindings, as bash-preexec does. */
const observer = `
ready=
noted=()
note() { [[ -n $ready && -z \${READLINE_LINE+x} ]] || return 0; ready=; noted+=("$1"); }
trap 'note "$BASH_COMMAND"' DEBUG
PROMPT_COMMAND="\${PROMPT_COMMAND:+$PROMPT_COMMAND; }ready=1"`;

for (const parts of [
  ['hook', observer],
  [observer, 'hook'],
]) {
  test(`bash: ${parts[0] === 'hook' ? 'before' : 'after'} a DEBUG trap that looks at commands`, async () => {
    await inShell('bash', parts, async ({ run }) => {
      await run('noted=()');
      assert.equal((await run('./tool a')).output, '<./tool>[a]');
      assert.equal((await run('./tool exit 3')).status, 3);
      assert.equal((await run('echo $_')).output.length > 0, true);
      assert.equal(
        (await run('printf "%s\\n" "${noted[@]}"')).output,
        './tool a\n./tool exit 3\necho $_\nprintf "%s\\n" "${noted[@]}"',
      );
      await run(`eval "$(cat ${path.join(hooks, 'off.bash')})"`);
      assert.equal((await run('trap -p DEBUG')).output, `trap -- 'note "$BASH_COMMAND"' DEBUG`);
    });
  });
}

test('bash: `set -x` writes down the line, and nothing of Enter', async () => {
  await inShell('bash', ['hook'], async ({ run, screen }) => {
    await run('set -x');
    assert.equal((await run('(exit 3)')).output, '+ exit 3');
    assert.equal((await run('echo $?$_ | cat')).output.split('\n').sort().at(-1), '3-x');
    const { output } = await run('./tool a');
    assert.match(output, /^\+ \.\/tool a\n[\s\S]*^<\.\/tool>\[a\]$/m);
    assert.match(
      (await run('nothing-of-this-name')).output,
      /^bash: nothing-of-this-name: command not found$/m,
    );
    assert.doesNotMatch(screen(), /__nix_foreign_(enter|look|read)/);
  });
});

/** Notes commands as VS Code's terminal does, which puts it there behind ~/.bashrc. */
const vsCode = `
noted=() __vsc_in_command_execution=1
__vsc_preexec_only() {
  if [ "$__vsc_in_command_execution" = "0" ]; then
    __vsc_in_command_execution=1
    [[ $BASH_COMMAND == __vsc_prompt* ]] || noted+=("$(fc -ln -0 | sed 's/^[[:space:]]*//')")
  fi
}
trap '__vsc_preexec_only "$_"' DEBUG
__vsc_prompt() { __vsc_in_command_execution=0; }
PROMPT_COMMAND=__vsc_prompt`;

test("bash: in VS Code's terminal each command is noted as itself", async () => {
  await inShell('bash', ['hook', vsCode], async ({ run }) => {
    const last = 'echo "${noted[-1]}"';
    assert.equal((await run(last)).output, last);
    await run('noted=()');
    assert.equal((await run('./tool a')).output, '<./tool>[a]');
    await run('');
    assert.equal((await run('true | cat; (exit 3)')).status, 3);
    const show = 'printf "%s\\n" "${noted[@]}"';
    assert.equal((await run(show)).output, `./tool a\ntrue | cat; (exit 3)\n${show}`);
  });
});

test('zsh: beside functions before commands and prompts, and a widget for the end of a line', async () => {
  const prompt = `
autoload -Uz add-zsh-hook
noted=()
note() { noted+=("$1") }
seen() { last=$? }
add-zsh-hook preexec note
add-zsh-hook precmd seen
finished() { ends+=x }
zle -N zle-line-finish finished`;
  for (const parts of [
    ['hook', prompt],
    [prompt, 'hook'],
  ]) {
    await inShell('zsh', parts, async ({ run }) => {
      assert.equal((await run('./tool a')).output, '<./tool>[a]');
      await run('(exit 3)');
      assert.equal((await run('echo $last $noted[1]')).output, '3 ./tool a');
      assert.match((await run('echo $ends')).output, /^x{3,}$/);
    });
  }
});

/** Who else has a widget for the end of a line, `a` or `b`: each notes that it ran. */
const lineEnds = {
  none: ':',
  plain: 'zle -N zle-line-finish a',
  listed: 'add-zle-hook-widget line-finish a',
  late: 'add-zle-hook-widget line-finish b',
  around: 'zle -A zle-line-finish earlier; around() { b; zle earlier }; zle -N zle-line-finish around',
  byName: 'functions[named]="b; ${widgets[zle-line-finish]#user:}"; zle -N zle-line-finish named',
} as const;

for (const [before, later, noted] of [
  ['plain', 'none', 'a'],
  ['listed', 'none', 'a'],
  ['none', 'late', 'b'],
  ['plain', 'late', 'ab'],
  ['listed', 'late', 'ab'],
  ['plain', 'around', 'ba'],
  ['listed', 'around', 'ba'],
  ['plain', 'byName', 'ba'],
] as const) {
  test(`zsh: loaded again and undone, ${before} before the hook, ${later} later`, async () => {
    const first = 'zmodload zsh/zle; autoload -Uz add-zle-hook-widget; a() { ends+=a }; b() { ends+=b }';
    writeFileSync(at('hook.zsh'), hookText('zsh', places, hooks));
    await inShell('zsh', [first, lineEnds[before], 'hook', lineEnds[later]], async ({ run, screen }) => {
      const check = async (line: string, status: number) => {
        await run(line);
        await run('ends=');
        assert.equal((await run('echo $ends')).output, noted, line);
        assert.equal((await run('./tool x')).status, status, line);
      };
      const hookAlone = `source ${at('hook.zsh')}`;
      const off = `source ${path.join(hooks, 'off.zsh')}`;
      for (const line of ['true', 'source ~/.zshrc', hookAlone, 'source ~/.zshrc', hookAlone])
        await check(line, 0);
      for (const line of [off, off]) await check(line, 127);
      await check(hookAlone, 0);
      assert.doesNotMatch(screen(), /command not found|No such shell function|recursion/);
    });
  });
}

test('zsh: undone before the first prompt, as in a ~/.zshrc behind the hook for all users', async () => {
  const first = 'zmodload zsh/zle; autoload -Uz add-zle-hook-widget; a() { ends+=a }';
  const off = `source ${path.join(hooks, 'off.zsh')}`;
  for (const own of [lineEnds.none, lineEnds.plain, lineEnds.listed])
    await inShell('zsh', [first, 'hook', own, off], async ({ run, screen }) => {
      await run('ends=');
      assert.equal((await run('echo $ends')).output, own === lineEnds.none ? '' : 'a', own);
      assert.equal((await run('./tool x')).status, 127, own);
      assert.doesNotMatch(screen(), /command not found|No such shell function/);
    });
});

test('fish: beside events before and after commands', async () => {
  const events = `
function note --on-event fish_preexec; set -ga noted "$argv"; end
function ended --on-event fish_postexec; set -g last $status; end`;
  for (const parts of [
    ['hook', events],
    [events, 'hook'],
  ]) {
    await inShell('fish', parts, async ({ run }) => {
      assert.equal((await run('./tool exit 3')).status, 3);
      assert.match(
        (await run('echo $last; string join \\n $noted')).output,
        /^3\n ?\S+launcher -- \.\/tool exit 3\n/,
      );
    });
  }
});

test('fish: beside who binds Enter after config.fish', async () => {
  const bind = 'for key in \\r \\n; bind $key others; bind -M insert $key others; end';
  const ownPrompt = 'function fish_prompt; echo "st=$status> "; end';
  const functions = at('.config/fish/functions');
  mkdirSync(functions, { recursive: true });
  for (const [name, text] of [
    ['fish_prompt', `${ownPrompt}\n${bind}`],
    ['fish_user_key_bindings', `${ownPrompt}; function fish_user_key_bindings; ${bind}; end`],
  ] as const) {
    const file = path.join(functions, `${name}.fish`);
    const config = `
set -g fish_greeting
set -g fish_autosuggestion_enabled 0
cd ${home}
function others; set -ga noted x; commandline -f execute; end
${hookText('fish', places, hooks)}`;
    writeFileSync(file, text);
    writeFileSync(at('.config/fish/config.fish'), config);
    const { run, close } = await sessionIn(openTerminal({ words: ['/usr/bin/fish', '-i'], env }));
    try {
      assert.equal((await run('./tool a')).output, '<./tool>[a]', name);
      assert.equal((await run('echo $noted')).output, 'x x', name);
      await run(`source ${path.join(hooks, 'off.fish')}`);
      assert.equal((await run('./tool a')).status, 127, name);
      assert.equal((await run('echo $noted')).output, 'x x x x x', name);
    } finally {
      close();
      rmSync(file);
    }
  }
});
