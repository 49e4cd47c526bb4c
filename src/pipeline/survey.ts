// A program and choices → everything the store offers for it, the best set, and what each alternative would do.
import { buildProblem } from '../candidates/build-problem.ts';
import type { Problem, Provider } from '../candidates/problem.ts';
import type { Choices } from '../choices/choices.ts';
import type { Catalogue } from '../store/catalogue.ts';
import { type Posed, poseProblem } from './pose-problem.ts';
import type { Dynamic } from './subject.ts';

export interface Survey extends Posed {
  /** All providers of a name, whatever is preferred; other versions of the library where nobody has the name. */
  readonly every: (name: string) => readonly Provider[];
}

/** Looks at the whole of what could be taken. Providers are read from the catalogue while it is open. */
export function survey(subject: Dynamic, catalogue: Catalogue, choices: Choices): Survey {
  const posed = poseProblem(subject, catalogue, new Set(), choices);
  const { path, users } = subject.program;
  const program = { path, elf: subject.elf, libc: subject.libc.kind, users };
  const all: Problem = buildProblem(program, catalogue, new Set(), 'none', 'closest');
  const every = (name: string): readonly Provider[] => {
    const known = posed.problem.providersOf(name);
    const paths = new Set(known.map(({ path }) => path));
    const pinned = known.filter(({ match }) => match === 'pinned');
    const rest = all.providersOf(name).filter(({ path }) => !pinned.some((each) => each.path === path));
    // What the problem has and the store as a whole has not: nothing but what was pinned under another name.
    return [
      ...pinned,
      ...rest.map((each) =>
        paths.has(each.path) ? (known.find(({ path }) => path === each.path) ?? each) : each,
      ),
    ];
  };
  return { ...posed, every };
}
