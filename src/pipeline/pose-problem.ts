// A program, the store and the user's choices → the problem, and the solver's answer to it.
import { buildProblem } from '../candidates/build-problem.ts';
import type { ClosestMatches, Problem } from '../candidates/problem.ts';
import { applyChoices } from '../choices/apply-choices.ts';
import { type Choices, hasChoices, NO_CHOICES } from '../choices/choices.ts';
import type { Conflict, Solution, Undecided } from '../solve/solution.ts';
import { solve } from '../solve/solve.ts';
import type { Catalogue } from '../store/catalogue.ts';
import { isEvident } from './closest-notice.ts';
import type { Dynamic } from './subject.ts';

export interface Posed {
  readonly problem: Problem;
  readonly outcome: Solution | Conflict | Undecided;
  /** With a conflict over names that nobody has: what other versions of these libraries were found to lack. */
  readonly closest?: ClosestMatches;
}

/**
 * Solves with exact matches only and, where some name has no provider at all, once more with other versions of the
 * missing libraries. If these do not serve either, or nothing but the name shows that they would, the outcome is the
 * first one and `closest` has what was found of them.
 */
export function poseProblem(
  subject: Dynamic,
  catalogue: Catalogue,
  excluded: ReadonlySet<string>,
  choices: Choices = NO_CHOICES,
): Posed {
  const exact = poseWithin('exact', subject, catalogue, excluded, choices);
  const { outcome } = exact;
  if (outcome.kind !== 'conflict' || !outcome.reasons.some(({ kind }) => kind === 'no-provider'))
    return exact;
  const near = poseWithin('closest', subject, catalogue, excluded, choices);
  const { closest } = near.problem;
  const isTaken = near.outcome.kind === 'solution' && isEvident(near.outcome, near.problem);
  return isTaken || closest === undefined ? near : { ...exact, closest };
}

/**
 * Solves. What is only a preference gives way where it leaves no set: first that for libraries of the program's own
 * source, then the user's, the least important first. `excluded`: store objects that vanished.
 */
function poseWithin(
  reach: 'exact' | 'closest',
  subject: Dynamic,
  catalogue: Catalogue,
  excluded: ReadonlySet<string>,
  choices: Choices,
): Posed {
  const { path, users } = subject.program;
  const program = { path, elf: subject.elf, libc: subject.libc.kind, users };
  const build = (preference: 'kin' | 'none') => buildProblem(program, catalogue, excluded, preference, reach);
  if (!hasChoices(choices)) {
    const kin = solved(build('kin'));
    return kin.outcome.kind === 'solution' ? kin : solved(build('none'));
  }
  const [kin, none] = [build('kin'), build('none')];
  let posed: Posed | undefined;
  for (let count = choices.prefer.length; count >= 0; count -= 1) {
    const kept = { ...choices, prefer: choices.prefer.slice(0, count) };
    for (const problem of [kin, none]) {
      posed = solved(applyChoices(problem, none.providersOf, kept, catalogue, subject));
      if (posed.outcome.kind === 'solution') return posed;
    }
  }
  return posed ?? solved(none);
}

function solved(problem: Problem): Posed {
  return { problem, outcome: solve(problem) };
}
