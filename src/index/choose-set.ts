// Names that nothing in the store has, and a file index → one store path for each, together as few as may be.
import { type AbsentName, absentName, isDriverName } from './absent-names.ts';
import {
  type Dropped,
  type Examination,
  examineName,
  type IndexCandidate,
  type RankContext,
  type Ranked,
  rankExamined,
} from './rank-matches.ts';

export interface Chosen {
  readonly name: string;
  readonly candidate: IndexCandidate;
  /** The others, the best one first. */
  readonly others: readonly IndexCandidate[];
}

export interface NotFound {
  readonly name: string;
  /** What was dropped, and why. */
  readonly dropped: Dropped;
  readonly known: AbsentName | undefined;
  /** Other versions of the library that the index has. */
  readonly otherVersions: readonly string[];
}

interface FetchChoice {
  /** Sorted by name. */
  readonly chosen: readonly Chosen[];
  readonly absent: readonly NotFound[];
}

/** So many names are told of, at most. */
const MOST_VERSIONS = 20;

function coverage(examinations: readonly Examination[]): (objectName: string) => number {
  const counts = new Map<string, number>();
  for (const { examined } of examinations) {
    for (const name of new Set(examined.map(({ match }) => match.object.name)))
      counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return (objectName) => counts.get(objectName) ?? 0;
}

function otherVersions(name: string, { catalogue }: RankContext): readonly string[] {
  const cut = name.indexOf('.so');
  if (cut < 0) return [];
  const found = catalogue.namesBeginning(name.slice(0, cut + 3), 4 * MOST_VERSIONS);
  return found
    .filter((each) => /^\.so(\.\d+)?$/.test(each.slice(cut)) && each !== name)
    .slice(0, MOST_VERSIONS);
}

function notFound({ name, dropped }: Examination, context: RankContext): NotFound {
  return {
    name,
    dropped,
    known: absentName(name, context.target.system),
    otherVersions: otherVersions(name, context),
  };
}

/** Names with few candidates first: they decide what the others may share. */
function inOrder(examinations: readonly Examination[]): Examination[] {
  return [...examinations].sort(
    (a, b) => a.examined.length - b.examined.length || (a.name < b.name ? -1 : 1),
  );
}

/**
 * Chooses for all names at once. A second pass sees what the first one chose, so that a name with few candidates may
 * follow one with many. Drivers are never looked up.
 */
export function chooseSet(names: readonly string[], context: RankContext): FetchChoice {
  const distinct = [...new Set(names)].sort();
  const examinations = distinct.map((name) =>
    isDriverName(name) ? { name, examined: [], dropped: {} } : examineName(name, context),
  );
  const found = inOrder(examinations.filter(({ examined }) => examined.length > 0));
  const covers = coverage(found);
  const best = new Map<string, Ranked>();
  for (let pass = 0; pass < 2; pass += 1) {
    for (const each of found) {
      const chosen = new Set(
        [...best]
          .filter(([name]) => name !== each.name)
          .map(([, { candidates }]) => candidates[0]?.storePath ?? ''),
      );
      best.set(each.name, rankExamined(each, context, { chosen, covers }));
    }
  }
  const chosen = distinct.flatMap((name) => {
    const [candidate, ...others] = best.get(name)?.candidates ?? [];
    return candidate === undefined ? [] : [{ name, candidate, others }];
  });
  const absent = examinations
    .filter(({ examined }) => examined.length === 0)
    .map((each) => notFound(each, context));
  return { chosen, absent };
}
