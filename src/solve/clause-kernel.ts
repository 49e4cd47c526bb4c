// Clauses over boolean variables -> the state of a search: assignments, levels, reasons, watches.

/** Variable v is 2v when true and 2v+1 when false. */
export type Literal = number;

export interface Clause {
  readonly lits: Literal[];
  /** What the caller knows it by; -1 for clauses that nobody asks about. */
  readonly tag: number;
  /** The clauses a learned one was derived from. */
  readonly from: readonly Clause[];
}

export interface Kernel {
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
const levelOf = (k: Kernel, lit: Literal): number => k.level[lit >> 1] as number;

/** @param ground adds the clauses that follow from a variable's truth; each must contain its negation. */
export function createKernel(ground: (variable: number) => void): Kernel {
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

export function newVariable(k: Kernel): number {
  k.value.push(0, 0);
  k.watches.push([], []);
  k.reason.push(undefined);
  k.group.push(undefined);
  k.exclusion.push({ lits: [negative(k.reason.length - 1)], tag: -1, from: [] });
  k.grounded.push(false);
  return k.level.push(0) - 1;
}

export const decisionLevel = (k: Kernel): number => k.levelStart.length;

/** Makes an open literal true at the current level. */
export function assign(k: Kernel, lit: Literal, reason: Clause | undefined): void {
  k.value[lit] = 1;
  k.value[lit ^ 1] = -1;
  k.level[variableOf(lit)] = k.levelStart.length;
  k.reason[variableOf(lit)] = reason;
  k.trail.push(lit);
}

/** Opens a decision level with `lit` true; `undefined` opens an empty one. */
export function decide(k: Kernel, lit: Literal | undefined): void {
  k.levelStart.push(k.trail.length);
  if (lit !== undefined) assign(k, lit, undefined);
}

/** Forgets every assignment made above `level`. */
export function backtrack(k: Kernel, level: number): void {
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
function bringForward(k: Kernel, lits: Literal[], position: number): void {
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
 * Adds a clause at any time; `from` names those it follows from, if it says nothing new. A consequence is drawn at once only if it belongs to the current level; an older one is
 * found when the clause becomes false, so that levels on the trail stay in order.
 */
export function addClause(k: Kernel, lits: Literal[], tag: number, from: readonly Clause[] = []): Clause {
  const clause: Clause = { lits, tag, from };
  if (lits.length > 1) {
    bringForward(k, lits, 0);
    bringForward(k, lits, 1);
    (k.watches[lits[0] as Literal] as Clause[]).push(clause);
    (k.watches[lits[1] as Literal] as Clause[]).push(clause);
  }
  const first = lits[0] as Literal;
  if (k.value[first] === -1) {
    k.pending ??= clause;
  } else if (k.value[first] === 0) {
    const second = lits[1];
    const now = k.levelStart.length;
    if (second === undefined ? now === 0 : k.value[second] === -1 && levelOf(k, second) === now) {
      assign(k, first, clause);
    }
  }
  return clause;
}
