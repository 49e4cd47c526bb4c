// An encoded problem → the cheapest set that the effort allows to find, whether that is proven to be the cheapest, and
// what every set under a loader costs at least.

import type { Encoding, LoaderNode, NameNode, Value } from './encode.ts';
import { type CostKind, isClosest, isForeign } from './objective.ts';
import { backtrack, decide, learn, newVariable, positive, propagate, type SatSolver } from './sat.ts';
import { type Bound, costOf, createSearch, type LoadOrder, runSearch } from './search.ts';
import type { SolutionCost } from './solution.ts';
import { isNeededBy, needsOf } from './version-needs.ts';

/** Steps (clauses and candidates looked at, some ten million a second) allowed. */
export interface Effort {
  /** For finding a set, or that there is none. */
  readonly steps: number;
  /** On top, for making its cost smaller. */
  readonly improveSteps: number;
}

export interface CheapestSet {
  readonly kind: 'found';
  readonly loader: LoaderNode;
  /** In load order, the libc family included. */
  readonly served: ReadonlyMap<NameNode, Value>;
  readonly cost: SolutionCost;
  readonly proven: boolean;
}

interface FoundSet extends CheapestSet {
  readonly bounds: readonly Bound[];
}

/** `none`: no set exists. `limit`: `effort.steps` were not enough to tell. */
export function cheapestSet(g: Encoding, effort: Effort): CheapestSet | { readonly kind: 'none' | 'limit' } {
  let best: FoundSet | undefined;
  for (const loader of g.loaders) {
    const search = createSearch(g, loader, []);
    const outcome = runSearch(search, effort.steps);
    if (outcome === 'limit') return { kind: outcome };
    if (outcome === 'none') continue;
    best = foundBy(search.loadOrder);
    break;
  }
  if (!best) return { kind: 'none' };
  const limit = g.sat.steps + effort.improveSteps;
  const { closest, foreign } = best.cost;
  const settled =
    closest || foreign ? chooseLoader(g, best, limit) : improveCounts(g, best, best.cost, limit);
  return improve(g, settled, { kind: 'overrides', atLeast: 0, limit });
}

function foundBy(loadOrder: LoadOrder): FoundSet {
  const { loader, served } = loadOrder;
  return {
    kind: 'found',
    loader,
    served: new Map(served),
    cost: costOf(loadOrder),
    bounds: [],
    proven: true,
  };
}

interface Rated {
  readonly found: FoundSet;
  readonly atLeast: LowerBound;
  /** Of the loader among all loaders. */
  readonly position: number;
}

/** Looks under the other loaders too, and improves the best of what is found, then all that may still beat it. */
function chooseLoader(g: Encoding, first: FoundSet, limit: number): FoundSet {
  const { rated, complete } = firstSets(g, first, (g.sat.steps + limit) >> 1);
  let best: Rated | undefined;
  let proven = complete;
  for (const each of rated) {
    if (best && !isBetter(each.atLeast, each.position, best.found.cost, best.position)) continue;
    const found = improveCounts(g, each.found, each.atLeast, limit);
    proven &&= found.proven;
    if (!best || isBetter(found.cost, each.position, best.found.cost, best.position))
      best = { ...each, found };
  }
  return { ...(best?.found ?? first), proven };
}

/** Best first: `first`, and the first set under each other loader, the most promising loaders being tried first. */
function firstSets(g: Encoding, first: FoundSet, limit: number): { rated: Rated[]; complete: boolean } {
  const bounds = g.loaders.map((loader) => lowerBound(g, loader));
  const position = g.loaders.indexOf(first.loader);
  const rated: Rated[] = [
    { found: first, position, atLeast: bounds[position] ?? { ...first.cost, likelyForeign: 0 } },
  ];
  const others = bounds.flatMap((atLeast, at) =>
    atLeast && at > position ? [{ atLeast, position: at }] : [],
  );
  let complete = true;
  for (const other of others.toSorted(byPromise)) {
    if (!isBetter(other.atLeast, other.position, first.cost, position)) continue;
    const search = createSearch(g, g.loaders[other.position] as LoaderNode, []);
    const outcome = runSearch(search, limit);
    if (outcome === 'limit') complete = false;
    if (outcome === 'found') rated.push({ ...other, found: foundBy(search.loadOrder) });
  }
  rated.sort((a, b) => (isBetter(a.found.cost, a.position, b.found.cost, b.position) ? -1 : 1));
  return { rated, complete };
}

type Prospect = Pick<Rated, 'atLeast' | 'position'>;

const byPromise = (a: Prospect, b: Prospect): number =>
  a.atLeast.closest - b.atLeast.closest ||
  a.atLeast.likelyForeign - b.atLeast.likelyForeign ||
  a.position - b.position;

