// Providers of one name that are alike in all that their names tell → what the store tells besides: use and size.
import type { Standing } from '../store/standing.ts';
import type { Provider } from './problem.ts';
import { compareRanks, RANK_CRITERIA, type RankCriterion } from './rank.ts';

/** Runs of neighbours that agree in every key before `end`, of sorted providers. */
function tiesBefore(sorted: readonly Provider[], end: number): Provider[][] {
  const groups: Provider[][] = [];
  for (const provider of sorted) {
    const group = groups.at(-1);
    const alike = group?.[0]?.rank.slice(0, end).every((key, i) => key === provider.rank[i]);
    if (group !== undefined && alike) group.push(provider);
    else groups.push([provider]);
  }
  return groups;
}

/** Fills in one key, in place (a copy would read the lazy `ownChoice`), where providers of different store objects agree in all that come before it. */
function fillIn(
  sorted: readonly Provider[],
  criterion: RankCriterion,
  keyOf: (storePath: string) => number,
): Provider[] {
  const at = RANK_CRITERIA.indexOf(criterion);
  return tiesBefore(sorted, at)
    .flatMap((group) => {
      if (new Set(group.map(({ storePath }) => storePath)).size < 2) return group;
      return group.map((provider) =>
        Object.defineProperty(provider, 'rank', {
          value: provider.rank.with(at, keyOf(provider.storePath)),
        }),
      );
    })
    .sort((a, b) => compareRanks(a.rank, b.rank));
}

/** Sorts providers of one name, best first; asks the store only about those that their names leave equal. */
export function breakTies(sorted: readonly Provider[], standing: Standing | undefined): readonly Provider[] {
  if (standing === undefined || sorted.length < 2) return sorted;
  const byUse = fillIn(sorted, 'popularity', (storePath) => -standing.referrersOf(storePath));
  return fillIn(byUse, 'closure size', standing.closureSizeOf);
}
