// A grounded problem and a loader -> what every set under that loader costs at least.
import { backtrack, decide, type Kernel, positive } from './clause-kernel.ts';
import type { Grounding, LoaderNode, NameNode, Value } from './grounding.ts';
import { learn } from './learn-clause.ts';
import { isClosest, isForeign } from './objective.ts';
import { propagate } from './propagate.ts';
import { isNeededBy, needsOf } from './version-needs.ts';

export interface LowerBound {
  readonly closest: number;
  readonly foreign: number;
  /** Names reached so far that nothing built with this loader's libc serves: an estimate, not a bound. */
  readonly likelyForeign: number;
}

/** Undefined when no set exists under this loader. Reads no providers that the search has not read. */
export function lowerBound(g: Grounding, loader: LoaderNode): LowerBound | undefined {
  const { kernel } = g;
  const { candidate } = loader;
  const lit = positive(loader.variable);
  backtrack(kernel, 0);
  if (kernel.refuted || !settled(kernel) || kernel.value[lit] === -1) return undefined;
  if (kernel.value[lit] === 0) decide(kernel, lit);
  if (!settled(kernel)) return undefined;
  const possible = (node: NameNode) =>
    node.values.filter(({ variable }) => kernel.value[positive(variable)] !== -1);
  const all = (cost: (value: Value) => boolean) => (node: NameNode) => {
    const values = possible(node).filter((value) => !value.loader);
    return values.length > 0 && values.every(cost);
  };
  const closest = all(({ provider }) => isClosest(provider));
  const foreign = all(({ provider }) => isForeign(provider, candidate));
  const sure = sureNames(g, possible);
  const bound = {
    closest: sure.filter(closest).length,
    foreign: sure.filter(foreign).length,
    likelyForeign: [...g.names.values()].filter(foreign).length,
  };
  backtrack(kernel, 0);
  return bound;
}

/** Draws all consequences; false if there was a conflict, which has been learned from. */
function settled(kernel: Kernel): boolean {
  const conflict = propagate(kernel);
  if (conflict) learn(kernel, conflict);
  return !conflict;
}

/** Names that are needed whatever is chosen: by a root, or by all that can serve a name that is needed so. */
function sureNames(g: Grounding, possible: (node: NameNode) => readonly Value[]): NameNode[] {
  const sure = new Set(g.rootNeeds);
  for (const node of sure) {
    const values = possible(node);
    for (const name of values.length === node.values.length ? neededByEach(node) : commonNeeds(values)) {
      const need = g.problem.bundled.has(name) ? undefined : g.names.get(name);
      if (need) sure.add(need);
    }
    g.kernel.steps += node.values.length;
  }
  return [...sure];
}

const commonNeedsOf = new WeakMap<NameNode, readonly string[]>();

/** What all providers of a name need: asked again for every loader, and mostly the same. */
function neededByEach(node: NameNode): readonly string[] {
  const known = commonNeedsOf.get(node) ?? commonNeeds(node.values);
  commonNeedsOf.set(node, known);
  return known;
}

function commonNeeds(values: readonly Value[]): string[] {
  const [first, ...others] = values.map(({ provider }) => provider);
  const names = first ? [...needsOf(first).keys()] : [];
  return names.filter((name) => others.every((other) => isNeededBy(other, name)));
}
