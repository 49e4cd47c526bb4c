// A problem without a solution → a minimal set of reasons for that.
import type { Problem } from '../candidates/problem.ts';
import { type Constraint, constraintKey, reasonOf } from './constraint.ts';
import { encodeProblem } from './encode.ts';
import { refutationTags } from './sat.ts';
import { createSearch, runSearch } from './search.ts';
import type { Conflict, Reason, Undecided } from './solution.ts';

type Refutation =
  | { readonly kind: 'refuted'; readonly steps: number; readonly constraints: readonly Constraint[] }
  | { readonly kind: 'satisfiable'; readonly steps: number }
  | { readonly kind: 'limit'; readonly steps: number };

/**
 * Drops reasons one by one and keeps those without which a set exists (deletion, guided by refutations).
 * @param stepLimit for the first refutation, and once more for all that make it smaller
 */
export function minimalConflict(problem: Problem, stepLimit: number): Conflict | Undecided {
  if (!problem.loaders.length) return { kind: 'conflict', reasons: [{ kind: 'no-loader' }], minimal: true };
  const first = refute(problem, undefined, stepLimit);
  if (first.kind === 'satisfiable') throw new Error('asked why a satisfiable problem has no solution');
  if (first.kind !== 'refuted') return { kind: 'undecided', steps: first.steps };
  let core = first.constraints;
  const needed = new Set<string>();
  let left = stepLimit;
  for (let key = nextKey(core, needed); key !== undefined; key = nextKey(core, needed)) {
    const rest = new Set(keysOf(core));
    rest.delete(key);
    const without = refute(problem, rest, left);
    left -= without.steps;
    if (without.kind === 'refuted') core = without.constraints;
    else needed.add(key);
    if (without.kind === 'limit') break;
  }
  return { kind: 'conflict', reasons: reasonsOf(core), minimal: left >= 0 };
}

const droppable = (constraints: readonly Constraint[]): readonly Constraint[] =>
  constraints.filter((constraint) => constraint.kind !== 'need');

const keysOf = (constraints: readonly Constraint[]): string[] =>
  droppable(constraints).map(constraintKey).sort();

const nextKey = (constraints: readonly Constraint[], needed: ReadonlySet<string>): string | undefined =>
  keysOf(constraints).find((key) => !needed.has(key));

/** Looks for a set with only the constraints in `only` in force; the refutation names those it rests on. */
function refute(problem: Problem, only: ReadonlySet<string> | undefined, stepLimit: number): Refutation {
  const g = encodeProblem(problem, only);
  for (const loader of g.loaders) {
    const outcome = runSearch(createSearch(g, loader, []), stepLimit);
    const { steps } = g.sat;
    if (outcome === 'limit') return { kind: 'limit', steps };
    if (outcome === 'found') return { kind: 'satisfiable', steps };
    if (g.sat.refuted) break;
  }
  const constraints = refutationTags(g.sat).map((tag) => g.constraints[tag] as Constraint);
  return { kind: 'refuted', steps: g.sat.steps, constraints };
}

function reasonsOf(constraints: readonly Constraint[]): Reason[] {
  const reasons = new Map<string, Reason>();
  for (const constraint of droppable(constraints)) {
    const labels = constraints.flatMap((c) =>
      c.kind === 'need' && 'name' in constraint && c.name === constraint.name ? [c.by.label] : [],
    );
    const reason = reasonOf(constraint, [...new Set(labels)].sort());
    if (reason) reasons.set(constraintKey(constraint), reason);
  }
  return [...reasons].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, reason]) => reason);
}
