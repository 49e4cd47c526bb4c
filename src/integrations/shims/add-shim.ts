// A program as it was named → the shim that starts it, or why there can be none.
import { existsSync, readdirSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { ForeignError, reasonOf } from '../../host/errors.ts';
import { findOnPath } from '../../host/files.ts';
import { fileWord, shellWord } from '../../host/shell-words.ts';
import { type Host, inspectProgram } from '../../program/inspect-program.ts';
import { isTaken, type Shim, type ShimDirectories, shimAt, targetOf, writeShim } from './shim-file.ts';

interface ShimRequest {
  /** Path of the program; it may be relative, and a symbolic link stays one. */
  readonly typedName: string;
  /** The shim's name; the program's own without it. */
  readonly as?: string | undefined;
}

export interface Shimming {
  readonly directories: ShimDirectories;
  readonly host: Host;
  /** Absolute path that shims name: one that stays when nix-run-foreign is updated. */
  readonly launcher: string;
  /** Where commands are searched, as in the environment. */
  readonly searchPath: string | undefined;
}

/** The command that a shim of this name for a program keeps from being found, where its directory comes first. */
export function hiddenBy(name: string, program: string, shimming: Shimming): string | undefined {
  const { directories, searchPath } = shimming;
  const others = (searchPath ?? '')
    .split(':')
    .filter((each) => each !== '' && path.resolve(each) !== directories.shims);
  const found = others.length === 0 ? undefined : findOnPath(name, others.join(':'));
  return found === undefined || realpathSync(found) === realpathSync(program) ? undefined : found;
}

/** NAME_MAX is 255 bytes, of which a temporary name beside the file, and a menu entry's ending, need some. */
const LONGEST_NAME = 200;

const OWN_NAMES = ['nix-run-foreign', 'nix-foreign'];

function refuse(cause: string, hint: string, code: string): ForeignError {
  return new ForeignError(cause, { code, hint, exitCode: 125 });
}

function checkName(name: string): void {
  if (OWN_NAMES.includes(name))
    throw refuse(`a shim named ${name} would hide the tool itself`, 'name it with --as', 'bad-name');
  if (!/^[^-./\s][^/\s]*$/.test(name))
    throw refuse(`'${name}' is no name for a command`, 'name it with --as, e.g. --as tool', 'bad-name');
  const length = Buffer.byteLength(name);
  if (length > LONGEST_NAME)
    throw refuse(
      `a name of ${length} bytes is too long for a command`,
      `name it with --as in at most ${LONGEST_NAME} bytes, e.g. --as tool`,
      'bad-name',
    );
}

/** A shim of a shim starts the same program. */
function behindShim(directories: ShimDirectories, file: string): string {
  return shimAt(directories, file)?.target ?? targetOf(directories, file);
}

/**
 * Makes the shim, or makes the same one again.
 * @throws ForeignError where the program cannot be started here, or the name is taken; Node's errors of writing.
 */
export function addShim({ typedName, as }: ShimRequest, { directories, host, launcher }: Shimming): Shim {
  const program = behindShim(directories, path.resolve(typedName));
  const { kind } = inspectProgram(program, host);
  const name = as ?? path.basename(program);
  checkName(name);
  const before = shimAt(directories, path.join(directories.shims, name));
  if (before !== undefined && before.target !== program)
    throw refuse(
      `the shim ${name} starts ${before.target} already`,
      `name it with --as, or first: nix-foreign shim remove ${shellWord(name)}`,
      'taken',
    );
  if (before === undefined && isTaken(directories, name))
    throw refuse(
      `${path.join(directories.shims, name)} is there and is no shim`,
      'name it with --as, or take that file away',
      'taken',
    );
  // A script is told its own path by the kernel, whatever argv[0] says.
  const naming = name === path.basename(program) || kind.kind === 'script' ? 'by-path' : 'by-link';
  return writeShim(directories, name, { launcher, program }, naming);
}

export interface AddedAll {
  readonly added: readonly Shim[];
  readonly skipped: readonly { readonly name: string; readonly why: string }[];
}

/**
 * Shims for every program directly in a directory, but those that would hide a command. @throws ForeignError when the
 * directory cannot be read.
 */
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
    const typedName = path.join(directory, name);
    try {
      const hidden = existsSync(typedName) ? hiddenBy(name, typedName, shimming) : undefined;
      if (hidden === undefined) added.push(addShim({ typedName }, shimming));
      else
        skipped.push({
          name,
          why: `it would hide ${hidden}; if it is to: nix-foreign shim add ${fileWord(typedName)}`,
        });
    } catch (error) {
      if (!(error instanceof ForeignError)) throw error;
      skipped.push({ name, why: error.message });
    }
  }
  return { added, skipped };
}
