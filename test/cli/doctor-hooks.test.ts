// Half-installed hooks, each with the one line that mends it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import path from 'node:path';
import { beforeEach, test } from 'node:test';
import { checkHooks, type ShellFacts } from '../../src/cli/doctor/hook-checks.ts';
import { processName, shellName } from '../../src/cli/hook.ts';
import { hookMark } from '../../src/integrations/hooks/hook-text.ts';
import { scratchDirectory } from '../store/compiled-library.ts';

const scratch = scratchDirectory();
const home = path.join(scratch, 'home');
const launcher = path.join(scratch, 'bin/nix-run-foreign');
const shims = path.join(scratch, 'shims');
const hooks = path.resolve(import.meta.dirname, '../../shell-hooks');

function write(name: string, text: string): string {
  const file = path.join(scratch, name);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

const bashLine = 'eval "$(nix-foreign hook bash)"';
const zshLine = 'eval "$(nix-foreign hook zsh)"';
const fishLine = 'nix-foreign hook fish | source';

function check(env: ShellFacts['env'], parent = 'bash', way?: string): string[] {
  const facts = {
    arch: 'x64',
    env: { HOME: home, SHELL: '/bin/sh', ...env },
    parent,
    launcher,
    shims,
    hooks,
    etc: path.join(scratch, 'etc'),
  };
  return checkHooks(facts, way).map(({ subject, state, detail, remedy }) => {
    assert.equal(remedy === undefined, state === 'ok', detail);
    return `${state} ${subject}: ${detail}${remedy === undefined ? '' : ` → ${remedy}`}`.replaceAll(
      scratch,
      '~',
    );
  });
}

beforeEach(() => {
  rmSync(scratch, { recursive: true, force: true });
  mkdirSync(home, { recursive: true });
  chmodSync(write('bin/nix-run-foreign', ''), 0o755);
});

test('nothing is installed', () => {
  assert.deepEqual(check({}), [
    `note hook: not installed; programs start with nix-run-foreign, shims or binfmt → for bash add to ~/home/.bashrc: ${bashLine}`,
  ]);
  assert.match(
    check({}, 'fish')[0] ?? '',
    /for fish add to ~\/home\/\.config\/fish\/config\.fish: nix-foreign hook fish \| source$/,
  );
  assert.deepEqual(check({}, 'node'), [], 'no shell asks');
  assert.match(check({ SHELL: '/usr/bin/zsh' }, 'node')[0] ?? '', /for zsh add/);
});

test('nothing is installed, and programs start without it', () => {
  const way = 'as they are, by nix-ld at /lib64/ld.so';
  const found = [`ok no hook: none is needed: programs start ${way}`];
  assert.deepEqual(check({}, 'bash', way), found);
  write('home/.bashrc', bashLine);
  assert.deepEqual(check({}, 'zsh', way), found);
  assert.match(
    check({}, 'bash', way)[0] ?? '',
    /^note hook: ~\/home\/\.bashrc installs it, and this bash has none/,
  );
  assert.deepEqual(check({ NIX_RUN_FOREIGN_HOOK: hookMark('bash', launcher, hooks) }, 'bash', way), [
    'ok hook: in this bash',
  ]);
});

test('the line is in a file for everybody, as NixOS writes it', () => {
  for (const [name, shell, line] of [
    ['bashrc', 'bash', bashLine],
    ['bash.bashrc', 'bash', bashLine],
    ['zshrc', 'zsh', zshLine],
    ['zsh/zshrc', 'zsh', zshLine],
    ['fish/config.fish', 'fish', fishLine],
    ['fish/conf.d/foreign.fish', 'fish', fishLine],
  ] as const) {
    const file = write(`etc/${name}`, line.replace('nix-foreign', '/nix/store/x/bin/nix-foreign'));
    assert.match(
      check({}, shell)[0] ?? '',
      new RegExp(`^note hook: ~/etc/${name} installs it, and this ${shell} has none: .*: exec ${shell}$`),
    );
    rmSync(file);
  }
  write('etc/fish/config.fish', bashLine);
  assert.match(
    check({})[0] ?? '',
    /^note hook: .* → for bash add to ~\/home\/\.bashrc: /,
    'nobody is told to edit it',
  );
});

test('all is well', () => {
  write('home/.bashrc', bashLine);
  assert.deepEqual(check({ NIX_RUN_FOREIGN_HOOK: hookMark('bash', launcher, hooks) }), [
    'ok hook: in this bash',
  ]);
  assert.deepEqual(check({ NIX_RUN_FOREIGN_HOOK: hookMark('fish', launcher, hooks) }, 'fish'), [
    'ok hook: in this fish',
  ]);
});

test('the line is there and the shell is older', () => {
  write('home/.zshrc', `# ${bashLine}\n  ${zshLine} # foreign\n`);
  const [found, ...others] = check({}, '-zsh');
  assert.match(
    found ?? '',
    /^note hook: ~\/home\/\.zshrc installs it, and this zsh has none: .* → start the shell anew: exec zsh$/,
  );
  assert.deepEqual(others, []);
  const inherited = check({ NIX_RUN_FOREIGN_HOOK: hookMark('bash', launcher, hooks) }, 'zsh');
  assert.deepEqual(inherited, [found], 'the variable came from another shell');
});

test('the line is in a file that only login shells read', () => {
  for (const [name, shell, line, first] of [
    ['.bash_profile', 'bash', bashLine, '.bashrc'],
    ['.bash_login', 'bash', bashLine, '.bashrc'],
    ['.profile', 'bash', bashLine, '.bashrc'],
    ['.zprofile', 'zsh', zshLine, '.zshrc'],
    ['.zlogin', 'zsh', zshLine, '.zshrc'],
  ] as const) {
    const file = write(`home/${name}`, line);
    assert.deepEqual(check({}, shell), [
      `note hook: ~/home/${name} installs it, and this ${shell} has none: it is no login shell → move the line to ~/home/${first}: only login shells read ~/home/${name}`,
    ]);
    assert.match(check({}, `-${shell}`)[0] ?? '', new RegExp(`: it is older .* anew: exec ${shell} -l$`));
    write(`home/${first}`, line);
    assert.match(check({}, shell)[0] ?? '', new RegExp(`^note hook: ~/home/${first} .*: exec ${shell}$`));
    rmSync(path.join(home, first));
    rmSync(file);
  }
  write('home/.zshenv', zshLine);
  assert.match(check({}, 'zsh')[0] ?? '', /anew: exec zsh$/, 'every zsh reads it');
});

test('the line is in a login file that bash passes over, since another one is there', () => {
  const files = [write('home/.bash_profile', '. /etc/bashrc'), write('home/.profile', bashLine)];
  assert.deepEqual(check({}, '-bash'), [
    'note hook: ~/home/.profile installs it, and this bash has none: it reads ~/home/.bash_profile instead → move the line to ~/home/.bashrc, and have ~/home/.bash_profile source that',
  ]);
  write('home/.bashrc', bashLine);
  assert.match(check({}, '-bash')[0] ?? '', /anew: exec bash$/);
  for (const each of [...files, path.join(home, '.bashrc')]) rmSync(each);
});

test('the line is in the file of another shell', () => {
  write('home/.bashrc', bashLine);
  assert.deepEqual(check({}, 'zsh'), [
    `note hook: the hook is installed for bash, and this shell is zsh → for zsh add to ~/home/.zshrc: ${zshLine}`,
  ]);
  write('home/.config/fish/conf.d/foreign.fish', bashLine);
  assert.deepEqual(check({ NIX_RUN_FOREIGN_HOOK: hookMark('bash', launcher, hooks) }), [
    `lack hook: ~/home/.config/fish/conf.d/foreign.fish is read by fish, and asks for the hook of bash → write there: ${fishLine}`,
    'ok hook: in this bash',
  ]);
});

test('a commented line is none', () => {
  write('home/.bashrc', `#${bashLine}\n`);
  assert.match(check({})[0] ?? '', /^note hook: not installed/);
});

test('the hook is of another place, of another version, or its launcher is gone', () => {
  const other = write('other/nix-run-foreign', '');
  chmodSync(other, 0o755);
  const mend = `install it again: ${bashLine}`;
  const having = (mark: string) => check({ NIX_RUN_FOREIGN_HOOK: mark });
  assert.deepEqual(having(hookMark('bash', other, hooks)), [
    `note hook: this bash has the hook of another place: ~/other/nix-run-foreign → ${mend}`,
  ]);
  assert.deepEqual(having(`bash:00000000:${launcher}`), [
    `note hook: this bash has the hook of another version → ${mend}`,
  ]);
  rmSync(other);
  assert.deepEqual(having(hookMark('bash', other, hooks)), [
    `lack hook: this bash starts programs with ~/other/nix-run-foreign, which is not there → ${mend}`,
  ]);
});

test('NIX_LD leads nowhere', () => {
  const mark = { NIX_RUN_FOREIGN_HOOK: hookMark('bash', launcher, hooks) };
  assert.deepEqual(check({ ...mark, NIX_LD_x86_64_linux: `${scratch}/gone/nix-run-foreign` }), [
    `lack hook: NIX_LD_x86_64_linux is ~/gone/nix-run-foreign, which is not there: nix-ld can start nothing → install it again: ${bashLine}`,
    'ok hook: in this bash',
  ]);
  assert.match(check({ ...mark, NIX_LD: '/gone/ld.so' })[0] ?? '', /→ take it back: unset NIX_LD$/);
  assert.match(check({ NIX_LD: '/gone/ld.so' }, 'fish')[0] ?? '', /→ take it back: set -e NIX_LD$/);
  const paths = { NIX_LD_LIBRARY_PATH: '/gone', NIX_LD_LIBRARY_PATH_x86_64_linux: '/gone:/gone2' };
  assert.deepEqual(check({ ...mark, NIX_LD: launcher, ...paths }), ['ok hook: in this bash']);
});

test('only a variable that nix-ld of this machine reads, as it reads it', () => {
  const mark = { NIX_RUN_FOREIGN_HOOK: hookMark('bash', launcher, hooks) };
  const well = ['ok hook: in this bash'];
  const dead = '/gone/ld.so';
  assert.deepEqual(check({ ...mark, NIX_LD: `${launcher}\n` }), well, 'as `readFile` gives it');
  assert.deepEqual(check({ ...mark, NIX_LD_x86_64_linux: launcher, NIX_LD: dead }), well);
  assert.deepEqual(check({ ...mark, NIX_LD_x86_64_linux: '', NIX_LD: dead }), well, 'the default is meant');
  assert.deepEqual(check({ ...mark, NIX_LD_aarch64_linux: dead }), well, 'nobody reads it');
  assert.equal(check({ ...mark, NIX_LD: dead }).length, 2);
  assert.equal(check({ ...mark, NIX_LD: `${dead}\n` }).length, 2);
});

test('shims that are not on PATH', () => {
  const mark = { NIX_RUN_FOREIGN_HOOK: hookMark('bash', launcher, hooks) };
  mkdirSync(shims);
  assert.deepEqual(check({ ...mark, PATH: '/bin' }), ['ok hook: in this bash'], 'there are none');
  write('shims/tool', '');
  assert.equal(
    check({ ...mark, PATH: '/bin' })[1],
    `note shims: ~/shims is not on PATH → add to ~/home/.bashrc: export PATH=~/shims:"$PATH"`,
  );
  assert.equal(check({ ...mark, PATH: `/bin:${shims}/` })[1], 'ok shims: 1 in ~/shims');
});

test('the name of a process', () => {
  assert.ok((processName(process.ppid) ?? '').length > 0);
  assert.equal(processName(4_194_305), undefined);
  assert.equal(shellName(4_194_305), undefined);
});

test('a login shell is known by how it was called', async () => {
  for (const [argv0, options, expected] of [
    ['bash', [], 'bash'],
    ['-bash', [], '-bash'],
    ['bash', ['-il'], '-bash'],
    ['bash', ['--login'], '-bash'],
    ['bash', ['--rcfile', '/dev/null'], 'bash'],
  ] as const) {
    // It waits for a line.
    const shell = spawn('bash', options, { argv0, env: {}, stdio: ['pipe', 'pipe', 'ignore'] });
    shell.stdin.write('echo\n');
    await once(shell.stdout, 'data');
    assert.equal(shellName(shell.pid ?? 0), expected, [argv0, ...options].join(' '));
    shell.stdin.end();
    await once(shell, 'close');
  }
});

test('without HOME the file to add to is in the home that passwd names', () => {
  for (const HOME of [undefined, ''])
    assert.match(check({ HOME })[0] ?? '', new RegExp(`for bash add to ${userInfo().homedir}/\\.bashrc: `));
});
