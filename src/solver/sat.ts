// Clauses over boolean variables → an assignment, by propagation and learned clauses, or a refutation (CDCL).

/** Variable v is 2v when true and 2v+1 when false. */
export type Literal = number;

export interface Clause {
  readonly lits: Literal[];
  /** What the caller knows it by; -1 for clauses that nobody asks about. */
  readonly tag: number;
  /** The clauses a learned one was derived from. */
  readonly from: readonly Clause[];
}

export interface SatSolver {
  /** By literal: 1 true, -1 false, 0 open. */
  readonly value: number[];
  /** By variable. */
  readonly level: number[];
  /** By variable: the clause it follows from; its other literals are all false. */
  readonly reason: (Clause | undefined)[];
  readonly watches: Clause[][];
  /** By variable: variables of which at most one is true. */
  readonly group: (readonly number[] | undefined)[];
  /** By variable: why the others of its group are false when it is true. */
  readonly exclusion: Clause[];
  readonly grounded: boolean[];
  readonly trail: Literal[];
  readonly levelStart: number[];
  /** Called once per variable, when it first becomes true: the time to add the clauses that follow from it. */
  readonly ground: (variable: number) => void;
  head: number;
  /** A clause that was false when it was added. */
  pending: Clause | undefined;
  /** The clause that is false with no decision left: there is no model. */
  refuted: Clause | undefined;
  /** Deterministic measure of work: clauses and literals looked at. */
  steps: number;
}

export const positive = (variable: number): Literal => variable * 2;
export const negative = (variable: number): Literal => variable * 2 + 1;
const variableOf = (lit: Literal): number => lit >> 1;
const levelOf = (k: SatSolver, lit: Literal): number => k.level[lit >> 1] as number;

/** @param ground adds the clauses that follow from a variable's truth; each must contain its negation. */
export function createSat(ground: (variable: number) => void): SatSolver {
  return {
    value: [],
    level: [],
    reason: [],
    watches: [],
    group: [],
    exclusion: [],
    grounded: [],
    trail: [],
    levelStart: [],
    ground,
    head: 0,
    pending: undefined,
    refuted: undefined,
    steps: 0,
  };
}

export function newVariable(k: SatSolver): number {
  k.value.push(0, 0);
  k.watches.push([], []);
  k.reason.push(undefined);
  k.group.push(undefined);
  k.exclusion.push({ lits: [negative(k.reason.length - 1)], tag: -1, from: [] });
  k.grounded.push(false);
  return k.level.push(0) - 1;
}

export const decisionLevel = (k: SatSolver): number => k.levelStart.length;

/** Makes an open literal true at the current level. */
function assign(k: SatSolver, lit: Literal, reason: Clause | undefined): void {
  k.value[lit] = 1;
  k.value[lit ^ 1] = -1;
  k.level[variableOf(lit)] = k.levelStart.length;
  k.reason[variableOf(lit)] = reason;
  k.trail.push(lit);
}

/** Opens a decision level with `lit` true; `undefined` opens an empty one. */
export function decide(k: SatSolver, lit: Literal | undefined): void {
  k.levelStart.push(k.trail.length);
  if (lit !== undefined) assign(k, lit, undefined);
}

/** Forgets every assignment made above `level`. */
export function backtrack(k: SatSolver, level: number): void {
  if (k.levelStart.length <= level) return;
  const start = k.levelStart[level] as number;
  for (let i = k.trail.length - 1; i >= start; i--) {
    const lit = k.trail[i] as Literal;
    k.value[lit] = 0;
    k.value[lit ^ 1] = 0;
  }
  k.trail.length = start;
  k.levelStart.length = level;
  k.head = start;
  k.pending = undefined;
}

/** Puts in front what is safest to watch: an open or true literal, else the one that became false last. */
function bringForward(k: SatSolver, lits: Literal[], position: number): void {
  let best = position;
  let bestLevel = -1;
  for (let i = position; i < lits.length; i++) {
    const lit = lits[i] as Literal;
    const level = k.value[lit] === -1 ? levelOf(k, lit) : Number.POSITIVE_INFINITY;
    if (level <= bestLevel) continue;
    best = i;
    bestLevel = level;
    if (level === Number.POSITIVE_INFINITY) break;
  }
  const front = lits[position] as Literal;
  lits[position] = lits[best] as Literal;
  lits[best] = front;
}

/**
 * Adds a clause at any time; `from` names those it follows from, if it says nothing new. A consequence is drawn at
 * once only if it belongs to the current level; an older one is
 * found when the clause becomes false, so that levels on the trail stay in order.
 */
export function addClause(k: SatSolver, lits: Literal[], tag: number, from: readonly Clause[] = []): Clause {
  const clause: Clause = { lits, tag, from };
  if (lits.length > 1) {
    bringForward(k, lits, 0);
    bringForward(k, lits, 1);
    (k.watches[lits[0] as Literal] as Clause[]).push(clause);
    (k.watches[lits[1] as Literal] as Clause[]).push(clause);
  }
  const first = lits[0] as Literal;
  if (k.value[first] === -1) {
    // One literal is not watched: unless this is what is learned from now, nothing would ever find it again.
    if (lits.length === 1) k.pending = clause;
    else k.pending ??= clause;
  } else if (k.value[first] === 0) {
    const second = lits[1];
    const now = k.levelStart.length;
    if (second === undefined ? now === 0 : k.value[second] === -1 && levelOf(k, second) === now) {
      assign(k, first, clause);
    }
  }
  return clause;
}

