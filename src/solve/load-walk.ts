// The assignment so far -> the names in load order, what they cost, and the first one that is still open.
import { type Literal, negative, positive } from './clause-kernel.ts';
import type { Grounding, LoaderNode, NameNode, Value } from './grounding.ts';
import { type CostKind, isClosest, isForeign, overrides } from './objective.ts';
import type { SolutionCost } from './solution.ts';

interface Want {
  readonly path: string;
  readonly by: Value;
}

/** For one cost, the literals that cause it, one group per unit. */
type Causes = Literal[][];

export interface Walk {
  readonly g: Grounding;
  readonly loader: LoaderNode;
  /** Breadth first, as ld.so loads; names before `visited` are served. */
  readonly order: NameNode[];
  readonly known: Set<NameNode>;
  readonly wants: Map<NameNode, Want[]>;
  readonly served: Map<NameNode, Value>;
  readonly causes: { readonly [kind in CostKind]: Causes };
  readonly marks: Mark[];
  visited: number;
}

interface Mark {
  readonly visited: number;
  readonly order: number;
  readonly causes: { readonly [kind in CostKind]: number };
}

export function createWalk(g: Grounding, loader: LoaderNode): Walk {
  return {
    g,
    loader,
    order: [],
    known: new Set(),
    wants: new Map(),
    served: new Map(),
    causes: { closest: [], foreign: [], overrides: [] },
    marks: [],
    visited: 0,
  };
}

/** Remembers the state before a decision is made. */
export function mark(w: Walk): void {
  const { closest, foreign, overrides } = w.causes;
  w.marks.push({
    visited: w.visited,
    order: w.order.length,
    causes: { closest: closest.length, foreign: foreign.length, overrides: overrides.length },
  });
}

/** Returns to the state before the decision that opened the level above `level`. */
export function rewind(w: Walk, level: number): void {
  const to = w.marks[level];
  if (!to) return;
  w.marks.length = level;
  while (w.visited > to.visited) {
    const node = w.order[--w.visited] as NameNode;
    const value = w.served.get(node);
    if (!value) continue;
    w.served.delete(node);
    for (const need of value.needs) if (value.provider.ownChoice.has(need.name)) w.wants.get(need)?.pop();
  }
  while (w.order.length > to.order) w.known.delete(w.order.pop() as NameNode);
  for (const kind of ['closest', 'foreign', 'overrides'] as const) w.causes[kind].length = to.causes[kind];
}

/**
 * Goes on in load order to the first name that no value serves yet; undefined at the end. A name that none can serve
 * is passed over: that it must be served is a constraint, and it was dropped.
 */
export function advance(w: Walk): NameNode | undefined {
  if (!w.order.length) discover(w, w.g.rootNeeds);
  for (let node = w.order[w.visited]; node; node = w.order[w.visited]) {
    let value: Value | undefined;
    let open = false;
    for (const candidate of node.values) {
      const state = w.g.kernel.value[positive(candidate.variable)];
      w.g.kernel.steps++;
      if (state === 0) open = true;
      if (state !== 1) continue;
      value = candidate;
      break;
    }
    if (!value && open) return node;
    w.visited++;
    if (!value) continue;
    w.served.set(node, value);
    count(w, node, value);
    discover(w, value.needs);
  }
  return undefined;
}

function discover(w: Walk, needs: readonly NameNode[]): void {
  for (const need of needs) {
    if (w.known.has(need)) continue;
    w.known.add(need);
    w.order.push(need);
  }
}

function count(w: Walk, node: NameNode, value: Value): void {
  const self = negative(value.variable);
  if (!value.loader) {
    if (isClosest(value.provider)) w.causes.closest.push([self]);
    if (isForeign(value.provider, w.loader.candidate)) w.causes.foreign.push([self]);
    for (const want of w.wants.get(node) ?? []) {
      if (overrides(value, want.path)) {
        w.causes.overrides.push([self, negative(want.by.variable)]);
      }
    }
  }
  for (const need of value.needs) {
    const path = value.provider.ownChoice.get(need.name);
    if (path === undefined) continue;
    const wants = w.wants.get(need);
    if (wants) wants.push({ path, by: value });
    else w.wants.set(need, [{ path, by: value }]);
    const server = w.served.get(need);
    if (server && !server.loader && overrides(server, path)) {
      w.causes.overrides.push([self, negative(server.variable)]);
    }
  }
}

/** What the visited part of the set costs. */
export function costOf({ causes }: Walk): SolutionCost {
  const { closest, foreign, overrides } = causes;
  return { closest: closest.length, foreign: foreign.length, overrides: overrides.length };
}
