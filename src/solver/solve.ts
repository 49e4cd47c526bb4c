// A Problem → one coherent Solution, or the Conflict that excludes every set. Pure and deterministic.
import type { Problem, Requirer } from '../candidates/problem.ts';
import { type Constraint, constraintKey } from './constraint.ts';
import { encodeProblem } from './encode.ts';
import { minimalConflict } from './minimal-conflict.ts';
import { type CheapestSet, cheapestSet, type Effort } from './optimise.ts';
import { refutationTags } from './sat.ts';
import type { Conflict, Solution, Undecided } from './solution.ts';
import { undefinedSymbolsIn } from './undefined-symbols.ts';
import { needsOf } from './version-needs.ts';

const USUAL_EFFORT: Effort = { steps: 40_000_000, improveSteps: 120_000 };

/**
 * The best set (objective.ts, NOTES.md); or a minimal set of reasons why there is none; or, when `effort.steps` were
 * too few to tell, that.
 */
export function solve(problem: Problem, effort: Effort = USUAL_EFFORT): Solution | Conflict | Undecided {
  const outcome = bestSet(problem, effort);
  return outcome.kind === 'none' ? minimalConflict(problem, effort.steps) : outcome;
}

/** `unserved`: paths of roots that want symbols which no set defines; there may be more of them. */
export interface NoSet {
  readonly kind: 'none';
  readonly unserved: ReadonlySet<string>;
}

/** The same without the reasons, which take many times as long as to find that there is no set. */
export function bestSet(problem: Problem, effort: Effort = USUAL_EFFORT): Solution | Undecided | NoSet {
  const tolerated = new Set<string>();
  for (;;) {
    const g = encodeProblem(problem, undefined, tolerated);
    const set = cheapestSet(g, effort);
    if (set.kind === 'found') return solutionOf(problem, set);
    const rests =
      set.kind === 'none' ? refutationTags(g.sat).map((tag) => g.constraints[tag]) : g.constraints;
    const calls = rests.flatMap(callOf).sort();
    if (set.kind === 'none' && calls.length === 0)
      return { kind: 'none', unserved: unservedIn(problem, g.constraints) };
    if (calls.length === 0) return { kind: 'undecided', steps: g.sat.steps };
    // One at a time, since with it out of the way the others may be kept; all, where they made the search too long.
    for (const call of set.kind === 'none' ? calls.slice(0, 1) : calls) tolerated.add(call);
  }
}

function unservedIn({ roots }: Problem, constraints: readonly Constraint[]): ReadonlySet<string> {
  const paths = new Set(roots.map(({ path }) => path));
  return new Set(
    constraints.flatMap((each) =>
      each.kind === 'unbound-symbol' && each.definers.length === 0 && paths.has(each.by.path)
        ? [each.by.path]
        : [],
    ),
  );
}

/** The key of a reference that is bound when it is called, which may be given up. */
function callOf(constraint: Constraint | undefined): string[] {
  const isCall = constraint?.kind === 'unbound-symbol' && constraint.when === 'call';
  return isCall ? [constraintKey(constraint)] : [];
}

function solutionOf(problem: Problem, { loader, served, cost, proven }: CheapestSet): Solution {
  const providers = new Map([...served].map(([{ name }, { provider }]) => [name, provider]));
  const neededBy = labelsByName([...problem.roots, ...providers.values()]);
  const values = [...served.values()].toSorted((a, b) => (a.name.name < b.name.name ? -1 : 1));
  return {
    kind: 'solution',
    loader: loader.candidate,
    choices: values
      .filter((value) => !value.loader)
      .map(({ name: { name }, provider }) => ({ name, provider, neededBy: neededBy.get(name) ?? [] })),
    familyNames: values.filter((value) => value.loader).map(({ name }) => name.name),
    cost,
    undefinedSymbols: undefinedSymbolsIn(problem, loader.candidate, providers),
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
