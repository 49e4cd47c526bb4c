// A survey and a person at a terminal → the pins that the person wants, after having seen what they lead to.

import { type Alternatives, alternativesOf } from '../choices/alternatives.ts';
import type { Choices } from '../choices/choices.ts';
import { changesBetween, type Trial, tryCandidate } from '../choices/try-candidate.ts';
import type { Candidate } from '../choices/weigh-candidates.ts';
import type { Survey } from '../pipeline/survey.ts';
import { printable, printableLine } from '../platform/terminal-text.ts';
import { explainConflict } from '../solve/explain-conflict.ts';
import type { Solution } from '../solve/solution.ts';
import type { Option, Question } from './choose-prompts.ts';
import { candidateView, changeLine } from './choose-view.ts';

/** How the dialogue learns what takes time, and asks. */
export interface Desk {
  /** `4.1 MiB`, with everything it refers to; undefined where it is not known. */
  closureSizeOf(storePath: string): string | undefined;
  /** `all 43 symbols that are needed`. */
  symbolsOf(alternatives: Alternatives, candidate: Candidate): string;
  /** The survey with other choices. */
  surveyWith(choices: Choices): Survey;
  say(text: string): void;
  pick: (question: Question) => Promise<{ kind: 'answered'; value: string } | { kind: 'cancelled' }>;
  agree: (message: string) => Promise<{ kind: 'answered'; value: boolean } | { kind: 'cancelled' }>;
}

export type Decision =
  | { readonly kind: 'chosen'; readonly choices: Choices }
  | { readonly kind: 'cancelled' }
  /** Nothing differs, or the person said no at the end. */
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'impossible'; readonly sentences: readonly string[] };

const LISTED = 3;

function forced(name: string, trial: Trial): string {
  if (trial.kind === 'impossible') return `cannot be: ${trial.sentences.join('; ')}`;
  const others = trial.changes.filter((change) => change.name !== name);
  if (others.length === 0) return 'changes nothing else';
  const more = others.length > LISTED ? ` and ${others.length - LISTED} more` : '';
  const listed = others.slice(0, LISTED).map((change) => changeLine(change).trim());
  return `changes ${others.length} more: ${listed.join(', ')}${more}`;
}

function optionFor(
  alternatives: Alternatives,
  candidate: Candidate,
  survey: Survey,
  solution: Solution,
  desk: Desk,
): Option {
  const { object, glibc, chosen, lost } = candidateView(candidate);
  const { provider } = candidate;
  const trial = chosen ? undefined : tryCandidate(survey.problem, solution, alternatives.name, provider);
  const size = desk.closureSizeOf(provider.storePath);
  const label = [
    object,
    ...(glibc === null ? [] : [glibc]),
    ...(size === undefined ? [] : [size]),
    ...(chosen ? [provider.match === 'pinned' ? 'pinned by you' : 'recommended'] : []),
  ].join(' · ');
  const description = [
    provider.path,
    desk.symbolsOf(alternatives, candidate),
    ...(lost === null ? [] : [lost.detail]),
    trial === undefined ? 'as it is now' : forced(alternatives.name, trial),
  ].map(printableLine);
  return { value: provider.path, label: printableLine(label), description: description.join('\n') };
}

function questionFor(alternatives: Alternatives, survey: Survey, solution: Solution, desk: Desk): Question {
  const who = alternatives.neededBy.map(({ object }) => object.label);
  const more = who.length > LISTED ? ` and ${who.length - LISTED} more` : '';
  return {
    message: printableLine(`${alternatives.name}, needed by ${who.slice(0, LISTED).join(', ')}${more}`),
    options: alternatives.candidates.map((each) => optionFor(alternatives, each, survey, solution, desk)),
  };
}

/** The next name with alternatives that was not asked about yet; earlier answers can bring new ones. */
function nextAlternatives(survey: Survey, solution: Solution, asked: Set<string>): Alternatives | undefined {
  return alternativesOf(survey.problem, survey.every, solution).find(({ name }) => !asked.has(name));
}

function consequences(before: Solution, after: Solution): string {
  const changes = changesBetween(before, after);
  return [
    `this set of ${after.choices.length} libraries differs from the present one in:`,
    ...changes.map(changeLine),
  ].join('\n');
}

/** Asks for one name after the other, shows what comes of it, and asks whether to keep that. Writes nothing. */
export async function chooseByDialogue(start: Choices, before: Solution, desk: Desk): Promise<Decision> {
  let choices = start;
  let survey = desk.surveyWith(choices);
  const asked = new Set<string>();
  while (survey.outcome.kind === 'solution') {
    const alternatives = nextAlternatives(survey, survey.outcome, asked);
    if (alternatives === undefined) break;
    const { name, candidates } = alternatives;
    asked.add(name);
    const answer = await desk.pick(questionFor(alternatives, survey, survey.outcome, desk));
    if (answer.kind === 'cancelled') return answer;
    if (answer.value === candidates.find(({ chosen }) => chosen)?.provider.path) continue;
    choices = { ...choices, pins: { ...choices.pins, [name]: answer.value } };
    survey = desk.surveyWith(choices);
  }
  const { outcome } = survey;
  if (outcome.kind !== 'solution') {
    const sentences = outcome.kind === 'conflict' ? explainConflict(outcome) : ['no set was found'];
    return { kind: 'impossible', sentences };
  }
  if (asked.size === 0) desk.say('there is nothing to choose: no library has an alternative in the store');
  if (changesBetween(before, outcome).length === 0 && choices === start) return { kind: 'unchanged' };
  desk.say(printable(consequences(before, outcome)));
  const agreed = await desk.agree('Keep these choices with the program?');
  if (agreed.kind === 'cancelled') return agreed;
  return agreed.value ? { kind: 'chosen', choices } : { kind: 'unchanged' };
}
