// A problem, with a set or without → the names for which there is something to choose, the candidates of each, how many
// of the needed symbols a candidate has, and what choosing it by hand would force.

import { symbolReader } from '../candidates/candidate-symbols.ts';
import { closestOnlyFor, coverageOf, neededFrom, undefinedSymbolsOf } from '../candidates/closest.ts';
import type { ClosestMatches, Problem, Provider, Requirer } from '../candidates/problem.ts';
import { explainConflict, unprovidedNames } from '../solver/explain-conflict.ts';
import type { Conflict, Solution, Undecided } from '../solver/solution.ts';
import { solve } from '../solver/solve.ts';
import { type Candidate, type ChosenSet, type Needer, needersOf, weighCandidates } from './compare.ts';
import { isEvident } from './evident-set.ts';

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

/** What a person wants to know of a candidate. */
export interface CandidateFacts {
  readonly coverage: SymbolCoverage;
  /** What choosing it leads to; undefined for what is taken anyway. */
  readonly trial: CandidateTrial | undefined;
}

export interface SonameCandidates {
  /** `lack`: there is no set, and these are the names that nobody serves. */
  readonly kind: 'set' | 'lack';
  readonly alternatives: readonly Alternatives[];
  /** Reads symbols and solves: some milliseconds, for each candidate once. */
  factsOf(alternatives: Alternatives, candidate: Candidate): CandidateFacts;
}

interface Seen {
  readonly problem: Problem;
  readonly outcome: Solution | Conflict | Undecided;
  readonly closest?: ClosestMatches;
  readonly every: (name: string) => readonly Provider[];
}

/** Keeps the answers: `choose` asks for each candidate twice, for the text and for JSON. */
function askedOnce(ask: SonameCandidates['factsOf']): SonameCandidates['factsOf'] {
  const known = new Map<Candidate, CandidateFacts>();
  return (alternatives, candidate) => {
    const facts = known.get(candidate) ?? ask(alternatives, candidate);
    known.set(candidate, facts);
    return facts;
  };
}

/** Of the names that more than one store object could serve. */
export function candidatesInSet({ problem, every }: Seen, solution: Solution): SonameCandidates {
  const judge = symbolCoverage(inSet(problem, solution));
  return {
    kind: 'set',
    alternatives: alternativesOf(problem, every, solution),
    factsOf: askedOnce(({ name, neededBy }, { provider, chosen }) => ({
      coverage: judge(
        neededBy.map(({ object }) => object),
        name,
        provider,
      ),
      trial: chosen ? undefined : tryCandidate(problem, solution, name, provider),
    })),
  };
}

/** Of what nobody serves; undefined where no choice would make a set. */
export function candidatesForMissing({ problem, closest, every }: Seen): SonameCandidates | undefined {
  const missing = missingNamesOf(problem, closest, every);
  if (missing === undefined) return undefined;
  return {
    kind: 'lack',
    alternatives: missing.names,
    factsOf: askedOnce((alternatives, { provider }) => ({
      coverage: missing.coverageOf(alternatives, provider),
      trial: tryCandidate(missing.withOnly(alternatives.name), missing.solution, alternatives.name, provider),
    })),
  };
}

/** Undefined where there is no set and no choice would make one. */
export function candidatesOf(seen: Seen): SonameCandidates | undefined {
  return seen.outcome.kind === 'solution' ? candidatesInSet(seen, seen.outcome) : candidatesForMissing(seen);
}

