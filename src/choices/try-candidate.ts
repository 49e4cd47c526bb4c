// A problem, its solution and a candidate → what choosing that candidate by hand would force.
import type { Problem, Provider } from '../candidates/problem.ts';
import { explainConflict } from '../solve/explain-conflict.ts';
import type { Solution } from '../solve/solution.ts';
import { solve } from '../solve/solve.ts';

/** One name that is served by another file than before; `undefined` where it is not needed. */
export interface Change {
  readonly name: string;
  readonly from: string | undefined;
  readonly to: string | undefined;
}

export type Trial =
  | {
      readonly kind: 'possible';
      readonly solution: Solution;
      /** Sorted by name; the loader is named by its path. */
      readonly changes: readonly Change[];
    }
  | { readonly kind: 'impossible'; readonly sentences: readonly string[] };

function filesOf({ loader, choices }: Solution): Map<string, string> {
  const files = choices.map(({ name, provider }): [string, string] => [name, provider.path]);
  return new Map([['the loader', loader.path], ...files]);
}

/** What differs between two sets. */
export function changesBetween(before: Solution, after: Solution): Change[] {
  const [old, now] = [filesOf(before), filesOf(after)];
  return [...new Set([...old.keys(), ...now.keys()])]
    .sort()
    .map((name) => ({ name, from: old.get(name), to: now.get(name) }))
    .filter(({ from, to }) => from !== to);
}

/** Solves with one candidate pinned for a name, whatever was pinned for it before. `solution`: without that. */
export function tryCandidate(problem: Problem, solution: Solution, name: string, candidate: Provider): Trial {
  const pins = new Map([...(problem.pins ?? []), [name, candidate.path] as const]);
  const providersOf = (each: string): readonly Provider[] => {
    const known = problem.providersOf(each);
    return each === name && !known.some(({ path }) => path === candidate.path)
      ? [candidate, ...known]
      : known;
  };
  const outcome = solve({ ...problem, pins, providersOf });
  if (outcome.kind === 'solution') {
    return { kind: 'possible', solution: outcome, changes: changesBetween(solution, outcome) };
  }
  const sentences =
    outcome.kind === 'conflict' ? explainConflict(outcome) : ['no set was found in the time allowed'];
  return { kind: 'impossible', sentences };
}
