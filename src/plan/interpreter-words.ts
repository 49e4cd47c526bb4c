// What sits at an interpreter path → its name for people, and what makes foreign programs start by that path.
import { existsSync } from 'node:fs';
import type { Interpreter, InterpreterKind } from './strategy.ts';

export const INTERPRETER_NAMES: Readonly<Record<InterpreterKind, string>> = {
  missing: 'nothing',
  launcher: 'the launcher',
  'nix-ld': 'nix-ld',
  'stub-ld': "NixOS' stub-ld",
  loader: "another libc's loader",
  unknown: 'a program that we do not know',
};

/** What the configuration sets there, nobody else does. */
export const isNixOs = (): boolean => existsSync('/etc/NIXOS');

/** The interpreter that 32-bit x86 programs name: nix-ld is not for them, so another option puts the launcher there. */
const OF_32_BIT_X86 = '/lib/ld-linux.so.2';

/** The options of nix/nixos-module.nix; `interpreter` may be null there already, and nothing else counts then. */
export function optionOfNixOs(interpreterPath: string): string {
  const more = interpreterPath === OF_32_BIT_X86 ? 'support32Bit = true; ' : '';
  return `programs.nix-run-foreign = { enable = true; ${more}interpreter = "nix-ld"; };`;
}

/** What has children start too. */
export function remedyAtPath({ path }: Pick<Interpreter, 'path'>, onNixOs: boolean): string {
  return onNixOs ? optionOfNixOs(path) : `put the launcher at ${path} (docs/ways-to-start.md)`;
}
