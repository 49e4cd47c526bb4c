// A program as it was named to the manager → its path: a bare name is looked up in PATH when no such file is here, and a shim found there stands for its program.
import { statSync } from 'node:fs';
import { findOnPath } from '../launch/find-program.ts';
import type { Context } from '../pipeline/context.ts';
import { programBehindShim } from '../shims/shim-directory.ts';

/** What is named may be a file here; `nix-run-foreign` never looks here, so a directory of that name is not meant. */
function isFileHere(name: string): boolean {
  try {
    return !statSync(name).isDirectory();
  } catch {
    return false;
  }
}

/** The name itself where it is found nowhere: the failure is then about what the user wrote. */
export function namedProgram(name: string, { env }: Pick<Context, 'env'>): string {
  if (name === '' || name.includes('/') || isFileHere(name)) return name;
  return programBehindShim(findOnPath(name, env['PATH']) ?? name);
}
