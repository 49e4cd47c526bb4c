// A problem, a set and a name → every library that could serve the name, and what speaks against each in this set.
import type { LoaderCandidate, Problem, Provider, Requirer } from '../candidates/problem.ts';
import { RANK_CRITERIA, type RankCriterion } from '../candidates/rank.ts';
import { listText } from '../host/output.ts';
import { type CostKind, costOf, dearerBy, overrides } from '../solver/objective.ts';
import { loadedObjects } from '../solver/undefined-symbols.ts';
import { highestOfSeries, isNeededBy, missingVersion, needsOf } from '../solver/version-needs.ts';
import { nameOfStoreObject } from '../store/store-location.ts';

/** A whole set, as the candidates of one name are held against it. */
export interface ChosenSet {
  readonly loader: LoaderCandidate;
  /** name → the provider that serves it; the libc family left out. */
  readonly providers: ReadonlyMap<string, Provider>;
}

/** What decides between two libraries, the weightiest first; then the criteria of candidates/rank.ts. */
type Criterion =
  | 'pinned'
  | 'excluded'
  | 'wrong version'
  | 'lacks symbols'
  | 'closest match'
  | 'other glibc'
  | 'overrides a run path'
  | 'own source or preference'
  | 'whole set'
  | RankCriterion;

export interface Loss {
  readonly criterion: Criterion;
  /** One clause about the candidate: `lacks OPENSSL_3.2.0, which ruby needs`. */
  readonly detail: string;
}

export interface Candidate {
  readonly provider: Provider;
  readonly chosen: boolean;
  /** Why the chosen one won over this; undefined for the chosen one. */
  readonly loss: Loss | undefined;
}

export interface Needer {
  readonly object: Requirer;
  /** Versions of the name that it needs; `weak` ones may be missing. */
  readonly versions: readonly { readonly name: string; readonly weak: boolean }[];
}

function objectsOf(problem: Problem, set: ChosenSet): (Requirer | Provider)[] {
  return [...new Set([...problem.roots, ...set.providers.values()])];
}

/** Who needs a name in a set, the program first, then in the order of the names they serve. */
export function needersOf(problem: Problem, set: ChosenSet, name: string): Needer[] {
  return objectsOf(problem, set)
    .filter((object) => isNeededBy(object, name))
    .map((object) => {
      const versions = needsOf(object).get(name) ?? [];
      const unique = new Map(versions.map((version) => [version.name, version]));
      return { object, versions: [...unique.values()] };
    });
}

/** Paths that the run paths of others in the set would take for a name, each with the object whose run path it is. */
export function wantsOf(set: ChosenSet, name: string): { path: string; by: string }[] {
  return [...set.providers.values()].flatMap((provider) => {
    const path = isNeededBy(provider, name) ? provider.ownChoice.get(name) : undefined;
    return path === undefined ? [] : [{ path, by: provider.label }];
  });
}

const place = (provider: Provider) => ({ provider, inside: `${provider.storePath}/` });

/** What rules a candidate out whatever the other one is. */
function unfit(problem: Problem, set: ChosenSet, name: string, other: Provider): Loss | undefined {
  const pin = problem.pins?.get(name);
  if (pin !== undefined && other.path !== pin) return { criterion: 'pinned', detail: `you pinned ${pin}` };
  if (problem.excluded?.(other)) return { criterion: 'excluded', detail: 'you excluded it' };
  for (const by of objectsOf(problem, set)) {
    const versions = by.path === other.path ? undefined : needsOf(by).get(name);
    const version = versions && missingVersion(versions, other);
    if (version === undefined) continue;
    const highest = highestOfSeries(version, other.verdef);
    const upTo = highest === undefined ? '' : `, only up to ${highest}`;
    return { criterion: 'wrong version', detail: `lacks ${version}, which ${by.label} needs${upTo}` };
  }
  return undefined;
}

function overridden(set: ChosenSet, name: string, provider: Provider): string[] {
  return wantsOf(set, name)
    .filter((want) => overrides(place(provider), want.path))
    .map(({ by }) => by);
}

