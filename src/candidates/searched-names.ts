// A problem → the same problem, in which the store serves only names that the loader would search for.
import { whyNoLibraryName } from '../elf/library-name.ts';
import { ForeignError } from '../errors.ts';
import type { Problem, Provider } from './problem.ts';

const NOBODY: readonly Provider[] = [];
/** A longer name would bury the message. */
const SHOWN = 80;

function shown(name: string): string {
  return `"${name.length > SHOWN ? `${name.slice(0, SHOWN)}...` : name}"`;
}

function refusal(program: string, label: string, name: string, why: string): ForeignError {
  const missing = name.includes('/') ? ', and there is nothing' : '';
  return new ForeignError(
    `${program}: ${label} needs ${shown(name)}, which no library of the store can serve: ${why}${missing}`,
    {
      code: 'odd-name',
      hint: 'install the program again, with all that came with it; such a library is taken only from beside the program',
      exitCode: 126,
    },
  );
}

/**
 * Leaves names that are no plain file names (elf/library-name.ts) to whoever brings them along: no soname in the store,
 * however it reads, can serve one.
 * @throws ForeignError `odd-name` where the program, or a library beside it, needs such a name and nobody brought it.
 */
export function withSearchedNames(problem: Problem, program: string): Problem {
  for (const { label, needed } of problem.roots) {
    for (const name of needed) {
      const why = problem.bundled.has(name) ? undefined : whyNoLibraryName(name);
      if (why !== undefined) throw refusal(program, label, name, why);
    }
  }
  const providersOf = (name: string) =>
    whyNoLibraryName(name) === undefined ? problem.providersOf(name) : NOBODY;
  return { ...problem, providersOf };
}
