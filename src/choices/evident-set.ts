// A set with other versions of libraries → whether anything speaks for each of them besides its name.
import path from 'node:path';
import type { Problem, Provider, Requirer } from '../candidates/problem.ts';
import { isSameRelease } from '../candidates/soname.ts';
import { isClosest } from '../solver/objective.ts';
import type { Choice, Solution } from '../solver/solution.ts';

type ChoicesOfSet = Pick<Solution, 'choices'>;

export function sonameOf({ soname, file }: Pick<Provider, 'soname' | 'file'>): string {
  return soname ?? path.basename(file);
}

/** How many symbols those in the set that need the name need of the library. */
export function neededOf(
  { name, provider, neededBy }: Choice,
  { choices }: ChoicesOfSet,
  { closest, roots }: Problem,
): number {
  const there = new Set([...roots, ...choices.map((each) => each.provider)].map((each) => each.path));
  const labels = new Set(choices.map((each) => each.provider.label));
  // Other candidates were judged, too, and have the label of the one that was chosen.
  const isThere = (by: Requirer): boolean => there.has(by.path) || !labels.has(by.label);
  const judgements = (closest?.judged(name) ?? []).filter(
    ({ provider: { path: file }, by }) =>
      file === provider.path && neededBy.includes(by.label) && isThere(by),
  );
  return new Set(judgements.flatMap(({ coverage }) => coverage.needed)).size;
}

/**
 * True if something speaks for every closest match of a set besides its name: a symbol that is needed of it, or that it
 * is loaded anyway, for those who need it by its own name. Nothing speaks for another release.
 */
export function isEvident(set: ChoicesOfSet, problem: Problem): boolean {
  const { choices } = set;
  const isLoadedAnyway = ({ provider }: Choice): boolean =>
    choices.some((other) => other.provider.path === provider.path && !isClosest(other.provider));
  return choices.every(
    (choice) =>
      !isClosest(choice.provider) ||
      problem.closest === undefined ||
      (isSameRelease(choice.name, sonameOf(choice.provider)) &&
        (neededOf(choice, set, problem) > 0 || isLoadedAnyway(choice))),
  );
}
