// A Problem -> one coherent Solution, or the Conflict that excludes every set. Pure and deterministic.

import type { Problem, Requirer } from '../candidates/problem.ts';
import { type CheapestSet, cheapestSet, type Effort } from './cheapest-set.ts';
import { groundProblem } from './ground-problem.ts';
import { minimalConflict } from './minimal-conflict.ts';
import type { Conflict, Solution, Undecided } from './solution.ts';
import { needsOf } from './version-needs.ts';

const usualEffort: Effort = { steps: 40_000_000, improveSteps: 120_000 };

/**
 * The best set (objective.ts, NOTES.md); or a minimal set of reasons why there is none; or, when `effort.steps` were
 * too few to tell, that.
 */
export function solve(problem: Problem, effort: Effort = usualEffort): Solution | Conflict | Undecided {
  const g = groundProblem(problem);
  const set = cheapestSet(g, effort);
  if (set.kind === 'found') return solutionOf(problem, set);
  return set.kind === 'none'
    ? minimalConflict(problem, effort.steps)
    : { kind: 'undecided', steps: g.kernel.steps };
}

function solutionOf(problem: Problem, { loader, served, cost, proven }: CheapestSet): Solution {
  const providers = [...served.values()].map(({ provider }) => provider);
  const neededBy = labelsByName([...problem.roots, ...providers]);
  const values = [...served.values()].toSorted((a, b) => (a.name.name < b.name.name ? -1 : 1));
  return {
    kind: 'solution',
    loader: loader.candidate,
    choices: values
      .filter((value) => !value.loader)
      .map(({ name: { name }, provider }) => ({ name, provider, neededBy: neededBy.get(name) ?? [] })),
    familyNames: values.filter((value) => value.loader).map(({ name }) => name.name),
    cost,
    proven,
  };
}

function labelsByName(objects: readonly Requirer[]): Map<string, string[]> {
  const labels = new Map<string, Set<string>>();
  for (const object of objects) {
    for (const name of needsOf(object).keys()) {
      const set = labels.get(name);
      if (set) set.add(object.label);
      else labels.set(name, new Set([object.label]));
    }
  }
  return new Map([...labels].map(([name, set]) => [name, [...set].sort()]));
}
