// A solution and what may be opened later → one of equal worth, by the loader with which most of it fits. Pure.
import type { Problem } from '../candidates/problem.ts';
import { EFFORT, type ExtendedSet, extendSet, type OptionalNeed } from './extend-set.ts';
import { COST_KINDS } from './objective.ts';
import type { Solution } from './solution.ts';
import { bestSet } from './solve.ts';

interface ServedSet {
  readonly solution: Solution;
  readonly extended: ExtendedSet;
}

/** Each is a search more. */
const MOST_LOADERS = 4;

function takenBy({ outcomes }: ExtendedSet): number {
  return outcomes.filter(({ kind }) => kind === 'taken').length;
}

/** What is required decides; that a loader is newer does not, but that it is a last resort does. */
function isAsGood(other: Solution, best: Solution): boolean {
  return (
    COST_KINDS.every((kind) => other.cost[kind] === best.cost[kind]) &&
    other.undefinedSymbols.length === best.undefinedSymbols.length &&
    other.loader.rank[0] === best.loader.rank[0]
  );
}

function solvedBy(problem: Problem, loader: Solution['loader']): Solution | undefined {
  const outcome = bestSet({ ...problem, loaders: [loader] }, EFFORT);
  return outcome.kind === 'solution' ? outcome : undefined;
}

/** Looks at other loaders only where something is there that does not fit. The first of equal ones stays. */
export function withBestLoader(
  problem: Problem,
  solution: Solution,
  needs: readonly OptionalNeed[],
): ServedSet {
  let best: ServedSet = { solution, extended: extendSet(problem, solution, needs) };
  const isUnfit = best.extended.outcomes.some((each) => each.kind === 'left-out' && each.isOffered);
  const others = isUnfit ? problem.loaders.filter(({ path }) => path !== solution.loader.path) : [];
  for (const loader of others.slice(0, MOST_LOADERS)) {
    const other = solvedBy(problem, loader);
    if (other === undefined || !isAsGood(other, solution)) continue;
    const extended = extendSet(problem, other, needs);
    if (takenBy(extended) > takenBy(best.extended)) best = { solution: other, extended };
  }
  return best;
}