type Counts = Pick<SolutionCost, 'closest' | 'foreign'>;

/** Fewer closest matches, then fewer foreign builds, then the loader that comes first. */
function isBetter(a: Counts, position: number, b: Counts, than: number): boolean {
  return (a.closest - b.closest || a.foreign - b.foreign || position - than) < 0;
}

function improveCounts(g: Encoding, found: FoundSet, atLeast: Counts, limit: number): FoundSet {
  const exact = improve(g, found, { kind: 'closest', atLeast: atLeast.closest, limit });
  return improve(g, exact, { kind: 'foreign', atLeast: atLeast.foreign, limit });
}

/** Which count shall fall, how far, and after how many steps to stop. */
interface Improvement {
  readonly kind: CostKind;
  readonly atLeast: number;
  readonly limit: number;
}

/** Lowers one cost as far as the effort goes; the costs before it stay as they are. */
function improve(g: Encoding, start: FoundSet, { kind, atLeast, limit }: Improvement): FoundSet {
  let best = start;
  let { proven } = start;
  if (best.cost[kind] > atLeast) {
    const falling = newBound(g, kind, best.cost[kind] - 1);
    const search = createSearch(g, start.loader, [...start.bounds, falling]);
    let outcome = runSearch(search, limit);
    for (; outcome === 'found' && falling.max >= atLeast; outcome = runSearch(search, limit)) {
      best = foundBy(search.loadOrder);
      falling.max = best.cost[kind] - 1;
    }
    if (outcome === 'limit') proven = false;
  }
  return { ...best, proven, bounds: [...start.bounds, newBound(g, kind, best.cost[kind])] };
}

const newBound = (g: Encoding, kind: CostKind, max: number): Bound => ({
  variable: newVariable(g.sat),
  kind,
  max,
});

interface LowerBound {
  readonly closest: number;
  readonly foreign: number;
  /** Names reached so far that nothing built with this loader's libc serves: an estimate, not a bound. */
  readonly likelyForeign: number;
}

/** Undefined when no set exists under this loader. Reads no providers that the search has not read. */
export function lowerBound(g: Encoding, loader: LoaderNode): LowerBound | undefined {
  const { sat } = g;
  const { candidate } = loader;
  const lit = positive(loader.variable);
  backtrack(sat, 0);
  if (sat.refuted || !settled(sat) || sat.value[lit] === -1) return undefined;
  if (sat.value[lit] === 0) decide(sat, lit);
  if (!settled(sat)) return undefined;
  const possible = (node: NameNode) =>
    node.values.filter(({ variable }) => sat.value[positive(variable)] !== -1);
  const all = (cost: (value: Value) => boolean) => (node: NameNode) => {
    const values = possible(node).filter((value) => !value.loader);
    return values.length > 0 && values.every(cost);
  };
  const closest = all(({ provider }) => isClosest(provider));
  const foreign = all(({ provider }) => isForeign(provider, candidate));
  const sure = sureNames(g, possible);
  const bound = {
    closest: sure.filter(closest).length,
    foreign: sure.filter(foreign).length,
    likelyForeign: [...g.names.values()].filter(foreign).length,
  };
  backtrack(sat, 0);
  return bound;
}

/** Draws all consequences; false if there was a conflict, which has been learned from. */
function settled(sat: SatSolver): boolean {
  const conflict = propagate(sat);
  if (conflict) learn(sat, conflict);
  return !conflict;
}

/** Names that are needed whatever is chosen: by a root, or by all that can serve a name that is needed so. */
function sureNames(g: Encoding, possible: (node: NameNode) => readonly Value[]): NameNode[] {
  const sure = new Set(g.rootNeeds);
  for (const node of sure) {
    const values = possible(node);
    for (const name of values.length === node.values.length ? neededByEach(node) : commonNeeds(values)) {
      const need = g.problem.bundled.has(name) ? undefined : g.names.get(name);
      if (need) sure.add(need);
    }
    g.sat.steps += node.values.length;
  }
  return [...sure];
}

const commonNeedsOf = new WeakMap<NameNode, readonly string[]>();

/** What all providers of a name need: asked again for every loader, and mostly the same. */
function neededByEach(node: NameNode): readonly string[] {
  const known = commonNeedsOf.get(node) ?? commonNeeds(node.values);
  commonNeedsOf.set(node, known);
  return known;
}

function commonNeeds(values: readonly Value[]): string[] {
  const [first, ...others] = values.map(({ provider }) => provider);
  const names = first ? [...needsOf(first).keys()] : [];
  return names.filter((name) => others.every((other) => isNeededBy(other, name)));
}
