// A program as it was named to the manager → its path: a bare name is looked up in PATH when no such file is here, and
// a shim found there stands for its program.
import { statSync } from 'node:fs';
import { findOnPath } from '../host/files.ts';
import { programBehindShim } from '../integrations/shims/shim-file.ts';
import type { Context } from '../resolve/context.ts';
import { refuseOthersShim } from '../resolve/patch-target.ts';

/** What is named may be a file here; `nix-run-foreign` never looks here, so a directory of that name is not meant. */
function isFileHere(name: string): boolean {
  try {
    return !statSync(name).isDirectory();
  } catch {
    return false;
  }
}

/** What is found on PATH for a bare name, and what stands behind it. */
function foundOnPath(
  name: string,
  { env }: Pick<Context, 'env'>,
): { found: string; program: string } | undefined {
  if (name === '' || name.includes('/') || isFileHere(name)) return undefined;
  const found = findOnPath(name, env['PATH']);
  return found === undefined ? undefined : { found, program: programBehindShim(found) };
}

/** The name itself where it is found nowhere: the failure is then about what the user wrote. */
export function namedProgram(name: string, context: Pick<Context, 'env'>): string {
  return foundOnPath(name, context)?.program ?? name;
}

/** The same for a program that is to be changed. @throws ForeignError where a shim of others names it to root. */
export function programToChange(
  name: string,
  context: Pick<Context, 'env' | 'host'>,
  command: 'patch' | 'unpatch',
): string {
  const { found, program } = foundOnPath(name, context) ?? { found: name, program: name };
  if (found !== program) refuseOthersShim(found, program, context.host.uid, command);
  return program;
}
