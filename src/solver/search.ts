// An encoded problem, one loader and cost bounds → the first set in load order within these bounds, or none. A whole
// set in which ld.so would not find a symbol becomes a clause that is false.

import type { Provider, Requirer } from '../candidates/problem.ts';
import { type Constraint, constraintKey } from './constraint.ts';
import type { Encoding, LoaderNode, NameNode, Value } from './encode.ts';
import { type CostKind, isClosest, isForeign, localCost, overrides } from './objective.ts';
import {
  backtrack,
  type Clause,
  decide,
  decisionLevel,
  type Literal,
  learn,
  negative,
  positive,
  propagate,
} from './sat.ts';
import type { SolutionCost } from './solution.ts';
import { loadedObjects, type UnboundReference, unboundReferences } from './undefined-symbols.ts';
import { isNeededBy, namesLoadedBy } from './version-needs.ts';

/** "This cost is at most `max`", in force while `variable` is true. It may be lowered while a search goes on. */
export interface Bound {
  readonly variable: number;
  readonly kind: CostKind;
  max: number;
}

interface SetSearch {
  readonly loadOrder: LoadOrder;
  readonly bounds: readonly Bound[];
  /** Decided before anything else: the bounds and the loader. */
  readonly assumed: readonly Literal[];
}

export function createSearch(g: Encoding, loader: LoaderNode, bounds: readonly Bound[]): SetSearch {
  backtrack(g.sat, 0);
  const assumed = [...bounds.map((bound) => positive(bound.variable)), positive(loader.variable)];
  return { loadOrder: createLoadOrder(g, loader), bounds, assumed };
}

/**
 * Continues until all needed names have a provider (`found`), or no set is left. Finds the first set in load order:
 * each name has the cheapest provider (objective.ts) that the choices before it allow. May be run again after a bound
 * was lowered: it continues after the last set, since no earlier one costs less. Complete unless `sat.steps` exceeds
 * `stepLimit`. Only the newest search of an encoding can run.
 */
export function runSearch(search: SetSearch, stepLimit: number): 'found' | 'none' | 'limit' {
  const { loadOrder, bounds, assumed } = search;
  const { sat } = loadOrder.g;
  if (sat.refuted) return 'none';
  for (;;) {
    if (sat.steps > stepLimit) return 'limit';
    let conflict = propagate(sat);
    const level = decisionLevel(sat);
    if (!conflict && level < assumed.length) {
      const lit = assumed[level] as Literal;
      if (sat.value[lit] === -1) return 'none';
      mark(loadOrder);
      decide(sat, sat.value[lit] === 1 ? undefined : lit);
      continue;
    }
    const open = conflict ? undefined : advance(loadOrder);
    conflict ??= exceeded(loadOrder, bounds);
    if (!conflict && !open) conflict = unboundSymbol(loadOrder);
    if (conflict) {
      if (!learn(sat, conflict)) return 'none';
      rewind(loadOrder, decisionLevel(sat));
      continue;
    }
    if (!open) return 'found';
    mark(loadOrder);
    decide(sat, cheapest(loadOrder, open));
  }
}

function cheapest(loadOrder: LoadOrder, node: NameNode): Literal {
  const { sat } = loadOrder.g;
  const wanted = loadOrder.wants.get(node) ?? [];
  const loader = loadOrder.loader.candidate;
  let best: Literal | undefined;
  let bestCost = Number.POSITIVE_INFINITY;
  for (const value of node.values) {
    const lit = positive(value.variable);
    if (sat.value[lit] !== 0) continue;
    const cost = localCost(value, loader, wanted);
    sat.steps += 1 + wanted.length;
    if (cost >= bestCost) continue;
    best = lit;
    bestCost = cost;
    if (cost === 0) break;
  }
  if (best === undefined) throw new Error(`no open value for ${node.name}`);
  return best;
}

/** A clause that is false because the visited part of the set already costs too much. */
function exceeded(loadOrder: LoadOrder, bounds: readonly Bound[]): Clause | undefined {
  for (const bound of bounds) {
    const causes = loadOrder.causes[bound.kind];
    if (causes.length <= bound.max) continue;
    const lits = new Set(causes.slice(0, bound.max + 1).flat());
    lits.add(negative(bound.variable)).add(negative(loadOrder.loader.variable));
    return { lits: [...lits], tag: -1, from: [] };
  }
  return undefined;
}

interface Want {
  readonly path: string;
  readonly by: Value;
}

