// A solution and objects that may be opened later → the solution with what these need, as far as it fits. Pure.
import type { Problem, Requirer } from '../candidates/problem.ts';
import { explainConflict } from './explain-conflict.ts';
import type { Effort } from './optimise.ts';
import type { Choice, Solution, Undecided } from './solution.ts';
import { bestSet, type NoSet, solve } from './solve.ts';

/** Something that may be opened at run time: one of the alternatives, best first; each is a set of objects. */
export interface OptionalNeed {
  readonly alternatives: readonly (readonly Requirer[])[];
}

type OptionalOutcome =
  | { readonly kind: 'taken'; readonly need: OptionalNeed; readonly by: readonly Requirer[] }
  | {
      readonly kind: 'left-out';
      readonly need: OptionalNeed;
      /** In a clause. It is looked for when it is asked for, which takes longer than to find that nothing fits. */
      readonly why: () => string;
      /** Whether all names are there, in versions that do not fit. */
      readonly isOffered: boolean;
    };

export interface ExtendedSet {
  /** Choices beside those of the solution, sorted by name. */
  readonly added: readonly Choice[];
  /** One for each need, in their order. */
  readonly outcomes: readonly OptionalOutcome[];
}

/** An optional library is not worth a long search. */
export const EFFORT: Effort = { steps: 400_000, improveSteps: 2_000 };

/** What was chosen stays: each name of the solution has its provider, and the loader is the chosen one. */
function fixed(problem: Problem, solution: Solution, roots: readonly Requirer[]): Problem {
  const chosen = new Map(solution.choices.map(({ name, provider }) => [name, [provider]]));
  return {
    ...problem,
    roots: [...problem.roots, ...roots],
    loaders: [solution.loader],
    providersOf: (name) => chosen.get(name) ?? problem.providersOf(name),
  };
}

function missingName(problem: Problem, solution: Solution, objects: readonly Requirer[]): string | undefined {
  const chosen = new Set(solution.choices.map(({ name }) => name));
  const own = new Set(objects.map(({ label }) => label));
  return objects
    .flatMap(({ needed }) => needed)
    .find(
      (name) =>
        !chosen.has(name) &&
        !own.has(name) &&
        !problem.bundled.has(name) &&
        !problem.isFamily(name) &&
        problem.providersOf(name).length === 0,
    );
}

const TOO_LONG = 'the search took too long';

/** Why objects do not fit beside the solution: asked where somebody is to read it. */
function whyUnfit(problem: Problem, solution: Solution, objects: readonly Requirer[]): string {
  const missing = missingName(problem, solution, objects);
  if (missing !== undefined) return `no library offers ${missing}`;
  const outcome = solve(fixed(problem, solution, objects), EFFORT);
  if (outcome.kind === 'undecided') return TOO_LONG;
  return (outcome.kind === 'conflict' && explainConflict(outcome)[0]) || 'it does not fit';
}

/** The solution with these objects, where they fit. */
function withObjects(
  problem: Problem,
  solution: Solution,
  objects: readonly Requirer[],
): Solution | Undecided | NoSet {
  return bestSet(fixed(problem, solution, objects), EFFORT);
}

/** The first alternative whose names are all offered. */
function likely(problem: Problem, solution: Solution, need: OptionalNeed): readonly Requirer[] | undefined {
  return need.alternatives.find((objects) => missingName(problem, solution, objects) === undefined);
}

/** All likely ones at once: mostly they fit, and one search is enough. Else those that do not fit beside any. */
function allAtOnce(
  problem: Problem,
  solution: Solution,
  needs: readonly OptionalNeed[],
): ExtendedSet | { readonly unserved: readonly OptionalNeed[] } {
  const chosen = needs.map((need) => likely(problem, solution, need));
  const extended = withObjects(
    problem,
    solution,
    chosen.flatMap((objects) => objects ?? []),
  );
  if (extended.kind !== 'solution') {
    const isUnserved = ({ path }: Requirer) => extended.kind === 'none' && extended.unserved.has(path);
    return { unserved: needs.filter((_, index) => chosen[index]?.some(isUnserved)) };
  }
  return {
    added: addedBy(solution, extended),
    outcomes: needs.map((need, index): OptionalOutcome => {
      const by = chosen[index];
      if (by !== undefined) return { kind: 'taken', need, by };
      const why = () => whyNotOffered(problem, solution, need);
      return { kind: 'left-out', need, why, isOffered: false };
    }),
  };
}