/** For each cost of the solver: the loss by it, and what a whole set does that is dearer by it. */
export const LOSSES_BY_COST = {
  closest: { criterion: 'closest match', inSet: 'takes more closest matches' },
  foreign: { criterion: 'other glibc', inSet: 'takes more libraries built with another glibc' },
  overrides: { criterion: 'overrides a run path', inSet: 'overrides more run paths' },
} as const satisfies Record<CostKind, { criterion: Loss['criterion']; inSet: string }>;

function detailOfCost(kind: CostKind, set: ChosenSet, name: string, other: Provider): string {
  switch (kind) {
    case 'closest':
      return 'has another soname';
    case 'foreign': {
      const [built, loaders] = [other.builtWith ?? '', set.loader.storePath].map(nameOfStoreObject);
      return `was built with ${built}, not with the loader's ${loaders}`;
    }
    case 'overrides': {
      const against = overridden(set, name, other);
      return `the run path of ${listText(against, LISTED)} names another`;
    }
  }
}

/** The first cost that speaks for either, if it speaks for the winner. */
function byCosts(set: ChosenSet, name: string, winner: Provider, other: Provider): Loss | undefined {
  const wanted = wantsOf(set, name);
  const costs = (provider: Provider) => (kind: CostKind) => costOf(kind, place(provider), set.loader, wanted);
  const kind = dearerBy(costs(winner), costs(other));
  if (kind === undefined) return undefined;
  return { criterion: LOSSES_BY_COST[kind].criterion, detail: detailOfCost(kind, set, name, other) };
}

/** The first key at which two ranks differ, if it speaks for the winner. */
function byRankOf(winner: Provider, other: Provider): Loss | undefined {
  for (const [i, key] of winner.rank.entries()) {
    const theirs = other.rank[i];
    if (theirs === undefined || key === theirs) continue;
    const criterion = RANK_CRITERIA[i] ?? 'path';
    return key < theirs ? { criterion, detail: RANK_DETAILS[criterion] } : undefined;
  }
  return undefined;
}

const RANK_DETAILS: Record<RankCriterion, string> = {
  distance: 'its name is further from the needed one',
  bundle: 'is a copy that another package brings along',
  version: 'is older',
  'last resort': 'its package is not meant for others',
  popularity: 'is used by fewer others in the store',
  'closure size': 'brings more along',
  depth: 'lies deeper below its store object',
  path: 'its path sorts later',
};

const LISTED = 3;

function bySymbols(missing: MissingSymbols | undefined): Loss | undefined {
  if (missing === undefined) return undefined;
  const { by, symbols } = missing;
  const detail = `lacks ${listText(symbols, LISTED)}, which ${by} needs`;
  return { criterion: 'lacks symbols', detail };
}

/** Two providers of a name, and what the second lacks. */
interface ComparedProviders {
  readonly name: string;
  readonly winner: Provider;
  readonly other: Provider;
  readonly missing: (other: Provider) => MissingSymbols | undefined;
}

function lossOf(problem: Problem, set: ChosenSet, { name, winner, other, missing }: ComparedProviders): Loss {
  const loss =
    unfit(problem, set, name, other) ??
    bySymbols(missing(other)) ??
    byCosts(set, name, winner, other) ??
    (offers(problem, name, other) ? byRankOf(winner, other) : undefined);
  if (loss !== undefined) return loss;
  if (!offers(problem, name, other)) {
    return { criterion: 'own source or preference', detail: 'another one is preferred' };
  }
  return { criterion: 'whole set', detail: 'the set with it is not better as a whole' };
}

const offers = (problem: Problem, name: string, other: Provider): boolean =>
  problem.providersOf(name).some(({ path }) => path === other.path);

/** How many libraries of a set are known to be built with the glibc of a store object. */
function builtWithIt(set: ChosenSet, storePath: string): number {
  return [...set.providers.values()].filter(({ builtWith }) => builtWith === storePath).length;
}

/** A name of the libc family: one candidate for each loader, since loader and family come together. */
export function weighFamily(problem: Problem, set: ChosenSet, name: string): Candidate[] {
  return problem.loaders.flatMap(({ storePath, family }): Candidate[] => {
    const provider = family.get(name);
    if (provider === undefined) return [];
    if (storePath === set.loader.storePath) return [{ provider, chosen: true, loss: undefined }];
    const [with_, without] = [builtWithIt(set, storePath), builtWithIt(set, set.loader.storePath)];
    const detail = `${with_} of the chosen libraries were built with it, ${without} with the one taken`;
    const loss = unfit(problem, set, name, provider) ?? { criterion: 'other glibc', detail };
    return [{ provider, chosen: false, loss }];
  });
}

