// A program, the store and the user's choices → the problem, and the solver's answer to it.
import { buildProblem } from '../candidates/build-problem.ts';
import type { Problem } from '../candidates/problem.ts';
import { applyChoices } from '../choices/apply-choices.ts';
import { type Choices, hasChoices, NO_CHOICES } from '../choices/choices.ts';
import type { Conflict, Solution, Undecided } from '../solve/solution.ts';
import { solve } from '../solve/solve.ts';
import type { Catalogue } from '../store/catalogue.ts';
import type { Dynamic } from './subject.ts';

export interface Posed {
  readonly problem: Problem;
  readonly outcome: Solution | Conflict | Undecided;
}

/**
 * Solves. What is only a preference gives way where it leaves no set: first that for libraries of the program's own
 * source, then the user's, the least important first. `excluded`: store objects that vanished.
 */
export function poseProblem(
  subject: Dynamic,
  catalogue: Catalogue,
  excluded: ReadonlySet<string>,
  choices: Choices = NO_CHOICES,
): Posed {
  const program = { path: subject.program.path, elf: subject.elf, libc: subject.libc.kind };
  const build = (preference: 'kin' | 'none') => buildProblem(program, catalogue, excluded, preference);
  if (!hasChoices(choices)) {
    const kin = solved(build('kin'));
    return kin.outcome.kind === 'solution' ? kin : solved(build('none'));
  }
  const [kin, none] = [build('kin'), build('none')];
  let posed: Posed | undefined;
  for (let count = choices.prefer.length; count >= 0; count -= 1) {
    const kept = { ...choices, prefer: choices.prefer.slice(0, count) };
    for (const problem of [kin, none]) {
      posed = solved(applyChoices(problem, none.providersOf, kept, catalogue, subject.elf));
      if (posed.outcome.kind === 'solution') return posed;
    }
  }
  return posed ?? solved(none);
}

function solved(problem: Problem): Posed {
  return { problem, outcome: solve(problem) };
}