/** For one cost, the literals that cause it, one group per unit. */
type Causes = Literal[][];

export interface LoadOrder {
  readonly g: Encoding;
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

export function createLoadOrder(g: Encoding, loader: LoaderNode): LoadOrder {
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
function mark(w: LoadOrder): void {
  const { closest, foreign, overrides } = w.causes;
  w.marks.push({
    visited: w.visited,
    order: w.order.length,
    causes: { closest: closest.length, foreign: foreign.length, overrides: overrides.length },
  });
}

/** Returns to the state before the decision that opened the level above `level`. */
export function rewind(w: LoadOrder, level: number): void {
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
export function advance(w: LoadOrder): NameNode | undefined {
  if (!w.order.length) discover(w, w.g.rootNeeds);
  for (let node = w.order[w.visited]; node; node = w.order[w.visited]) {
    let value: Value | undefined;
    let open = false;
    for (const candidate of node.values) {
      const state = w.g.sat.value[positive(candidate.variable)];
      w.g.sat.steps++;
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

function discover(w: LoadOrder, needs: readonly NameNode[]): void {
  for (const need of needs) {
    if (w.known.has(need)) continue;
    w.known.add(need);
    w.order.push(need);
  }
}

function count(w: LoadOrder, node: NameNode, value: Value): void {
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
export function costOf({ causes }: LoadOrder): SolutionCost {
  const { closest, foreign, overrides } = causes;
  return { closest: closest.length, foreign: foreign.length, overrides: overrides.length };
}

type UnboundConstraint = Extract<Constraint, { kind: 'unbound-symbol' }>;

/** The references of the walk's set that nobody in it defines. */
function unboundInOrder(w: LoadOrder): Iterable<UnboundReference> {
  if (w.g.problem.symbols === undefined) return [];
  const served = new Map([...w.served].map(([{ name }, { provider }]) => [name, provider]));
  return unboundReferences(w.g.problem, w.loader.candidate, served);
}

/**
 * What is bound at the start must be defined. What is bound when it is called should be, if that is possible at all and
 * was not given up: many libraries leave such references to plugins, or never make the call. After a root that no set
 * serves the other such roots are noted too.
 */
function unboundSymbol(w: LoadOrder): Clause | undefined {
  const { problem, tolerated, only, constraints } = w.g;
  let unserved: Clause | undefined;
  const roots = new Set<string>();
  for (const { by, symbol } of unboundInOrder(w)) {
    if (roots.has(by.path)) continue;
    const when = problem.symbols?.boundAt(by.path, symbol) ?? 'never';
    if (when === 'never' || (when === 'call' && tolerated === 'all')) continue;
    const unnamed = { kind: 'unbound-symbol', by, symbol, when, definers: [], lackingLibraries: [] } as const;
    const key = constraintKey(unnamed);
    if (when === 'call' ? tolerated !== 'all' && tolerated.has(key) : only && !only.has(key)) continue;
    const loaded = loadedAs(w, by);
    if (unserved !== undefined && (when === 'call' || loaded.length > 0)) continue;
    const helpful = helpfulOffers(w, symbol);
    if (when === 'call' && helpful.lits.length === 0) continue;
    const lits = [...loaded, ...helpful.lits];
    if (unserved !== undefined && lits.length > 0) continue;
    const { definers } = helpful;
    const constraint: UnboundConstraint = {
      ...unnamed,
      definers,
      lackingLibraries: lackingOf(w, by, symbol),
    };
    const clause = { lits, tag: constraints.push(constraint) - 1, from: [] };
    if (lits.length > 0 || only !== undefined) return clause;
    unserved ??= clause;
    roots.add(by.path);
  }
  return unserved;
}

/** The literal that is false because the object is loaded; none for a root, and what beside it a root needs. */
function loadedAs(w: LoadOrder, by: Requirer): Literal[] {
  const { roots, bundled } = w.g.problem;
  const names = [...bundled].flatMap(([name, { path }]) => (path === by.path ? [name] : []));
  const loads = (each: Requirer) => each.path === by.path || names.some((name) => isNeededBy(each, name));
  if (roots.some(loads)) return [];
  const value = [...w.served.values()].find(({ provider }) => loads(provider));
  return value === undefined ? [] : [negative(value.variable)];
}

/**
 * Where the symbol was to be expected: in what the object needs, and there in libraries with its version, or in those
 * without versions.
 */
function lackingOf(w: LoadOrder, by: Requirer, symbol: string): UnboundConstraint['lackingLibraries'] {
  const needed = [...w.served].filter(([{ name }, value]) => !value.loader && by.needed.includes(name));
  const [, version] = symbol.split('@');
  const likely = needed.filter(([, { provider }]) =>
    version === undefined ? !provider.hasVerdef : provider.verdef.includes(version),
  );
  return (likely.length > 0 ? likely : needed).map(([{ name }, { provider }]) => ({
    name,
    offeredBy: provider.path,
    offeredIn: provider.storePath,
  }));
}

interface HelpfulOffers {
  /** All false in the set: other providers of its names, other loaders. */
  readonly lits: readonly Literal[];
  /** Files that define the symbol and could be loaded. */
  readonly definers: readonly string[];
}

/**
 * A set that loads a definition differs from this one: follow the needs from the roots to that definition, and there
 * is a last name that
 * both sets need. The other set serves it by another provider, and from there only names lead on that this
 * set does not have. So it makes one of these choices, and whoever makes none of them has no definition.
 */
function helpfulOffers(w: LoadOrder, symbol: string): HelpfulOffers {
  const { problem } = w.g;
  // Also names that this loader's family does not have, where that was allowed to be.
  const needed = new Set([...w.known].map(({ name }) => name));
  const definers = new Set<string>();
  const defines = (offer: Requirer): boolean => {
    const found = problem.symbols?.definedBy(offer.path, symbol) ?? false;
    if (found) definers.add(offer.path);
    return found;
  };
  const served = [...w.served.values()].map(({ provider }) => provider);
  const loaded = new Set(loadedObjects(problem, served).map(({ path }) => path));
  for (const [name, { path }] of problem.bundled) if (loaded.has(path)) needed.add(name);
  const newNeeds = (offer: Requirer): string[] =>
    namesLoadedBy(offer, problem.bundled).filter((name) => !needed.has(name));

  const offersOf = (name: string): readonly Requirer[] => {
    const bundled = problem.bundled.get(name);
    if (bundled !== undefined) return [bundled];
    return problem.isFamily(name)
      ? w.g.loaders.flatMap(({ candidate }) => candidate.family.get(name) ?? [])
      : problem.providersOf(name);
  };
  const others = [...w.served].flatMap(([node, chosen]) =>
    node.values.filter((value) => value !== chosen && !value.loader),
  );
  const otherLoaders = w.g.loaders.filter((loader) => loader !== w.loader);
  const familyOf = (loader: LoaderNode): Provider[] =>
    [...loader.candidate.family].flatMap(([name, offer]) => (needed.has(name) ? [offer] : []));

  const first = [...others.map(({ provider }) => provider), ...otherLoaders.flatMap(familyOf)];
  const leading = namesLeadingTo(first.flatMap(newNeeds), offersOf, newNeeds, defines);
  const helps = (offer: Requirer) => defines(offer) || newNeeds(offer).some((name) => leading.has(name));
  const values = others.filter(({ provider }) => helps(provider));
  // Each loader brings itself, too, which is the family's only member in musl.
  const definesItself = ({ candidate: { path } }: LoaderNode): boolean => {
    const found = problem.symbols?.definedBy(path, symbol) ?? false;
    if (found) definers.add(path);
    return found;
  };
  const loaders = otherLoaders.filter((loader) => familyOf(loader).some(helps) || definesItself(loader));
  w.g.sat.steps += others.length;
  return {
    lits: [...values, ...loaders].map(({ variable }) => positive(variable)),
    definers: [...definers].sort(),
  };
}

/** Of all names that can be reached from some, those that a definition can be reached from. */
function namesLeadingTo(
  from: readonly string[],
  offersOf: (name: string) => readonly Requirer[],
  newNeeds: (offer: Requirer) => readonly string[],
  defines: (offer: Requirer) => boolean,
): ReadonlySet<string> {
  const neededFor = new Map<string, string[]>();
  const leading = new Set<string>();
  const reached = new Set(from);
  for (const name of reached) {
    for (const offer of offersOf(name)) {
      if (defines(offer)) leading.add(name);
      for (const need of newNeeds(offer)) {
        reached.add(need);
        neededFor.set(need, [...(neededFor.get(need) ?? []), name]);
      }
    }
  }
  for (const name of leading) for (const needer of neededFor.get(name) ?? []) leading.add(needer);
  return leading;
}