interface MissingNames {
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
 * wanted of it, and every symbol is assumed to be there (candidates/problem.ts, SymbolBindings).
 */
function leavingOpen(problem: Problem, names: readonly string[]): Problem {
  const bundled = new Map(problem.bundled);
  for (const name of names) {
    const file = { label: name, path: `/dev/null/${name}`, needed: [], verneed: [] };
    bundled.set(name, { ...file, verdef: [], hasVerdef: false, hasVersym: true });
  }
  return { ...problem, bundled };
}

/**
 * What is lacking, also with the providers that the rest is solved with; undefined where the rest has no set either.
 */
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
 * Undefined where nobody lacks anything, where some name has nothing near it, or where the rest has no set: then there
 * is nothing to choose. `near`: other versions of a library that nobody has exactly.
 */
export function missingNamesOf(
  problem: Problem,
  closest: ClosestMatches | undefined,
  near: (name: string) => readonly Provider[],
): MissingNames | undefined {
  const rest = closest && solvedWithout(problem);
  if (closest === undefined || rest === undefined) return undefined;
  const set = chosenSetOf(rest.solution);
  const lacking = (name: string): Alternatives => {
    const bare = { name, neededBy: needersOf(problem, set, name), candidates: [] };
    const compared = near(name).map((provider) => ({
      provider,
      missing: coverageIn(closest, bare, provider).missing.length,
    }));
    const candidates = compared
      .sort((a, b) => a.missing - b.missing)
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

export interface SymbolCoverage {
  /** How many symbols are needed ... */
  readonly needed: number;
  /** ... and those that the candidate lacks, sorted, as `name` or `name@version`. */
  readonly missing: readonly string[];
}

/** Every name is served as in the set, so that who else has a symbol is asked of what is loaded. */
function inSet(problem: Problem, { loader, choices }: Solution): Problem {
  const chosen = new Map(choices.map(({ name, provider }) => [name, [provider]]));
  return {
    ...problem,
    loaders: [loader],
    providersOf: (name) => chosen.get(name) ?? problem.providersOf(name),
  };
}

/** A function that judges candidates of a problem; it reads each file once. */
function symbolCoverage(
  problem: Problem,
): (needers: readonly Requirer[], name: string, candidate: Provider) => SymbolCoverage {
  const symbolsOf = symbolReader();
  // Nobody serves the name while it is asked what is to be found under it.
  const without = (name: string): Problem => ({
    ...problem,
    providersOf: (each) => (each === name ? [] : problem.providersOf(each)),
  });
  return (needers, name, candidate) => {
    const scope = without(name);
    const needed = new Set<string>();
    const missing = new Set<string>();
    for (const by of needers) {
      const symbols = neededFrom(by, name, undefinedSymbolsOf(scope, by, symbolsOf), symbolsOf);
      const coverage = coverageOf(symbols, { by, name, provider: candidate, symbolsOf });
      for (const symbol of coverage.needed) needed.add(symbol);
      for (const symbol of coverage.missing) missing.add(symbol);
    }
    return { needed: needed.size, missing: [...missing].sort() };
  };
}

/** One name that is served by another file than before; `undefined` where it is not needed. */
export interface SetChange {
  readonly name: string;
  readonly from: string | undefined;
  readonly to: string | undefined;
}

export type CandidateTrial =
  | {
      readonly kind: 'possible';
      readonly solution: Solution;
      /** Sorted by name; the loader is named by its path. */
      readonly changes: readonly SetChange[];
    }
  | { readonly kind: 'impossible'; readonly sentences: readonly string[] };

function filesOf({ loader, choices }: Solution): Map<string, string> {
  const files = choices.map(({ name, provider }): [string, string] => [name, provider.path]);
  return new Map([['the loader', loader.path], ...files]);
}

/** What differs between two sets. */
export function changesBetween(before: Solution, after: Solution): SetChange[] {
  const [old, now] = [filesOf(before), filesOf(after)];
  return [...new Set([...old.keys(), ...now.keys()])]
    .sort()
    .map((name) => ({ name, from: old.get(name), to: now.get(name) }))
    .filter(({ from, to }) => from !== to);
}

/** Whether a start would take the set. For what is chosen by hand nothing else need speak. */
function isEvidentBeside({ choices }: Solution, pinned: string, problem: Problem): boolean {
  const byHand = choices.map((each) =>
    each.name === pinned ? { ...each, provider: { ...each.provider, match: 'pinned' as const } } : each,
  );
  return isEvident({ choices: byHand }, problem);
}

/** Solves with one candidate pinned for a name, whatever was pinned for it before. `solution`: without that. */
export function tryCandidate(
  problem: Problem,
  solution: Solution,
  name: string,
  candidate: Provider,
): CandidateTrial {
  const pins = new Map([...(problem.pins ?? []), [name, candidate.path] as const]);
  const providersOf = (each: string): readonly Provider[] => {
    const known = problem.providersOf(each);
    return each === name && !known.some(({ path }) => path === candidate.path)
      ? [candidate, ...known]
      : known;
  };
  const pinned = { ...problem, pins, providersOf };
  const free = solve(pinned);
  const outcome =
    free.kind !== 'solution' || isEvidentBeside(free, name, problem)
      ? free
      : solve(closestOnlyFor(pinned, new Set([name, ...solution.choices.map((each) => each.name)])));
  if (outcome.kind === 'solution') {
    return { kind: 'possible', solution: outcome, changes: changesBetween(solution, outcome) };
  }
  const sentences =
    outcome.kind === 'conflict' ? explainConflict(outcome) : ['no set was found in the time allowed'];
  return { kind: 'impossible', sentences };
}
