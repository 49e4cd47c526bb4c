// A program as it was named → the shim that starts it, or why there can be none.
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { inspectProgram, type Surroundings } from '../candidates/program.ts';
import { ForeignError, reasonOf } from '../errors.ts';
import { isTaken, type Shim, type ShimPlaces, shimAt, writeShim } from './shim-directory.ts';

export interface ShimWish {
  /** Path of the program; it may be relative, and a symbolic link stays one. */
  readonly given: string;
  /** The shim's name; the program's own without it. */
  readonly as?: string | undefined;
}

export interface Shimming {
  readonly places: ShimPlaces;
  readonly surroundings: Surroundings;
  /** Absolute path that shims name: one that stays when nix-run-foreign is updated. */
  readonly launcher: string;
}

const OWN_NAMES = ['nix-run-foreign', 'nix-foreign'];

function refuse(cause: string, hint: string, code: string): ForeignError {
  return new ForeignError(cause, { code, hint, exitCode: 125 });
}

function checkName(name: string): void {
  if (OWN_NAMES.includes(name))
    throw refuse(`a shim named ${name} would hide the tool itself`, 'name it with --as', 'bad-name');
  if (!/^[^-./\s][^/\s]*$/.test(name))
    throw refuse(`'${name}' is no name for a command`, 'name it with --as, e.g. --as tool', 'bad-name');
}

/** A shim of a shim starts the same program. */
function behindShim(places: ShimPlaces, file: string): string {
  return shimAt(places, file)?.target ?? file;
}

/**
 * Makes the shim, or makes the same one again.
 * @throws ForeignError where the program cannot be started here, or the name is taken; Node's errors of writing.
 */
export function addShim({ given, as }: ShimWish, { places, surroundings, launcher }: Shimming): Shim {
  const program = behindShim(places, path.resolve(given));
  const { kind } = inspectProgram(program, surroundings);
  const name = as ?? path.basename(program);
  checkName(name);
  const before = shimAt(places, path.join(places.shims, name));
  if (before !== undefined && before.target !== program)
    throw refuse(
      `the shim ${name} starts ${before.target} already`,
      `name it with --as, or first: nix-foreign shim remove ${name}`,
      'taken',
    );
  if (before === undefined && isTaken(places, name))
    throw refuse(
      `${path.join(places.shims, name)} is there and is no shim`,
      'name it with --as, or take that file away',
      'taken',
    );
  // A script is told its own path by the kernel, whatever argv[0] says.
  const naming = name === path.basename(program) || kind.kind === 'script' ? 'by-path' : 'by-link';
  return writeShim(places, name, { launcher, program }, naming);
}

export interface AddedAll {
  readonly added: readonly Shim[];
  readonly skipped: readonly { readonly name: string; readonly why: string }[];
}

/** Shims for every program directly in a directory. @throws ForeignError when the directory cannot be read. */
export function addAllShims(directory: string, shimming: Shimming): AddedAll {
  let names: string[];
  try {
    names = readdirSync(directory).sort();
  } catch (error) {
    throw refuse(`${directory}: ${reasonOf(error)}`, 'name a directory that holds programs', 'not-found');
  }
  const added: Shim[] = [];
  const skipped: { name: string; why: string }[] = [];
  for (const name of names) {
    try {
      added.push(addShim({ given: path.join(directory, name) }, shimming));
    } catch (error) {
      if (!(error instanceof ForeignError)) throw error;
      skipped.push({ name, why: error.message });
    }
  }
  return { added, skipped };
}
