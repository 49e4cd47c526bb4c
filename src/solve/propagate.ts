// An assignment -> all that follows from it by single clauses, or the clause that became false.
import { assign, type Clause, type Kernel, type Literal, negative } from './clause-kernel.ts';

/** Draws every consequence. Returns the clause that became false, if any. */
export function propagate(k: Kernel): Clause | undefined {
  while (k.head < k.trail.length) {
    const lit = k.trail[k.head++] as Literal;
    const conflict = settle(k, lit);
    if (conflict) return conflict;
  }
  return undefined;
}

function settle(k: Kernel, lit: Literal): Clause | undefined {
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

function takePending(k: Kernel): Clause | undefined {
  const clause = k.pending;
  k.pending = undefined;
  return clause;
}

function excludeSiblings(k: Kernel, variable: number): Clause | undefined {
  const reason = k.exclusion[variable] as Clause;
  for (const sibling of k.group[variable] ?? []) {
    if (sibling === variable) continue;
    const other = negative(sibling);
    if (k.value[other] === -1) return { lits: [other, negative(variable)], tag: -1, from: [] };
    if (k.value[other] === 0) assign(k, other, reason);
  }
  return undefined;
}

function visitWatches(k: Kernel, falsified: Literal): Clause | undefined {
  const list = k.watches[falsified] as Clause[];
  let kept = 0;
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
    list[kept++] = clause;
    if (k.value[first] === 1) continue;
    if (k.value[first] === -1) {
      while (++i < list.length) list[kept++] = list[i] as Clause;
      list.length = kept;
      return clause;
    }
    assign(k, first, clause);
  }
  list.length = kept;
  return undefined;
}

function moveWatch(k: Kernel, clause: Clause): boolean {
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
