// A program as it was named to the manager → its path: a bare name is looked up in PATH when no such file is here, and
// a shim found there stands for its program.
import { statSync } from 'node:fs';
import { findOnPath } from '../host/files.ts';
import { programBehindShim } from '../integrations/shims/shim-file.ts';
import type { Context } from '../resolve/context.ts';

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
