// A solution and objects that may be opened later → the solution with what these need, as far as it fits. Pure.
import type { Problem, Requirer } from '../candidates/problem.ts';
import { explainConflict } from './explain-conflict.ts';
import type { Effort } from './optimise.ts';
import type { Choice, Solution } from './solution.ts';
import { solve } from './solve.ts';

/** Something that may be opened at run time: one of the alternatives, best first; each is a set of objects. */
export interface OptionalNeed {
  readonly alternatives: readonly (readonly Requirer[])[];
}

type OptionalOutcome =
  | { readonly kind: 'taken'; readonly need: OptionalNeed; readonly by: readonly Requirer[] }
  | {
      readonly kind: 'left-out';
      readonly need: OptionalNeed;
      readonly why: string;
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

type Try =
  | { readonly kind: 'fits'; readonly solution: Solution }
  | { readonly kind: 'does-not-fit'; readonly why: string };

function tryWith(problem: Problem, solution: Solution, objects: readonly Requirer[]): Try {
  const missing = missingName(problem, solution, objects);
  if (missing !== undefined) return { kind: 'does-not-fit', why: `no library offers ${missing}` };
  const outcome = solve(fixed(problem, solution, objects), EFFORT);
  if (outcome.kind === 'solution') return { kind: 'fits', solution: outcome };
  if (outcome.kind === 'undecided') return { kind: 'does-not-fit', why: 'the search took too long' };
  return { kind: 'does-not-fit', why: explainConflict(outcome)[0] ?? 'it does not fit' };
}

/** The first alternative whose names are all offered. */
function likely(problem: Problem, solution: Solution, need: OptionalNeed): readonly Requirer[] | undefined {
  return need.alternatives.find((objects) => missingName(problem, solution, objects) === undefined);
}

/** All likely ones at once: mostly they fit, and one search is enough. */
function allAtOnce(
  problem: Problem,
  solution: Solution,
  needs: readonly OptionalNeed[],
): ExtendedSet | undefined {
  const chosen = needs.map((need) => likely(problem, solution, need));
  const tried = tryWith(
    problem,
    solution,
    chosen.flatMap((objects) => objects ?? []),
  );
  if (tried.kind !== 'fits') return undefined;
  return {
    added: addedBy(solution, tried.solution),
    outcomes: needs.map((need, index): OptionalOutcome => {
      const by = chosen[index];
      if (by !== undefined) return { kind: 'taken', need, by };
      return { kind: 'left-out', need, why: whyNotOffered(problem, solution, need), isOffered: false };
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
  let why = 'nothing is offered';
  for (const objects of need.alternatives) {
    const tried = tryWith(problem, solution, objects);
    if (tried.kind === 'fits')
      return {
        added: addedBy(solution, tried.solution),
        outcomes: [{ kind: 'taken', need, by: objects }],
      };
    why = tried.why;
  }
  const isOffered = likely(problem, solution, need) !== undefined;
  return { added: [], outcomes: [{ kind: 'left-out', need, why, isOffered }] };
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
    const why = 'the search took too long';
    return {
      added: [],
      outcomes: needs.map((need) => ({ kind: 'left-out', need, why, isOffered: true })),
    };
  }
  if (others.length === 0) return alone(problem, solution, first);
  const whole = allAtOnce(problem, solution, needs);
  if (whole !== undefined) return whole;
  const middle = Math.ceil(needs.length / 2);
  const before = extendSet(problem, solution, needs.slice(0, middle), isOver);
  const present = asPresent({ problem, solution }, before);
  const after = extendSet(present.problem, present.solution, needs.slice(middle), isOver);
  return {
    added: [...before.added, ...after.added].sort((a, b) => (a.name < b.name ? -1 : 1)),
    outcomes: [...before.outcomes, ...after.outcomes],
  };
}
