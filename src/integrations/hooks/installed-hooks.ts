// A home → the lines of the shells' own files that install a hook.
import { readdirSync, readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import path from 'node:path';
import { isShell, type Shell } from './hook-text.ts';

interface HookLine {
  /** An absolute path. */
  readonly file: string;
  /** The shell that reads the file. */
  readonly reader: Shell;
  /** The shell whose hook the line asks for. */
  readonly asked: Shell;
}

type Env = Readonly<Record<string, string | undefined>>;

function fishFiles(env: Env, home: string): string[] {
  const directory = path.join(env['XDG_CONFIG_HOME'] ?? path.join(home, '.config'), 'fish');
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
  const [first = inHome('.config/fish/config.fish'), ...others] = fishFiles(env, home);
  return [first, ...others];
}

function linesIn(file: string): readonly string[] {
  try {
    return readFileSync(file, 'utf8').split('\n');
  } catch {
    return []; // A shell that cannot read it has no hook from it either.
  }
}

/** Lines that are no comments and name the command and a shell. */
export function hookLines(shell: Shell, env: Env): readonly HookLine[] {
  return ownFiles(shell, env).flatMap((file) =>
    linesIn(file).flatMap((line) => {
      const asked = /^[^#]*\bnix-foreign["']?\s+hook\s+(\w+)/.exec(line)?.[1];
      return isShell(asked) ? [{ file, reader: shell, asked }] : [];
    }),
  );
}