/** Draws every consequence. Returns the clause that became false, if any. */
export function propagate(k: SatSolver): Clause | undefined {
  while (k.head < k.trail.length) {
    const lit = k.trail[k.head++] as Literal;
    const conflict = settle(k, lit);
    if (conflict) return conflict;
  }
  return undefined;
}

function settle(k: SatSolver, lit: Literal): Clause | undefined {
  if ((lit & 1) === 0) {
    const variable = lit >> 1;
    if (!k.grounded[variable]) {
      k.grounded[variable] = true;
      k.ground(variable);
      if (k.pending) return takePending(k);
    }
    const conflict = excludeSiblings(k, variable);
    if (conflict) return conflict;
  }
  return visitWatches(k, lit ^ 1);
}

function takePending(k: SatSolver): Clause | undefined {
  const clause = k.pending;
  k.pending = undefined;
  return clause;
}

function excludeSiblings(k: SatSolver, variable: number): Clause | undefined {
  const reason = k.exclusion[variable] as Clause;
  for (const sibling of k.group[variable] ?? []) {
    if (sibling === variable) continue;
    const other = negative(sibling);
    if (k.value[other] === -1) return { lits: [other, negative(variable)], tag: -1, from: [] };
    if (k.value[other] === 0) assign(k, other, reason);
  }
  return undefined;
}

function visitWatches(k: SatSolver, falsified: Literal): Clause | undefined {
  const list = k.watches[falsified] as Clause[];
  let end = 0;
  for (let i = 0; i < list.length; i++) {
    const clause = list[i] as Clause;
    const lits = clause.lits;
    k.steps++;
    if (lits[0] === falsified) {
      lits[0] = lits[1] as Literal;
      lits[1] = falsified;
    }
    const first = lits[0] as Literal;
    if (k.value[first] !== 1 && moveWatch(k, clause)) continue;
    list[end++] = clause;
    if (k.value[first] === 1) continue;
    if (k.value[first] === -1) {
      while (++i < list.length) list[end++] = list[i] as Clause;
      list.length = end;
      return clause;
    }
    assign(k, first, clause);
  }
  list.length = end;
  return undefined;
}

function moveWatch(k: SatSolver, clause: Clause): boolean {
  const lits = clause.lits;
  for (let j = 2; j < lits.length; j++) {
    const lit = lits[j] as Literal;
    if (k.value[lit] === -1) continue;
    lits[j] = lits[1] as Literal;
    lits[1] = lit;
    (k.watches[lit] as Clause[]).push(clause);
    return true;
  }
  k.steps += lits.length;
  return false;
}

/**
 * Learns from a false clause (first unique implication point) and goes back to where the learned clause takes effect.
 * Returns false when nothing is left to undo: there is no model, and `k.refuted` says why.
 */
export function learn(k: SatSolver, conflict: Clause): boolean {
  const top = highestLevel(k, conflict.lits);
  if (top === 0) {
    backtrack(k, 0);
    k.refuted = conflict;
    return false;
  }
  backtrack(k, top);
  const learned = analyze(k, conflict, top);
  const asserting = learned.lits[0] as Literal;
  const second = learned.lits[1];
  backtrack(k, second === undefined ? 0 : (k.level[second >> 1] as number));
  if (second !== undefined) {
    (k.watches[asserting] as Clause[]).push(learned);
    (k.watches[second] as Clause[]).push(learned);
  }
  assign(k, asserting, learned);
  return true;
}

function highestLevel(k: SatSolver, lits: readonly Literal[]): number {
  let top = 0;
  for (const lit of lits) top = Math.max(top, k.level[lit >> 1] as number);
  return top;
}

/** The learned clause, its asserting literal first, a literal of the next highest level second. */
function analyze(k: SatSolver, conflict: Clause, top: number): Clause {
  const seen = new Set<number>();
  const from: Clause[] = [];
  const lower: Literal[] = [];
  let open = 0;
  let index = k.trail.length;
  let clause: Clause | undefined = conflict;
  let pivot: Literal = -1;
  do {
    if (clause) {
      from.push(clause);
      for (const lit of clause.lits) {
        k.steps++;
        const variable = lit >> 1;
        if (lit === pivot || seen.has(variable)) continue;
        const level = k.level[variable] as number;
        if (level === 0) continue;
        seen.add(variable);
        if (level === top) open++;
        else lower.push(lit);
      }
    }
    do pivot = k.trail[--index] as Literal;
    while (!seen.has(pivot >> 1) || k.level[pivot >> 1] !== top);
    clause = k.reason[pivot >> 1];
  } while (--open > 0);
  lower.sort((a, b) => (k.level[b >> 1] as number) - (k.level[a >> 1] as number) || a - b);
  return { lits: [pivot ^ 1, ...lower], tag: -1, from };
}

/** Tags of the clauses that `k.refuted` rests on; each once, ascending. */
export function refutationTags(k: SatSolver): number[] {
  const tags = new Set<number>();
  const visited = new Set<Clause>();
  const todo: Clause[] = k.refuted ? [k.refuted] : [];
  for (let clause = todo.pop(); clause; clause = todo.pop()) {
    if (visited.has(clause)) continue;
    visited.add(clause);
    if (clause.tag >= 0) tags.add(clause.tag);
    todo.push(...clause.from);
    for (const lit of clause.lits) {
      const reason = k.reason[lit >> 1];
      if (k.value[lit] === -1 && reason) todo.push(reason);
    }
  }
  return [...tags].sort((a, b) => a - b);
}
