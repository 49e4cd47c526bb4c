// A clause that became false -> a learned clause and the level it takes effect at; in the end, a refutation.
import { assign, backtrack, type Clause, type Kernel, type Literal } from './clause-kernel.ts';

/**
 * Learns from a false clause (first unique implication point) and goes back to where the learned clause takes effect.
 * Returns false when nothing is left to undo: there is no model, and `k.refuted` says why.
 */
export function learn(k: Kernel, conflict: Clause): boolean {
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

function highestLevel(k: Kernel, lits: readonly Literal[]): number {
  let top = 0;
  for (const lit of lits) top = Math.max(top, k.level[lit >> 1] as number);
  return top;
}

/** The learned clause, its asserting literal first, a literal of the next highest level second. */
function analyze(k: Kernel, conflict: Clause, top: number): Clause {
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
export function refutationTags(k: Kernel): number[] {
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