/**
 * All candidates of a name, the chosen one first, the others by rank. `every`: providers that a preference left out
 * of the problem included.
 */
export function weighCandidates(
  problem: Problem,
  every: readonly Provider[],
  set: ChosenSet,
  name: string,
): Candidate[] {
  const winner = set.providers.get(name);
  if (winner === undefined) return [];
  const others = every.filter(({ path }) => path !== winner.path);
  const needers = needersOf(problem, set, name).map(({ object }) => object);
  const missing = missingSymbols(problem, set, name, needers);
  return [
    { provider: winner, chosen: true, loss: undefined },
    ...others.map((provider) => ({
      provider,
      chosen: false,
      loss: lossOf(problem, set, { name, winner, other: provider, missing }),
    })),
  ];
}

/** A symbol that is looked up, and who wants it. */
interface WantedSymbol {
  readonly symbol: string;
  readonly by: Requirer;
}

interface MissingSymbols {
  /** The first object that would miss something, and all that it would miss, sorted. */
  readonly by: string;
  readonly symbols: readonly string[];
}

/**
 * What others in the set find nowhere but in the winner: who defines a symbol does not matter (candidates/NOTES.md).
 */
function onlyIn(winner: Provider, problem: Problem, set: ChosenSet): WantedSymbol[] {
  const { symbols } = problem;
  if (symbols === undefined) return [];
  const family = [...set.loader.family.values()].map(({ path }) => path);
  const objects = loadedObjects(problem, [...set.providers.values()]);
  const others = new Set([...objects.map(({ path }) => path), ...family, set.loader.path]);
  others.delete(winner.path);
  return objects
    .filter(({ path, isDriver = false }) => path !== winner.path && !isDriver)
    .flatMap((by) => symbols.wantedBy(by.path).map((symbol) => ({ symbol, by })))
    .filter(({ symbol }) => symbols.definedBy(winner.path, symbol))
    .filter(
      ({ symbol, by }) => ![...others].some((each) => each !== by.path && symbols.definedBy(each, symbol)),
    )
    .filter(({ symbol, by }) => symbols.boundAt(by.path, symbol) !== 'never');
}

function first(
  missing: readonly { readonly by: Requirer; readonly symbol: string }[],
): MissingSymbols | undefined {
  const [one] = missing;
  if (one === undefined) return undefined;
  const symbols = missing.filter(({ by }) => by === one.by).map(({ symbol }) => symbol);
  return { by: one.by.label, symbols: [...new Set(symbols)].sort() };
}

/** Of another version of the library: what those who need it would miss in it. */
function lacksAsClosest(
  problem: Problem,
  needers: readonly Requirer[],
  name: string,
  other: Provider,
): MissingSymbols | undefined {
  const { closest } = problem;
  if (other.match !== 'closest' || closest === undefined) return undefined;
  const missing = needers.flatMap((by) => {
    const { missing, missingVersions } = closest.coverage(by, name, other);
    return [...missing, ...(other.hasVerdef ? [] : missingVersions)].map((symbol) => ({ by, symbol }));
  });
  return first(missing);
}

/**
 * A function that judges candidates of a name. Symbols are read when it is first asked. What a candidate would bring
 * along counts as well, one step far.
 */
function missingSymbols(
  problem: Problem,
  set: ChosenSet,
  name: string,
  needers: readonly Requirer[],
): (other: Provider) => MissingSymbols | undefined {
  const winner = set.providers.get(name);
  let wanted: readonly WantedSymbol[] | undefined;
  const brings = (other: Provider, symbol: string): boolean =>
    [
      other,
      ...other.needed.flatMap((each) => (set.providers.has(each) ? [] : problem.providersOf(each))),
    ].some(({ path }) => problem.symbols?.definedBy(path, symbol) ?? true);
  return (other) => {
    const missing = lacksAsClosest(problem, needers, name, other);
    if (missing !== undefined || winner === undefined) return missing;
    wanted ??= onlyIn(winner, problem, set);
    return first(wanted.filter(({ symbol, by }) => by.path !== other.path && !brings(other, symbol)));
  };
}