function whyNotOffered(problem: Problem, solution: Solution, need: OptionalNeed): string {
  const missing = need.alternatives.map((objects) => missingName(problem, solution, objects));
  return `no library offers ${[...new Set(missing)].slice(0, 3).join(' or ')}`;
}

function addedBy(before: Solution, after: Solution): Choice[] {
  const names = new Set(before.choices.map(({ name }) => name));
  return after.choices.filter(({ name }) => !names.has(name));
}

/** Its alternatives one after the other, until one fits. */
function alone(problem: Problem, solution: Solution, need: OptionalNeed): ExtendedSet {
  for (const by of need.alternatives) {
    if (missingName(problem, solution, by) !== undefined) continue;
    const extended = withObjects(problem, solution, by);
    if (extended.kind === 'solution')
      return { added: addedBy(solution, extended), outcomes: [{ kind: 'taken', need, by }] };
  }
  const isOffered = likely(problem, solution, need) !== undefined;
  const why = () => whyUnfit(problem, solution, need.alternatives.at(-1) ?? []);
  return { added: [], outcomes: [{ kind: 'left-out', need, why, isOffered }] };
}

/** Of a need whose likely alternative fits in no set. */
function withoutLikely(problem: Problem, solution: Solution, need: OptionalNeed): ExtendedSet {
  const [only, another] = need.alternatives;
  if (another !== undefined) return alone(problem, solution, need);
  const why = () => whyUnfit(problem, solution, only ?? []);
  return { added: [], outcomes: [{ kind: 'left-out', need, why, isOffered: true }] };
}

/** A problem and the set that stays as it is in it. */
export interface PresentProblem {
  readonly problem: Problem;
  readonly solution: Solution;
}

/** What was added, as if it had been there before. */
export function asPresent(
  { problem, solution }: PresentProblem,
  { added, outcomes }: ExtendedSet,
): PresentProblem {
  const taken = outcomes.flatMap((each) => (each.kind === 'taken' ? each.by : []));
  return {
    problem: { ...problem, roots: [...problem.roots, ...taken] },
    solution: { ...solution, choices: [...solution.choices, ...added] },
  };
}

/**
 * Adds what may be opened at run time, as much as fits, the earliest first. Nothing of the solution changes: what does
 * not fit beside it is left out, with the reason. Of needs that do not fit together each half is tried, so a few that
 * do not fit among hundreds take few searches. `isOver` is asked before each search; what is not decided then is left
 * out. Same input, same result.
 */
export function extendSet(
  problem: Problem,
  solution: Solution,
  needs: readonly OptionalNeed[],
  isOver: () => boolean = () => false,
): ExtendedSet {
  const [first, ...others] = needs;
  if (first === undefined) return { added: [], outcomes: [] };
  if (isOver()) {
    const why = () => TOO_LONG;
    return {
      added: [],
      outcomes: needs.map((need) => ({ kind: 'left-out', need, why, isOffered: true })),
    };
  }
  if (others.length === 0) return alone(problem, solution, first);
  const whole = allAtOnce(problem, solution, needs);
  if (!('unserved' in whole)) return whole;
  const { unserved } = whole;
  if (unserved.length > 0) {
    const rest = needs.filter((need) => !unserved.includes(need));
    const before = extendSet(problem, solution, rest, isOver);
    return inOrder(needs, [before, ...oneByOne({ problem, solution }, before, unserved)]);
  }
  const middle = Math.ceil(needs.length / 2);
  const before = extendSet(problem, solution, needs.slice(0, middle), isOver);
  const present = asPresent({ problem, solution }, before);
  const after = extendSet(present.problem, present.solution, needs.slice(middle), isOver);
  return inOrder(needs, [before, after]);
}

/** Beside what was added before. */
function oneByOne(
  given: PresentProblem,
  before: ExtendedSet,
  unserved: readonly OptionalNeed[],
): ExtendedSet[] {
  let present = asPresent(given, before);
  return unserved.map((need) => {
    const extended = withoutLikely(present.problem, present.solution, need);
    present = asPresent(present, extended);
    return extended;
  });
}

function inOrder(needs: readonly OptionalNeed[], parts: readonly ExtendedSet[]): ExtendedSet {
  const outcomes = new Map(parts.flatMap((each) => each.outcomes).map((each) => [each.need, each]));
  return {
    added: parts.flatMap(({ added }) => added).sort((a, b) => (a.name < b.name ? -1 : 1)),
    outcomes: needs.flatMap((need) => outcomes.get(need) ?? []),
  };
}
