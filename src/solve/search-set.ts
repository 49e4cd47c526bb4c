// A grounded problem, one loader and cost bounds -> the first set in load order that keeps them, or none.
import {
  backtrack,
  type Clause,
  decide,
  decisionLevel,
  type Literal,
  negative,
  positive,
  propagate,
} from './clause-kernel.ts';
import type { Grounding, LoaderNode, NameNode } from './ground-problem.ts';
import { learn } from './learn-clause.ts';
import { advance, createWalk, mark, rewind, type Walk } from './load-walk.ts';
import { type CostKind, localCost } from './objective.ts';

/** "This cost is at most `max`", in force while `variable` is true. */
export interface Bound {
  readonly variable: number;
  readonly kind: CostKind;
  readonly max: number;
}

export type SearchResult =
  | { readonly kind: 'found'; readonly walk: Walk }
  | { readonly kind: 'none' }
  | { readonly kind: 'limit' };

/**
 * Complete unless `stepLimit`, counted by `kernel.steps`, is reached. The set found is the first one in load order:
 * each name has the cheapest provider (objective.ts) that the choices before it leave possible.
 */
export function searchSet(
  g: Grounding,
  loader: LoaderNode,
  bounds: readonly Bound[],
  stepLimit: number,
): SearchResult {
  const { kernel } = g;
  const assumed = [...bounds.map((bound) => positive(bound.variable)), positive(loader.variable)];
  const walk = createWalk(g, loader);
  if (kernel.refuted) return { kind: 'none' };
  backtrack(kernel, 0);
  for (;;) {
    let conflict = propagate(kernel);
    if (!conflict && decisionLevel(kernel) < assumed.length) {
      const lit = assumed[decisionLevel(kernel)] as Literal;
      if (kernel.value[lit] === -1) return { kind: 'none' };
      mark(walk);
      decide(kernel, kernel.value[lit] === 1 ? undefined : lit);
      continue;
    }
    let open: NameNode | undefined;
    if (!conflict) {
      open = advance(walk);
      conflict = exceeded(walk, bounds);
    }
    if (conflict) {
      if (!learn(kernel, conflict)) return { kind: 'none' };
      rewind(walk, decisionLevel(kernel));
      if (kernel.steps > stepLimit) return { kind: 'limit' };
      continue;
    }
    if (!open) return { kind: 'found', walk };
    mark(walk);
    decide(kernel, cheapest(walk, open));
  }
}

function cheapest(walk: Walk, node: NameNode): Literal {
  const { kernel } = walk.g;
  const wanted = walk.wants.get(node) ?? [];
  const loader = walk.loader.candidate;
  let best: Literal | undefined;
  let bestCost = Number.POSITIVE_INFINITY;
  kernel.steps += node.values.length * (1 + wanted.length);
  for (const value of node.values) {
    const lit = positive(value.variable);
    if (kernel.value[lit] !== 0) continue;
    const cost = localCost(value, loader, wanted);
    if (cost >= bestCost) continue;
    best = lit;
    bestCost = cost;
  }
  if (best === undefined) throw new Error(`no open value for ${node.name}`);
  return best;
}

/** A clause that is false because the visited part of the set already costs too much. */
function exceeded(walk: Walk, bounds: readonly Bound[]): Clause | undefined {
  for (const bound of bounds) {
    const causes = walk.causes[bound.kind];
    if (causes.length <= bound.max) continue;
    const lits = new Set(causes.slice(0, bound.max + 1).flat());
    lits.add(negative(bound.variable)).add(negative(walk.loader.variable));
    return { lits: [...lits], tag: -1, from: [] };
  }
  return undefined;
}
