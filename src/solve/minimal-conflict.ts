// A problem without a solution -> a minimal set of reasons for that.
import { type Constraint, constraintKey, reasonOf } from './constraint.ts';
import { groundProblem } from './ground-problem.ts';
import { refutationTags } from './learn-clause.ts';
import type { Problem } from './problem.ts';
import { createSearch, runSearch } from './search-set.ts';
import type { Conflict, Reason, Undecided } from './solution.ts';

type Refutation =
  | { readonly kind: 'refuted'; readonly constraints: readonly Constraint[] }
  | { readonly kind: 'satisfiable' }
  | { readonly kind: 'limit'; readonly steps: number };

/** Drops reasons one by one and keeps those without which a set exists (deletion, guided by refutations). */
export function minimalConflict(problem: Problem, stepLimit: number): Conflict | Undecided {
  if (!problem.loaders.length) return { kind: 'conflict', reasons: [{ kind: 'no-loader' }], minimal: true };
  let core = refute(problem, undefined, stepLimit);
  if (core.kind === 'limit') return { kind: 'undecided', steps: core.steps };
  if (core.kind === 'satisfiable') throw new Error('asked why a satisfiable problem has no solution');
  const kept = new Set<string>();
  let minimal = true;
  for (let key = nextKey(core.constraints, kept); key !== undefined; key = nextKey(core.constraints, kept)) {
    const rest = new Set(keysOf(core.constraints));
    rest.delete(key);
    const without = refute(problem, rest, stepLimit);
    if (without.kind === 'refuted') core = without;
    else kept.add(key);
    if (without.kind === 'limit') minimal = false;
  }
  return { kind: 'conflict', reasons: reasonsOf(core.constraints), minimal };
}

const droppable = (constraints: readonly Constraint[]): readonly Constraint[] =>
  constraints.filter((constraint) => constraint.kind !== 'need');

const keysOf = (constraints: readonly Constraint[]): string[] =>
  droppable(constraints).map(constraintKey).sort();

const nextKey = (constraints: readonly Constraint[], kept: ReadonlySet<string>): string | undefined =>
  keysOf(constraints).find((key) => !kept.has(key));

/** Looks for a set with only the constraints in `only` in force; the refutation names those it rests on. */
function refute(problem: Problem, only: ReadonlySet<string> | undefined, stepLimit: number): Refutation {
  const g = groundProblem(problem, only);
  for (const loader of g.loaders) {
    const outcome = runSearch(createSearch(g, loader, []), stepLimit);
    if (outcome === 'limit') return { kind: 'limit', steps: g.kernel.steps };
    if (outcome === 'found') return { kind: 'satisfiable' };
    if (g.kernel.refuted) break;
  }
  return {
    kind: 'refuted',
    constraints: refutationTags(g.kernel).map((tag) => g.constraints[tag] as Constraint),
  };
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
