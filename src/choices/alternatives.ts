// A problem and its solution → the names for which there is something to choose, with the candidates of each.
import type { Problem, Provider } from '../candidates/problem.ts';
import type { Solution } from '../solve/solution.ts';
import { nameOfStoreObject } from '../store/store-location.ts';
import {
  type Candidate,
  type ChosenSet,
  type Needer,
  needersOf,
  weighCandidates,
} from './weigh-candidates.ts';

/** One name that more than one store object could serve. */
export interface Alternatives {
  readonly name: string;
  readonly neededBy: readonly Needer[];
  /** The one that is taken first, then the others by rank. */
  readonly candidates: readonly Candidate[];
}

export function chosenSetOf({ loader, choices }: Solution): ChosenSet {
  return { loader, providers: new Map(choices.map(({ name, provider }) => [name, provider])) };
}

/** Real alternatives: another store object of a name; two files of one store object are none. */
function isReal(candidates: readonly Candidate[]): boolean {
  return new Set(candidates.map(({ provider }) => provider.storePath)).size > 1;
}

/** Sorted by name. `every`: all providers of a name, those included that a preference left out of the problem. */
export function alternativesOf(
  problem: Problem,
  every: (name: string) => readonly Provider[],
  solution: Solution,
): Alternatives[] {
  const set = chosenSetOf(solution);
  return solution.choices
    .map(({ name }) => ({
      name,
      neededBy: needersOf(problem, set, name),
      candidates: weighCandidates(problem, every(name), set, name),
    }))
    .filter(({ candidates }) => isReal(candidates));
}

/** A candidate in words: `openssl-3.0.20 (glibc-2.36)`. */
export function candidateLabel({ storePath, builtWith }: Provider): string {
  const libc = builtWith === undefined ? '' : ` (${nameOfStoreObject(builtWith)})`;
  return `${nameOfStoreObject(storePath)}${libc}`;
}
