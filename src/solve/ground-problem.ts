// A Problem -> boolean variables and clauses, grown only where the search has been.

import type { Problem } from '../candidates/problem.ts';
import { compareRanks } from '../candidates/rank.ts';
import { addClause, createKernel, negative, newVariable, positive } from './clause-kernel.ts';
import { groundRequirer } from './ground-requirer.ts';
import { groundSoname } from './ground-soname.ts';
import { constrain, type Grounding, type LoaderNode } from './grounding.ts';
import { sameFile } from './objective.ts';

/** Sets up loaders and roots; everything else is added when the search first assumes it. */
export function groundProblem(
  problem: Problem,
  only?: ReadonlySet<string>,
  tolerated: Grounding['tolerated'] = 'all',
): Grounding {
  const kernel = createKernel((variable) => groundVariable(g, variable));
  const always = newVariable(kernel);
  const ranked = problem.loaders.toSorted((a, b) => compareRanks(a.rank, b.rank));
  const loaders = ranked.map((candidate) => ({ variable: newVariable(kernel), candidate }));
  const g: Grounding = {
    problem,
    kernel,
    always,
    names: new Map(),
    loaders,
    values: [],
    constraints: [],
    rootNeeds: [],
    aliases: new Map(),
    chosen: new Map(),
    only,
    tolerated,
  };
  const group = loaders.map((loader) => loader.variable);
  for (const variable of group) kernel.group[variable] = group;
  addClause(kernel, [positive(always)], -1);
  return g;
}

function groundVariable(g: Grounding, variable: number): void {
  if (variable === g.always) groundRoots(g);
  const value = g.values[variable];
  if (!value) return;
  groundSoname(g, value);
  groundRequirer(g, value.provider, variable, value.needs);
}

function groundRoots(g: Grounding): void {
  const lits = g.loaders.map((loader) => positive(loader.variable));
  addClause(g.kernel, lits, -1);
  for (const loader of g.loaders) groundLoader(g, loader);
  for (const root of g.problem.roots) groundRequirer(g, root, g.always, g.rootNeeds);
}

function groundLoader(g: Grounding, loader: LoaderNode): void {
  const { problem } = g;
  const against = [negative(g.always), negative(loader.variable)];
  const family = [...loader.candidate.family];
  for (const [name, provider] of family) {
    const path = problem.pins?.get(name);
    if (path !== undefined && !sameFile(provider, path)) {
      constrain(g, [...against], { kind: 'pinned', name, path });
    }
  }
  if (family.some(([, provider]) => problem.excluded?.(provider))) {
    const { path } = loader.candidate;
    constrain(g, against, { kind: 'excluded', name: path, paths: [path] });
  }
}
