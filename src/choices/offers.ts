// What the store offers for a program → the names that there is something to choose for, and the facts of each candidate.
import type { ClosestMatches, Problem, Provider } from '../candidates/problem.ts';
import type { Conflict, Solution, Undecided } from '../solve/solution.ts';
import { type Alternatives, alternativesOf } from './alternatives.ts';
import { lacksOf } from './lacks.ts';
import { type SymbolCoverage, symbolCoverage } from './symbol-coverage.ts';
import { type Trial, tryCandidate } from './try-candidate.ts';
import type { Candidate } from './weigh-candidates.ts';

/** What a person wants to know of a candidate. */
export interface CandidateFacts {
  readonly coverage: SymbolCoverage;
  /** What choosing it leads to; undefined for what is taken anyway. */
  readonly trial: Trial | undefined;
}

export interface Offers {
  /** `lack`: there is no set, and these are the names that nobody serves. */
  readonly kind: 'set' | 'lack';
  readonly alternatives: readonly Alternatives[];
  /** Reads symbols and solves: some milliseconds. */
  factsOf(alternatives: Alternatives, candidate: Candidate): CandidateFacts;
}

interface Seen {
  readonly problem: Problem;
  readonly outcome: Solution | Conflict | Undecided;
  readonly closest?: ClosestMatches;
  readonly every: (name: string) => readonly Provider[];
}

/** Of the names that more than one store object could serve. */
export function offersInSet({ problem, every }: Seen, solution: Solution): Offers {
  const judge = symbolCoverage(problem);
  return {
    kind: 'set',
    alternatives: alternativesOf(problem, every, solution),
    factsOf: ({ name, neededBy }, { provider, chosen }) => ({
      coverage: judge(
        neededBy.map(({ object }) => object),
        name,
        provider,
      ),
      trial: chosen ? undefined : tryCandidate(problem, solution, name, provider),
    }),
  };
}

/** Of what nobody serves; undefined where no choice would make a set. */
export function offersForLacks({ problem, closest, every }: Seen): Offers | undefined {
  const lacks = lacksOf(problem, closest, every);
  if (lacks === undefined) return undefined;
  return {
    kind: 'lack',
    alternatives: lacks.names,
    factsOf: (alternatives, { provider }) => ({
      coverage: lacks.coverageOf(alternatives, provider),
      trial: tryCandidate(lacks.withOnly(alternatives.name), lacks.solution, alternatives.name, provider),
    }),
  };
}

/** Undefined where there is no set and no choice would make one. */
export function offersOf(seen: Seen): Offers | undefined {
  return seen.outcome.kind === 'solution' ? offersInSet(seen, seen.outcome) : offersForLacks(seen);
}
