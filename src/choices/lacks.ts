// A problem without a set → the names that nobody serves, each with the nearest libraries, the rest being solved.
import type { ClosestMatches, Problem, Provider } from '../candidates/problem.ts';
import type { Solution } from '../solve/solution.ts';
import { solve } from '../solve/solve.ts';
import { unprovidedNames } from '../solve/unprovided.ts';
import { type Alternatives, chosenSetOf } from './alternatives.ts';
import type { SymbolCoverage } from './symbol-coverage.ts';
import { needersOf } from './weigh-candidates.ts';

export interface Lacks {
  /** Sorted by name; none is chosen, the candidates that have most of what is needed come first. */
  readonly names: readonly Alternatives[];
  /** The set of everything else. */
  readonly solution: Solution;
  /** The problem in which all the lacking names but one are left open. */
  withOnly(name: string): Problem;
  coverageOf(alternatives: Alternatives, provider: Provider): SymbolCoverage;
}

/**
 * The problem in which these names need not be served. They count as served by a file that cannot be read: nothing is
 * wanted of it, and every symbol is assumed to be there (candidates/problem.ts, UnversionedSymbols).
 */
function leavingOpen(problem: Problem, names: readonly string[]): Problem {
  const open = names.map((name) => {
    const file = { label: name, path: `/dev/null/${name}`, needed: [], verneed: [] };
    return [name, { ...file, verdef: [], hasVerdef: false, hasVersym: true }] as const;
  });
  return { ...problem, bundled: new Map([...problem.bundled, ...open]) };
}

/** What is lacking, also with the providers that the rest is solved with; undefined where the rest has no set either. */
function solvedWithout(problem: Problem): { names: string[]; solution: Solution } | undefined {
  let names: string[] = [];
  for (;;) {
    const more = unprovidedNames(leavingOpen(problem, names)).map(({ name }) => name);
    const open = [...names, ...more];
    const outcome = solve(leavingOpen(problem, open));
    if (outcome.kind === 'solution')
      return open.length === 0 ? undefined : { names: open.sort(), solution: outcome };
    const others =
      outcome.kind !== 'conflict'
        ? []
        : outcome.reasons.flatMap((reason) =>
            reason.kind === 'no-provider' && !open.includes(reason.name) ? [reason.name] : [],
          );
    if (others.length === 0) return undefined;
    names = [...open, ...others];
  }
}

function coverageIn(
  closest: ClosestMatches,
  { name, neededBy }: Alternatives,
  provider: Provider,
): SymbolCoverage {
  const each = neededBy.map(({ object }) => closest.coverage(object, name, provider));
  const missing = each.flatMap((coverage) => [...coverage.missing, ...coverage.missingVersions]);
  const needed = new Set(each.flatMap((coverage) => coverage.needed));
  return { needed: needed.size, missing: [...new Set(missing)].sort() };
}

/**
 * Undefined where nobody lacks anything, where some name has nothing near it, or where the rest has no set: then there is
 * nothing to choose. `near`: other versions of a library that nobody has exactly.
 */
export function lacksOf(
  problem: Problem,
  closest: ClosestMatches | undefined,
  near: (name: string) => readonly Provider[],
): Lacks | undefined {
  const rest = closest && solvedWithout(problem);
  if (closest === undefined || rest === undefined) return undefined;
  const set = chosenSetOf(rest.solution);
  const lacking = (name: string): Alternatives => {
    const bare = { name, neededBy: needersOf(problem, set, name), candidates: [] };
    const judged = near(name).map((provider) => ({
      provider,
      lacks: coverageIn(closest, bare, provider).missing.length,
    }));
    const candidates = judged
      .sort((a, b) => a.lacks - b.lacks)
      .map(({ provider }) => ({ provider, chosen: false, loss: undefined }));
    return { ...bare, candidates };
  };
  const names = rest.names.map(lacking);
  if (names.some(({ candidates }) => candidates.length === 0)) return undefined;
  return {
    names,
    solution: rest.solution,
    withOnly: (name) =>
      leavingOpen(
        problem,
        rest.names.filter((each) => each !== name),
      ),
    coverageOf: (alternatives, provider) => coverageIn(closest, alternatives, provider),
  };
}
