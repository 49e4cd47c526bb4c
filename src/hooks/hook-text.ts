// A shell and the machine's places → the text that shell evaluates to get the hook, or to lose it.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Machine } from '../elf/machine.ts';
import { inspectInterpreter } from '../launch/interpreter.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

export function isShell(name: string | undefined): name is Shell {
  return SHELLS.some((each) => each === name);
}

/** What a hook is told of the machine; all are absolute paths but `nixLd`. */
export interface HookPlaces {
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
export function seatsOf(machines: readonly Machine[]): Pick<HookPlaces, 'stubs' | 'nixLd'> {
  const seats = machines.map((machine) => ({ machine, kind: inspectInterpreter(machine.interpreter).kind }));
  const [first] = seats;
  return {
    stubs: seats.filter(({ kind }) => kind === 'stub-ld').map(({ machine }) => machine.interpreter),
    nixLd: first?.kind === 'nix-ld' ? `NIX_LD_${first.machine.nixLdSuffix}` : '',
  };
}

/** For between single quotes: fish has escapes there (fish-language(1), Quotes); the others end them and begin new ones. */
function escaped(text: string, shell: Shell): string {
  return shell === 'fish' ? text.replace(/[\\']/g, '\\$&') : text.replaceAll("'", "'\\''");
}

const FILES: Readonly<Record<Shell, readonly string[]>> = {
  bash: ['hook.bash'],
  zsh: ['hook.zsh'],
  fish: ['look.fish', 'hook.fish'],
};

/** The text of a hook; `directory` holds the files of shell-hooks/. @throws Node's errors where they are missing. */
export function hookText(shell: Shell, places: HookPlaces, directory: string): string {
  const values: Readonly<Record<string, string>> = {
    launcher: places.launcher,
    stubs: places.stubs.join(':'),
    'nix-ld': places.nixLd,
    shims: places.shims,
    directories: places.directories,
  };
  const text = FILES[shell].map((name) => readFileSync(path.join(directory, name), 'utf8')).join('\n');
  return text.replace(/@([a-z-]+)@/g, (whole, name: string) => {
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
