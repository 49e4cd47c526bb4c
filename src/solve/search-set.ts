// A grounded problem, one loader and cost bounds -> the first set in load order that keeps them, or none.
import { unboundSymbol } from './bind-symbols.ts';
import {
  backtrack,
  type Clause,
  decide,
  decisionLevel,
  type Literal,
  negative,
  positive,
} from './clause-kernel.ts';
import type { Grounding, LoaderNode, NameNode } from './grounding.ts';
import { learn } from './learn-clause.ts';
import { advance, createWalk, mark, rewind, type Walk } from './load-walk.ts';
import { type CostKind, localCost } from './objective.ts';
import { propagate } from './propagate.ts';

/** "This cost is at most `max`", in force while `variable` is true. It may be lowered while a search goes on. */
export interface Bound {
  readonly variable: number;
  readonly kind: CostKind;
  max: number;
}

export interface Search {
  readonly walk: Walk;
  readonly bounds: readonly Bound[];
  /** Decided before anything else: the bounds and the loader. */
  readonly assumed: readonly Literal[];
}

export function createSearch(g: Grounding, loader: LoaderNode, bounds: readonly Bound[]): Search {
  backtrack(g.kernel, 0);
  const assumed = [...bounds.map((bound) => positive(bound.variable)), positive(loader.variable)];
  return { walk: createWalk(g, loader), bounds, assumed };
}

/**
 * Goes on until the walk is a whole set (`found`), or there is none. The set found is the first one in load order: each
 * name has the cheapest provider (objective.ts) that the choices before it leave possible. After a bound was lowered
 * the search can be run again: it goes on behind the set it had found, since no set before that costs less.
 * Complete unless `stepLimit`, compared with `kernel.steps`, is reached. Only the newest search of a grounding can run.
 */
export function runSearch(search: Search, stepLimit: number): 'found' | 'none' | 'limit' {
  const { walk, bounds, assumed } = search;
  const { kernel } = walk.g;
  if (kernel.refuted) return 'none';
  for (;;) {
    if (kernel.steps > stepLimit) return 'limit';
    let conflict = propagate(kernel);
    const level = decisionLevel(kernel);
    if (!conflict && level < assumed.length) {
      const lit = assumed[level] as Literal;
      if (kernel.value[lit] === -1) return 'none';
      mark(walk);
      decide(kernel, kernel.value[lit] === 1 ? undefined : lit);
      continue;
    }
    const open = conflict ? undefined : advance(walk);
    conflict ??= exceeded(walk, bounds);
    if (!conflict && !open) conflict = unboundSymbol(walk);
    if (conflict) {
      if (!learn(kernel, conflict)) return 'none';
      rewind(walk, decisionLevel(kernel));
      continue;
    }
    if (!open) return 'found';
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
  for (const value of node.values) {
    const lit = positive(value.variable);
    if (kernel.value[lit] !== 0) continue;
    const cost = localCost(value, loader, wanted);
    kernel.steps += 1 + wanted.length;
    if (cost >= bestCost) continue;
    best = lit;
    bestCost = cost;
    if (cost === 0) break;
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
