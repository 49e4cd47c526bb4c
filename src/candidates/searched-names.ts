// A problem → the same problem, in which the store serves only names that the loader would search for.
import path from 'node:path';
import { whyNoLibraryName } from '../elf/library-names.ts';
import { ForeignError } from '../host/errors.ts';
import { shellWord } from '../host/shell-words.ts';
import { pathOfElfString } from '../program/run-directories.ts';
import type { Problem, Provider, Requirer } from './problem.ts';

/** A fingerprint holds no more (fingerprint/FORMAT.md); real programs need some hundreds. */
export const MOST_LIBRARIES = 5000;

const NOBODY: readonly Provider[] = [];
/** A longer name would bury the message. */
const SHOWN = 80;

function shown(name: string): string {
  return `"${name.length > SHOWN ? `${name.slice(0, SHOWN)}...` : name}"`;
}

/** A path is opened as it is; a file that has the library's plain name instead is served as others are. */
function hintFor(program: string, { path: file }: Pick<Requirer, 'path'>, name: string): string {
  const base = path.posix.basename(name);
  const isPlain = name.includes('/') && !name.includes('$') && whyNoLibraryName(base) === undefined;
  if (!isPlain)
    return 'install the program again, with all that came with it; such a library is taken only from beside the program';
  const edit = `patchelf --replace-needed ${shellWord(pathOfElfString(name))} ${shellWord(base)}`;
  return file === program
    ? `make a copy that looks for it by its name, and start that: ${edit} --output ${shellWord(`${file}.named`)} ${shellWord(file)}`
    : `make the library look for it by its name: ${edit} ${shellWord(file)}`;
}

/** Of a name that no library of the store can serve: a path that is opened as it is, or what no file can be called. */
export function refusalOfName(
  program: string,
  by: Pick<Requirer, 'label' | 'path'>,
  name: string,
  why: string,
): ForeignError {
  const missing = name.includes('/') ? ', and there is nothing' : '';
  return new ForeignError(
    `${program}: ${by.label} needs ${shown(name)}, which no library of the store can serve: ${why}${missing}`,
    { code: 'odd-name', hint: hintFor(program, by, name), exitCode: 126 },
  );
}

function tooMany(program: string, count: number): ForeignError {
  return new ForeignError(
    `${program}: it needs ${count} libraries that do not lie beside it, and a set has at most ${MOST_LIBRARIES}`,
    {
      code: 'too-many',
      hint: 'check that the file is what its vendor built: readelf -d shows what it needs',
      exitCode: 126,
    },
  );
}

/** @throws ForeignError `odd-name` or `too-many`. */
function refuseOddNeeds({ roots, bundled }: Problem, program: string): void {
  const names = new Set<string>();
  for (const root of roots) {
    for (const name of root.needed) {
      if (names.has(name) || bundled.has(name)) continue;
      const why = whyNoLibraryName(name);
      if (why !== undefined) throw refusalOfName(program, root, name, why);
      names.add(name);
    }
  }
  if (names.size > MOST_LIBRARIES) throw tooMany(program, names.size);
}

/**
 * Leaves names that are no plain file names (elf/library-names.ts) to whoever brings them along: no soname in the
 * store, however it reads, can serve one. @throws ForeignError `odd-name` where the program, or a library beside it,
 * needs such a name and nobody brought it; `too-many` where they need more libraries than a set can have.
 */
export function withSearchedNames(problem: Problem, program: string): Problem {
  refuseOddNeeds(problem, program);
  const providersOf = (name: string) =>
    whyNoLibraryName(name) === undefined ? problem.providersOf(name) : NOBODY;
  return { ...problem, providersOf };
}
