// A Problem -> one coherent Solution, or the Conflict that excludes every set. Pure and deterministic.
import { newVariable } from './clause-kernel.ts';
import { type Grounding, groundProblem, type LoaderNode } from './ground-problem.ts';
import type { Walk } from './load-walk.ts';
import { minimalConflict } from './minimal-conflict.ts';
import { type CostKind, cheaperLoader } from './objective.ts';
import type { Problem } from './problem.ts';
import { type Bound, searchSet } from './search-set.ts';
import type { Conflict, Solution, SolutionCost, Undecided } from './solution.ts';

/** Work allowed in all (some seconds), and for making one cost of a set smaller (some hundredths of a second). */
export interface Effort {
  readonly steps: number;
  readonly improveSteps: number;
}

const usualEffort: Effort = { steps: 40_000_000, improveSteps: 400_000 };

interface Found {
  readonly walk: Walk;
  readonly cost: SolutionCost;
  readonly bounds: readonly Bound[];
  readonly proven: boolean;
}

/** The best set (objective.ts, NOTES.md), a minimal conflict, or `undecided` when the step limit was reached. */
export function solve(problem: Problem, effort: Effort = usualEffort): Solution | Conflict | Undecided {
  const g = groundProblem(problem);
  let best: Found | undefined;
  for (const loader of g.loaders) {
    const result = searchSet(g, loader, [], effort.steps);
    if (result.kind === 'limit') {
      if (best) return solution({ ...best, proven: false });
      return { kind: 'undecided', steps: g.kernel.steps };
    }
    if (result.kind === 'none') continue;
    const first: Found = { walk: result.walk, cost: costOf(result.walk), bounds: [], proven: true };
    const found = improve(g, loader, improve(g, loader, first, 'closest', effort), 'foreign', effort);
    if (!best || cheaperLoader(found.cost, best.cost)) best = { ...found, proven: found.proven };
    if (best.cost.closest === 0 && best.cost.foreign === 0) break;
  }
  if (!best) return minimalConflict(problem, effort.steps);
  return solution(improve(g, best.walk.loader, best, 'overrides', effort));
}

/** Asks for less and less until there is nothing, or the effort is spent; then holds the cost where it is. */
function improve(g: Grounding, loader: LoaderNode, start: Found, kind: CostKind, effort: Effort): Found {
  const limit = g.kernel.steps + effort.improveSteps;
  let { walk, cost, proven } = start;
  while (cost[kind] > 0) {
    const tighter = bound(g, kind, cost[kind] - 1);
    const result = searchSet(g, loader, [...start.bounds, tighter], Math.min(limit, effort.steps));
    if (result.kind === 'limit') proven = false;
    if (result.kind !== 'found') break;
    walk = result.walk;
    cost = costOf(walk);
  }
  return { walk, cost, proven, bounds: [...start.bounds, bound(g, kind, cost[kind])] };
}

function bound(g: Grounding, kind: CostKind, max: number): Bound {
  return { variable: newVariable(g.kernel), kind, max };
}

function costOf({ causes }: Walk): SolutionCost {
  return {
    closest: causes.closest.length,
    foreign: causes.foreign.length,
    overrides: causes.overrides.length,
  };
}

function solution({ walk, cost, proven }: Found): Solution {
  const neededBy = labelsByName(walk);
  const names = walk.order.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return {
    kind: 'solution',
    loader: walk.loader.candidate,
    choices: names.flatMap((node) => {
      const value = walk.served.get(node);
      if (!value || value.loader) return [];
      return [{ name: node.name, provider: value.provider, neededBy: neededBy.get(node.name) ?? [] }];
    }),
    familyNames: names.filter((node) => walk.served.get(node)?.loader).map((node) => node.name),
    cost,
    proven,
  };
}

function labelsByName(walk: Walk): Map<string, string[]> {
  const labels = new Map<string, Set<string>>();
  const objects = [...walk.g.problem.roots, ...[...walk.served.values()].map((value) => value.provider)];
  for (const object of objects) {
    for (const name of object.needed) {
      const set = labels.get(name);
      if (set) set.add(object.label);
      else labels.set(name, new Set([object.label]));
    }
  }
  return new Map([...labels].map(([name, set]) => [name, [...set].sort()]));
}
