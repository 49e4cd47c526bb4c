// A grounded problem -> the cheapest set that the effort allows to find, and whether it is proven to be that.
import { newVariable } from './clause-kernel.ts';
import type { Grounding, LoaderNode, NameNode, Value } from './ground-problem.ts';
import { costOf, type Walk } from './load-walk.ts';
import { type LowerBound, lowerBound } from './lower-bound.ts';
import type { CostKind } from './objective.ts';
import { type Bound, createSearch, runSearch } from './search-set.ts';
import type { SolutionCost } from './solution.ts';

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

interface Found extends CheapestSet {
  readonly bounds: readonly Bound[];
}

/** `none`: no set exists. `limit`: `effort.steps` were not enough to tell. */
export function cheapestSet(g: Grounding, effort: Effort): CheapestSet | { readonly kind: 'none' | 'limit' } {
  let best: Found | undefined;
  for (const loader of g.loaders) {
    const search = createSearch(g, loader, []);
    const outcome = runSearch(search, effort.steps);
    if (outcome === 'limit') return { kind: outcome };
    if (outcome === 'none') continue;
    best = foundBy(search.walk);
    break;
  }
  if (!best) return { kind: 'none' };
  const limit = g.kernel.steps + effort.improveSteps;
  const { closest, foreign } = best.cost;
  const settled =
    closest || foreign ? chooseLoader(g, best, limit) : improveCounts(g, best, best.cost, limit);
  return improve(g, settled, 'overrides', 0, limit);
}

function foundBy(walk: Walk): Found {
  const { loader, served } = walk;
  return { kind: 'found', loader, served: new Map(served), cost: costOf(walk), bounds: [], proven: true };
}

/** Looks under the other loaders too, the most promising first. */
function chooseLoader(g: Grounding, first: Found, limit: number): Found {
  const rated = g.loaders.flatMap((loader, position) => {
    const bound = lowerBound(g, loader);
    return bound ? [{ loader, bound, position }] : [];
  });
  const start = rated.find(({ loader }) => loader === first.loader);
  let best = start ? improveCounts(g, first, start.bound, limit) : first;
  let bestPosition = start?.position ?? 0;
  let { proven } = best;
  const later = rated.filter(({ position }) => position > bestPosition);
  for (const { loader, bound, position } of later.toSorted(byPromise)) {
    if (!isBetter(bound, position, best.cost, bestPosition)) continue;
    const search = createSearch(g, loader, []);
    const outcome = runSearch(search, limit);
    if (outcome === 'limit') proven = false;
    if (outcome !== 'found') continue;
    const found = improveCounts(g, foundBy(search.walk), bound, limit);
    proven &&= found.proven;
    if (!isBetter(found.cost, position, best.cost, bestPosition)) continue;
    best = found;
    bestPosition = position;
  }
  return { ...best, proven };
}

interface Rated {
  readonly bound: LowerBound;
  readonly position: number;
}

const byPromise = (a: Rated, b: Rated): number =>
  a.bound.closest - b.bound.closest ||
  a.bound.likelyForeign - b.bound.likelyForeign ||
  a.position - b.position;

type Counts = Pick<SolutionCost, 'closest' | 'foreign'>;

/** Fewer closest matches, then fewer foreign builds, then the loader that comes first. */
function isBetter(a: Counts, position: number, b: Counts, than: number): boolean {
  return (a.closest - b.closest || a.foreign - b.foreign || position - than) < 0;
}

function improveCounts(g: Grounding, found: Found, atLeast: Counts, limit: number): Found {
  const exact = improve(g, found, 'closest', atLeast.closest, limit);
  return improve(g, exact, 'foreign', atLeast.foreign, limit);
}

/** Lowers one cost as far as the effort goes; the costs before it stay as they are. */
function improve(g: Grounding, start: Found, kind: CostKind, atLeast: number, limit: number): Found {
  let best = start;
  let { proven } = start;
  if (best.cost[kind] > atLeast) {
    const falling = newBound(g, kind, best.cost[kind] - 1);
    const search = createSearch(g, start.loader, [...start.bounds, falling]);
    let outcome = runSearch(search, limit);
    for (; outcome === 'found' && falling.max >= atLeast; outcome = runSearch(search, limit)) {
      best = foundBy(search.walk);
      falling.max = best.cost[kind] - 1;
    }
    if (outcome === 'limit') proven = false;
  }
  return { ...best, proven, bounds: [...start.bounds, newBound(g, kind, best.cost[kind])] };
}

const newBound = (g: Grounding, kind: CostKind, max: number): Bound => ({
  variable: newVariable(g.kernel),
  kind,
  max,
});
