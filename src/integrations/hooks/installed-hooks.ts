// A home and /etc → the lines of the shells' startup files that install a hook.
import { readdirSync, readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import path from 'node:path';
import { isShell, type Shell } from './hook-text.ts';

export interface HookLine {
  /** An absolute path. */
  readonly file: string;
  /** The shell that reads the file. */
  readonly reader: Shell;
  /** The shell whose hook the line asks for. */
  readonly asked: Shell;
  /** Whether it is the user's file, not one for everybody, which NixOS writes. */
  readonly isOwn: boolean;
  /** Whether only a login shell reads the file. */
  readonly isForLogin: boolean;
}

type Env = Readonly<Record<string, string | undefined>>;

function fishFiles(directory: string): readonly [string, ...string[]] {
  const snippets = path.join(directory, 'conf.d');
  let names: string[] = [];
  try {
    names = readdirSync(snippets).filter((name) => name.endsWith('.fish'));
  } catch {
    // None.
  }
  return [path.join(directory, 'config.fish'), ...names.sort().map((name) => path.join(snippets, name))];
}

/** What a shell takes for `~` where HOME says nothing. */
function homeOfUser(): string {
  try {
    return userInfo().homedir;
  } catch {
    return '/'; // no entry in passwd
  }
}

/** The files that an interactive shell of this user reads, the one for hooks first: bash(1), zsh(1), fish(1), FILES. */
export function ownFiles(shell: Shell, env: Env): readonly [string, ...string[]] {
  const home = env['HOME'] || homeOfUser();
  const inHome = (name: string) => path.join(home, name);
  if (shell === 'bash')
    return [inHome('.bashrc'), inHome('.bash_profile'), inHome('.bash_login'), inHome('.profile')];
  if (shell === 'zsh') {
    const at = (name: string) => path.join(env['ZDOTDIR'] ?? home, name);
    return [at('.zshrc'), at('.zprofile'), at('.zshenv'), at('.zlogin')];
  }
  return fishFiles(path.join(env['XDG_CONFIG_HOME'] ?? inHome('.config'), 'fish'));
}

/** Those that it reads for every user, as NixOS, Debian and others name them. */
function systemFiles(shell: Shell, etc: string): readonly string[] {
  if (shell === 'fish') return fishFiles(path.join(etc, 'fish'));
  const names = shell === 'bash' ? ['bashrc', 'bash.bashrc'] : ['zshrc', 'zsh/zshrc'];
  return names.map((name) => path.join(etc, name));
}

/** Of the user's own files, those that a shell reads only at a login: bash(1), INVOCATION, zsh(1), FILES. */
const LOGIN_FILES = ['.bash_profile', '.bash_login', '.profile', '.zprofile', '.zlogin'];

function linesIn(file: string): readonly string[] {
  try {
    return readFileSync(file, 'utf8').split('\n');
  } catch {
    return []; // A shell that cannot read it has no hook from it either.
  }
}

/** Lines that are no comments and name the command and a shell, those of the user first; `etc`: the directory /etc. */
export function hookLines(shell: Shell, { env, etc }: { env: Env; etc: string }): readonly HookLine[] {
  const own = ownFiles(shell, env);
  return [...own, ...systemFiles(shell, etc)].flatMap((file, index) =>
    linesIn(file).flatMap((line) => {
      const isForLogin = LOGIN_FILES.includes(path.basename(file));
      const asked = /^[^#]*\bnix-foreign["']?\s+hook\s+(\w+)/.exec(line)?.[1];
      return isShell(asked) ? [{ file, reader: shell, asked, isOwn: index < own.length, isForLogin }] : [];
    }),
  );
}
