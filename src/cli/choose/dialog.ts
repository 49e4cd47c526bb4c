// The alternatives and a person at a terminal → the pins that the person wants, after having seen what they lead to.
import {
  type Alternatives,
  candidatesOf,
  changesBetween,
  type SonameCandidates,
} from '../../choices/alternatives.ts';
import { addChoices, type Choices, NO_CHOICES } from '../../choices/choices.ts';
import type { Candidate } from '../../choices/compare.ts';
import { listText, printable, printableLine } from '../../host/output.ts';
import type { StoreAlternatives } from '../../resolve/solve-program.ts';
import { explainConflict } from '../../solver/explain-conflict.ts';
import type { Solution } from '../../solver/solution.ts';
import {
  type ClosureSize,
  changeLine,
  factLines,
  shareText,
  shortPath,
  sourceWords,
} from './candidate-rows.ts';
import type { Option, PromptQuestion } from './prompts.ts';

/** How the dialogue learns what takes time, and asks. */
interface DialogIO {
  readonly closureSize: ClosureSize;
  /** The alternatives under other choices. */
  alternativesWith(choices: Choices): StoreAlternatives;
  say(text: string): void;
  pick: (question: PromptQuestion) => Promise<{ kind: 'answered'; value: string } | { kind: 'cancelled' }>;
  agree: (message: string) => Promise<{ kind: 'answered'; value: boolean } | { kind: 'cancelled' }>;
}

type Decision =
  /** `pins`: those that are new. */
  | { readonly kind: 'chosen'; readonly pins: Choices['pins'] }
  | { readonly kind: 'cancelled' }
  /** Nothing differs, or the person said no at the end. */
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'impossible'; readonly sentences: readonly string[] };

const LISTED = 3;

function optionFor(
  candidates: SonameCandidates,
  of: Alternatives,
  candidate: Candidate,
  io: DialogIO,
): Option {
  const { provider, chosen, loss } = candidate;
  const facts = candidates.factsOf(of, candidate);
  const label = [
    ...sourceWords(candidate, io.closureSize),
    ...(candidates.kind === 'lack' ? [shareText(facts.coverage)] : []),
    ...(chosen ? [provider.match === 'pinned' ? 'pinned by you' : 'recommended'] : []),
  ].join(' · ');
  const [symbols = '', effect = ''] = factLines(of.name, facts);
  const description = [provider.path, symbols, ...(loss === undefined ? [] : [loss.detail]), effect];
  return {
    value: provider.path,
    label: printableLine(label),
    description: description.map(printableLine).join('\n'),
  };
}

function questionFor(candidates: SonameCandidates, of: Alternatives, io: DialogIO): PromptQuestion {
  const who = of.neededBy.map(({ object }) => object.label);
  const lack = candidates.kind === 'lack' ? ', which nobody has; the nearest' : '';
  return {
    message: printableLine(`${of.name}, needed by ${listText(who, LISTED)}${lack}`),
    options: of.candidates.map((each) => optionFor(candidates, of, each, io)),
  };
}

/** The first answer of a name that nobody has, for the end: what it still lacks. */
function lackLine(candidates: SonameCandidates, of: Alternatives, picked: Candidate): string {
  const [symbols] = factLines(of.name, candidates.factsOf(of, picked));
  return `  ${of.name}: ${shortPath(picked.provider.path)}; ${symbols}`;
}

function consequences(before: Solution | undefined, after: Solution, missing: readonly string[]): string {
  const count = after.choices.length;
  if (before === undefined) {
    const loader = shortPath(after.loader.path);
    return [`there was no set; now there is one of ${count}, with the loader ${loader}:`, ...missing].join(
      '\n',
    );
  }
  const changes = changesBetween(before, after);
  return [`this set of ${count} libraries differs from the present one in:`, ...changes.map(changeLine)].join(
    '\n',
  );
}

interface DialogAnswers {
  readonly kind: 'answered';
  readonly pins: Choices['pins'];
  readonly openAlternatives: StoreAlternatives;
  /** How many names were asked about. */
  readonly asked: number;
  readonly missing: readonly string[];
}

/** Asks for one name after the other; earlier answers can bring new ones. First those that nobody serves. */
async function ask(start: Choices, io: DialogIO): Promise<DialogAnswers | { readonly kind: 'cancelled' }> {
  let pins: Choices['pins'] = {};
  let openAlternatives = io.alternativesWith(start);
  const asked = new Set<string>();
  const missing: string[] = [];
  for (;;) {
    const candidates = candidatesOf(openAlternatives);
    const next = candidates?.alternatives.find(({ name }) => !asked.has(name));
    if (candidates === undefined || next === undefined)
      return { kind: 'answered', pins, openAlternatives, asked: asked.size, missing };
    asked.add(next.name);
    const answer = await io.pick(questionFor(candidates, next, io));
    if (answer.kind === 'cancelled') return answer;
    const picked = next.candidates.find(({ provider }) => provider.path === answer.value);
    if (picked === undefined || picked.chosen) continue;
    if (candidates.kind === 'lack') missing.push(lackLine(candidates, next, picked));
    pins = { ...pins, [next.name]: answer.value };
    openAlternatives = io.alternativesWith(addChoices(start, { ...NO_CHOICES, pins }));
  }
}

/**
 * Asks for one name after the other, shows what comes of it, and asks whether to keep that. Writes nothing. `before`:
 * the present set; undefined where there is none.
 */
export async function chooseByDialogue(
  start: Choices,
  before: Solution | undefined,
  io: DialogIO,
): Promise<Decision> {
  const answers = await ask(start, io);
  if (answers.kind === 'cancelled') return answers;
  const { outcome } = answers.openAlternatives;
  if (outcome.kind !== 'solution') {
    const sentences = outcome.kind === 'conflict' ? explainConflict(outcome) : ['no set was found'];
    return { kind: 'impossible', sentences };
  }
  if (answers.asked === 0) io.say('there is nothing to choose: no library has an alternative in the store');
  const { pins, missing } = answers;
  if (
    Object.keys(pins).length === 0 &&
    (before === undefined || changesBetween(before, outcome).length === 0)
  )
    return { kind: 'unchanged' };
  io.say(printable(consequences(before, outcome, missing)));
  const agreed = await io.agree('Keep these choices with the program?');
  if (agreed.kind === 'cancelled') return agreed;
  return agreed.value ? { kind: 'chosen', pins } : { kind: 'unchanged' };
}
