// A conflict → the names that a file index may help with: nobody has them, or a version that is needed of them.
import type { Problem } from '../candidates/problem.ts';
import { unprovidedNames } from '../solver/explain-conflict.ts';
import type { Conflict, Reason, Solution, Undecided } from '../solver/solution.ts';

export interface LackingName {
  readonly name: string;
  /** Versions that nobody in the store defines; empty where nobody has the name. */
  readonly versions: readonly string[];
  /** Store paths that have the name and do not serve. */
  readonly known: readonly string[];
}

type VersionLack = Pick<Extract<Reason, { kind: 'missing-version' }>, 'name' | 'version' | 'offeredIn'>;

/** What a bundled file lacks no index mends: the file is found first. */
function lacksOf(reasons: readonly Reason[]): VersionLack[] {
  return reasons.flatMap((each) =>
    each.kind === 'missing-version' && each.offeredIn !== undefined ? [each] : [],
  );
}

/** All store objects of the name count as known, those too that fewer reasons than all name. */
function ofLacks(lacks: readonly VersionLack[], { providersOf }: Problem): LackingName[] {
  return [...new Set(lacks.map(({ name }) => name))].map((name) => {
    const own = lacks.filter((each) => each.name === name);
    const known = [...own.flatMap(({ offeredIn }) => offeredIn ?? []), ...providersOf(name).map(pathOf)];
    return {
      name,
      versions: [...new Set(own.map(({ version }) => version))].sort(),
      known: [...new Set(known)],
    };
  });
}

const pathOf = ({ storePath }: { readonly storePath: string }): string => storePath;

/** Names whose every provider the user excluded, or the loader does not come to. */
function ofExclusions(reasons: readonly Reason[], { providersOf }: Problem): LackingName[] {
  return reasons.flatMap((each) => {
    if (each.kind !== 'excluded' || each.name.startsWith('/')) return [];
    return [{ name: each.name, versions: [], known: providersOf(each.name).map(pathOf) }];
  });
}

/** Of libraries that a note calls required: those that nobody in the store has. */
export function absentNames(sonames: readonly string[], { providersOf }: Problem): readonly LackingName[] {
  const absent = [...new Set(sonames)].filter((name) => providersOf(name).length === 0).sort();
  return absent.map((name) => ({ name, versions: [], known: [] }));
}

/** Sorted by name. `loaderName`: the file name of the loader that the program names. */
export function lackingNames(
  problem: Problem,
  outcome: Solution | Conflict | Undecided,
  loaderName: string,
): readonly LackingName[] {
  if (outcome.kind !== 'conflict') return [];
  const { reasons } = outcome;
  const absent = unprovidedNames(problem).map(({ name }) => ({ name, versions: [], known: [] }));
  const loader = reasons.some(({ kind }) => kind === 'no-loader')
    ? [{ name: loaderName, versions: [], known: [] }]
    : [];
  const all = [
    ...absent,
    ...loader,
    ...ofLacks(lacksOf(reasons), problem),
    ...ofExclusions(reasons, problem),
  ];
  const byName = new Map(all.map((each) => [each.name, each]));
  return [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}
