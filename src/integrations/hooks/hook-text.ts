// A shell and the machine's places → the text that shell evaluates to get the hook, or to lose it.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Machine } from '../../elf/machine.ts';
import { shellWord } from '../../host/shell-words.ts';
import { inspectInterpreter } from '../../plan/strategy.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

export function isShell(name: string | undefined): name is Shell {
  return SHELLS.some((each) => each === name);
}

/** What a hook is told of the machine; all are absolute paths but `nixLd`. */
export interface HookPaths {
  readonly launcher: string;
  /** Interpreter paths at which NixOS' stub sits. */
  readonly stubs: readonly string[];
  /** The variable that makes nix-ld enter the launcher; empty where no nix-ld sits at the interpreter path. */
  readonly nixLd: string;
  readonly shims: string;
  /** The list of registered directories (directories.ts). */
  readonly directories: string;
}

/**
 * Who sits at the interpreter paths of this machine. nix-ld reads `NIX_LD_<system>` before `NIX_LD` (nix-ld,
 * README.md), and only the first machine's programs can enter the launcher.
 */
export function atInterpreterPaths(machines: readonly Machine[]): Pick<HookPaths, 'stubs' | 'nixLd'> {
  const interpreters = machines.map((machine) => ({
    machine,
    kind: inspectInterpreter(machine.interpreter).kind,
  }));
  const [first] = interpreters;
  return {
    stubs: interpreters.filter(({ kind }) => kind === 'stub-ld').map(({ machine }) => machine.interpreter),
    nixLd: first?.kind === 'nix-ld' ? `NIX_LD_${first.machine.nixLdSuffix}` : '',
  };
}

/**
 * For between single quotes: fish has escapes there (fish-language(1), Quotes); the others end them and begin new ones.
 */
function escaped(text: string, shell: Shell): string {
  return shell === 'fish' ? text.replace(/[\\']/g, '\\$&') : text.replaceAll("'", "'\\''");
}

const FILES: Readonly<Record<Shell, readonly string[]>> = {
  bash: ['look.bash', 'hook.bash'],
  zsh: ['look.zsh', 'hook.zsh'],
  fish: ['change.fish', 'look.fish', 'hook.fish'],
};

function templateOf(shell: Shell, directory: string): string {
  return FILES[shell].map((name) => readFileSync(path.join(directory, name), 'utf8')).join('\n');
}

/**
 * The value of NIX_RUN_FOREIGN_HOOK, by which `doctor` knows a shell that has the hook: `bash:9f86d081:/the/launcher`,
 * the second being the start of a hash of the hook's text.
 */
export function hookMark(shell: Shell, launcher: string, directory: string): string {
  const hash = createHash('sha256').update(templateOf(shell, directory)).digest('hex');
  return `${shell}:${hash.slice(0, 8)}:${launcher}`;
}

/** What hookMark() wrote; undefined for anything else. */
export function readMark(
  mark: string | undefined,
): { shell: Shell; text: string; launcher: string } | undefined {
  const [, shell, text, launcher] = /^(\w+):([0-9a-f]{8}):(\/.*)$/s.exec(mark ?? '') ?? [];
  if (!isShell(shell) || text === undefined || launcher === undefined) return undefined;
  return { shell, text, launcher };
}

/**
 * The text of a hook; `directory` holds the files of shell-hooks/, and `wrapped` are names of commands that start
 * through the launcher though they are native. @throws Node's errors where files are missing.
 */
export function hookText(
  shell: Shell,
  paths: HookPaths,
  directory: string,
  wrapped: readonly string[] = [],
): string {
  const values: Readonly<Record<string, string>> = {
    launcher: paths.launcher,
    stubs: paths.stubs.join(':'),
    'nix-ld': paths.nixLd,
    shims: paths.shims,
    directories: paths.directories,
    wrapped: wrapped.join(' '),
    mark: hookMark(shell, paths.launcher, directory),
  };
  return templateOf(shell, directory).replace(/@([a-z-]+)@/g, (whole, name: string) => {
    const value = values[name];
    return value === undefined ? whole : escaped(value, shell);
  });
}

/** The text that undoes it in the shell that evaluates it. */
export function offText(shell: Shell, directory: string): string {
  return readFileSync(path.join(directory, `off.${shell}`), 'utf8');
}

/** The line of a shell's own file that installs the hook. */
export function installLine(shell: Shell): string {
  return shell === 'fish' ? 'nix-foreign hook fish | source' : `eval "$(nix-foreign hook ${shell})"`;
}

/** The line of a shell's own file that puts a directory in front of PATH. */
export function pathLine(shell: Shell, directory: string): string {
  const word = shellWord(directory);
  return shell === 'fish' ? `fish_add_path ${word}` : `export PATH=${word}:"$PATH"`;
}
