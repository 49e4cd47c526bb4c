// A solution and objects that may be opened later → the solution with what these need, as far as it fits. Pure.
import type { Problem, Requirer } from '../candidates/problem.ts';
import { asManyAsFit, type Fit, fitOf } from './as-many-as-fit.ts';
import { explainConflict } from './explain-conflict.ts';
import type { Effort } from './optimise.ts';
import type { Choice, Solution } from './solution.ts';
import { bestSet, solve } from './solve.ts';

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

/** Why objects do not fit beside the solution, asked where somebody is to read it; undefined where they do. */
function whyUnfit(problem: Problem, solution: Solution, objects: readonly Requirer[]): string | undefined {
  const missing = missingName(problem, solution, objects);
  if (missing !== undefined) return `no library offers ${missing}`;
  const outcome = solve(fixed(problem, solution, objects), EFFORT);
  if (outcome.kind === 'undecided') return TOO_LONG;
  return outcome.kind === 'conflict' ? explainConflict(outcome)[0] : undefined;
}

function whyNotOffered(problem: Problem, solution: Solution, need: OptionalNeed): string {
  const missing = need.alternatives.map((objects) => missingName(problem, solution, objects));
  return `no library offers ${[...new Set(missing)].slice(0, 3).join(' or ')}`;
}

function addedBy(before: Solution, after: Solution): Choice[] {
  const names = new Set(before.choices.map(({ name }) => name));
  return after.choices.filter(({ name }) => !names.has(name));
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

/** The alternative `at` of a need, whose names are all offered. */
interface Wish {
  readonly need: OptionalNeed;
  readonly at: number;
  readonly by: readonly Requirer[];
}

/** The first alternative from the `from`-th on whose names are all offered. */
function wishFor(problem: Problem, solution: Solution, need: OptionalNeed, from: number): Wish | undefined {
  const at = need.alternatives.findIndex(
    (objects, index) => index >= from && missingName(problem, solution, objects) === undefined,
  );
  const by = need.alternatives[at];
  return by && { need, at, by };
}

const objectsOf = (wishes: readonly Wish[]): Requirer[] => wishes.flatMap(({ by }) => by);

/**
 * Adds what may be opened at run time: the first need, and each later one for which there is a set together with those
 * taken before it. Nothing of the solution changes: what does not fit beside it is left out, with the reason. `isOver`
 * is asked before each search; what is not decided then is left out. Same input, same result. An object may need a
 * symbol that only a later one defines: it is served where all fit together, else maybe not.
 */
export function extendSet(
  problem: Problem,
  solution: Solution,
  needs: readonly OptionalNeed[],
  isOver: () => boolean = () => false,
): ExtendedSet {
  const wish = (need: OptionalNeed, from: number) => wishFor(problem, solution, need, from);
  let extended = solution;
  const undecided = new Set<OptionalNeed>();
  const fits = (wishes: readonly Wish[]): Fit<Wish> => {
    if (isOver()) {
      for (const { need } of wishes) undecided.add(need);
      return { kind: 'undecided' };
    }
    const outcome = bestSet(fixed(problem, solution, objectsOf(wishes)), EFFORT);
    if (outcome.kind === 'solution') extended = outcome;
    return fitOf(outcome, wishes, ({ by }) => by);
  };
  const taken = asManyAsFit(
    needs.flatMap((need) => wish(need, 0) ?? []),
    fits,
    ({ need, at }) => wish(need, at + 1),
  );
  const served = new Map(taken.map(({ need, by }) => [need, by]));
  const added = addedBy(solution, extended);
  const present = { ...solution, choices: [...solution.choices, ...added] };
  const whyOffered = (need: OptionalNeed): string => {
    if (undecided.has(need)) return TOO_LONG;
    const preferred = wish(need, 0)?.by ?? [];
    return (
      whyUnfit(problem, solution, preferred) ??
      whyUnfit(problem, present, [...objectsOf(taken), ...preferred]) ??
      'it does not fit'
    );
  };
  const leftOut = (need: OptionalNeed): OptionalOutcome => {
    const isOffered = wish(need, 0) !== undefined;
    const why = () => (isOffered ? whyOffered(need) : whyNotOffered(problem, solution, need));
    return { kind: 'left-out', need, why, isOffered };
  };
  return {
    added,
    outcomes: needs.map((need) => {
      const by = served.get(need);
      return by === undefined ? leftOut(need) : { kind: 'taken', need, by };
    }),
  };
}
