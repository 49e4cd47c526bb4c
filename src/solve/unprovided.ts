// A problem → every name that no provider serves, not only the one that a minimal conflict names.
import type { Problem, Requirer } from '../candidates/problem.ts';

export interface Unprovided {
  readonly name: string;
  /** Labels of the objects that need it, in the order in which they were reached. */
  readonly neededBy: readonly string[];
}

/**
 * Follows the needs from the roots through the best provider of each name. Sorted by name. What other providers would
 * need is not followed, so the list is what a user has to bring at least, as far as can be told.
 */
export function unprovidedNames(problem: Problem): Unprovided[] {
  const missing = new Map<string, string[]>();
  const reached = new Set<string>();
  const queue: Requirer[] = [...problem.roots];
  for (let object = queue.shift(); object !== undefined; object = queue.shift()) {
    for (const name of new Set(object.needed)) {
      if (problem.bundled.has(name) || problem.isFamily(name)) continue;
      const [best] = problem.providersOf(name);
      if (best === undefined) missing.set(name, [...(missing.get(name) ?? []), object.label]);
      else if (!reached.has(name)) queue.push(best);
      reached.add(name);
    }
  }
  return [...missing]
    .map(([name, neededBy]) => ({ name, neededBy }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
