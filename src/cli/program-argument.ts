// A program as it was named to the manager → its path: a bare name is looked up in PATH when no such file is here, and
// a shim found there stands for its program.
import { statSync } from 'node:fs';
import { findOnPath } from '../host/files.ts';
import { programBehindShim } from '../integrations/shims/shim-file.ts';
import type { Context } from '../resolve/context.ts';
import { refuseOthersShim } from '../resolve/patch-target.ts';

/** A bare name may be that of a file here; `nix-run-foreign` never looks here, so a directory is not meant. */
function isFileHere(name: string): boolean {
  try {
    return !name.includes('/') && !statSync(name).isDirectory();
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

/** Of a file here its path: the launcher, which lines that are printed name, looks a bare name up in PATH alone. */
const asPath = (name: string) => (isFileHere(name) ? `./${name}` : name);

/** The name itself where it is found nowhere: the failure is then about what the user wrote. */
export function namedProgram(name: string, context: Pick<Context, 'env'>): string {
  return foundOnPath(name, context)?.program ?? asPath(name);
}

/** The same for a program that is to be changed. @throws ForeignError where a shim of others names it to root. */
export function programToChange(
  name: string,
  context: Pick<Context, 'env' | 'host'>,
  command: 'patch' | 'unpatch',
): string {
  const onPath = foundOnPath(name, context);
  if (onPath === undefined) return asPath(name);
  const { found, program } = onPath;
  if (found !== program) refuseOthersShim(found, program, context.host.uid, command);
  return program;
}
