// `nix-foreign choose PROGRAM`: which libraries there are to choose from, and the user's decisions kept with the program.
import { inspectProgram } from '../candidates/program.ts';
import { alternativesOf } from '../choices/alternatives.ts';
import { addChoices, type Choices, hasChoices, NO_CHOICES } from '../choices/choices.ts';
import { findPin } from '../choices/find-pin.ts';
import { namePattern } from '../choices/name-pattern.ts';
import { type Change, changesBetween } from '../choices/try-candidate.ts';
import { ForeignError } from '../errors.ts';
import { choicesOfProgram } from '../pipeline/choices-of-program.ts';
import { chooseFor } from '../pipeline/choose.ts';
import { conflictError } from '../pipeline/conflict-error.ts';
import type { Context } from '../pipeline/context.ts';
import { type Dynamic, dynamicOf } from '../pipeline/subject.ts';
import { type Survey, survey } from '../pipeline/survey.ts';
import { inUsablePlace } from '../pipeline/usable-place.ts';
import type { Place } from '../platform/places.ts';
import { notice } from '../platform/report.ts';
import type { Solution } from '../solve/solution.ts';
import { unprovidedNames } from '../solve/unprovided.ts';
import type { Catalogue } from '../store/catalogue.ts';
import { openStore } from '../store/open-store.ts';
import { nameOfStoreObject } from '../store/store-location.ts';
import { alternativesText, alternativesView, changeLine, choicesText } from './choose-view.ts';

/** What the command line asked for. Each word of `pin` is `SONAME=PATH`. */
export interface ChooseWords {
  readonly pin: readonly string[];
  readonly exclude: readonly string[];
  readonly prefer: readonly string[];
  readonly reset: boolean;
}

/** `cancelled`: Ctrl-C in the dialogue. */
export type ChooseOutcome =
  | { readonly kind: 'listed'; readonly text: string; readonly value: unknown }
  | {
      readonly kind: 'chosen';
      readonly choices: Choices;
      readonly changes: readonly Change[];
    }
  | { readonly kind: 'unchanged' | 'cancelled' };

function usage(message: string, hint: string): ForeignError {
  return new ForeignError(message, { code: 'usage', hint, exitCode: 125 });
}

export function dynamicOnly(given: string, context: Context): Dynamic {
  const subject = dynamicOf(inspectProgram(given, context.surroundings));
  if (subject !== undefined) return subject;
  throw new ForeignError(`${given}: it needs no library of the store, so there is nothing to choose`, {
    code: 'nothing-to-choose',
    hint: `see how it is started with: nix-foreign explain ${given}`,
    exitCode: 125,
  });
}

function wordsToChoices(words: ChooseWords, catalogue: Catalogue, subject: Dynamic): Choices {
  const pins = words.pin.map((word): [string, string] => {
    const at = word.indexOf('=');
    if (at < 1 || at === word.length - 1)
      throw usage(`${word}: a pin is SONAME=PATH`, 'e.g. --pin libssl.so.3=/nix/store/...-openssl-3.0.11');
    return [word.slice(0, at), findPin(word.slice(0, at), word.slice(at + 1), catalogue, subject.elf)];
  });
  const { exclude, prefer } = words;
  if ([...exclude, ...prefer].includes(''))
    throw usage('an empty name fits everything', "name store objects, e.g. --exclude 'openssl-1.*'");
  return { pins: Object.fromEntries(pins), exclude, prefer };
}

/** Says which words fit nothing in the store: most likely they are misspelled. They are kept all the same. */
function noticeUnknown({ exclude, prefer }: Choices, catalogue: Catalogue): void {
  const names = [...catalogue.objectNames()].map(nameOfStoreObject);
  for (const pattern of exclude) {
    const test = namePattern(pattern);
    if (!names.some((name) => test.test(name))) notice(`no store object is named like ${pattern} today`);
  }
  for (const beginning of prefer) {
    if (!names.some((name) => name.startsWith(beginning)))
      notice(`no store object's name begins with ${beginning} today`);
  }
}

/** @throws ForeignError that explains itself when there is no coherent set. */
export function solutionOf(seen: Survey, subject: Dynamic, catalogue: Catalogue): Solution {
  if (seen.outcome.kind === 'solution') return seen.outcome;
  throw conflictError(subject.program, seen.outcome, unprovidedNames(seen.problem), catalogue, seen.closest);
}

/** The set as it is without the new choices; undefined where there is none, which may be why somebody chooses. */
function setBefore(subject: Dynamic, catalogue: Catalogue, choices: Choices): Solution | undefined {
  const { outcome } = survey(subject, catalogue, choices);
  return outcome.kind === 'solution' ? outcome : undefined;
}

export interface Session {
  readonly given: string;
  readonly subject: Dynamic;
  readonly context: Context;
  readonly place: Place;
  readonly catalogue: Catalogue;
  readonly earlier: Choices;
}

/** Keeps choices that have a set, and plans by them. */
export async function enactChoices(
  { subject, context, place, catalogue, earlier }: Session,
  choices: Choices,
): Promise<ChooseOutcome> {
  const before = setBefore(subject, catalogue, earlier);
  const after = solutionOf(survey(subject, catalogue, choices), subject, catalogue);
  await chooseFor(subject.program, choices, earlier, context, place);
  return { kind: 'chosen', choices, changes: before === undefined ? [] : changesBetween(before, after) };
}

function listed({ given, subject, catalogue, earlier }: Session): ChooseOutcome {
  const seen = survey(subject, catalogue, earlier);
  const alternatives = alternativesOf(seen.problem, seen.every, solutionOf(seen, subject, catalogue));
  return {
    kind: 'listed',
    text: alternativesText(given, earlier, alternatives),
    value: {
      program: subject.program.path,
      choices: earlier,
      alternatives: alternatives.map(alternativesView),
    },
  };
}

/** Does what the words say or, when they say nothing, what `otherwise` does: a dialogue or a list. */
export async function choose(
  given: string,
  words: ChooseWords,
  context: Context,
  otherwise: (session: Session) => Promise<ChooseOutcome> | ChooseOutcome = listed,
): Promise<ChooseOutcome> {
  const subject = dynamicOnly(given, context);
  return await inUsablePlace(context.surroundings.uid, async (place) => {
    const kept = await choicesOfProgram(subject.program, context);
    const catalogue = await openStore(place.catalogues, context.location);
    try {
      const session = { given, subject, context, place, catalogue, earlier: kept?.choices ?? NO_CHOICES };
      const added = wordsToChoices(words, catalogue, subject);
      if (!words.reset && !hasChoices(added)) return await otherwise(session);
      noticeUnknown(added, catalogue);
      return await enactChoices(session, addChoices(words.reset ? NO_CHOICES : session.earlier, added));
    } finally {
      catalogue.close();
    }
  });
}

const LISTED = 20;

/** What was done, for people. */
export function outcomeText(outcome: ChooseOutcome): string {
  if (outcome.kind === 'listed') return outcome.text;
  if (outcome.kind !== 'chosen') return 'nothing was changed';
  const { choices, changes } = outcome;
  const shown = changes.slice(0, LISTED).map(changeLine);
  const more = changes.length - shown.length;
  const effect =
    changes.length === 0
      ? ['every library stays as it was']
      : ['changes:', ...shown, ...(more > 0 ? [`  and ${more} more (--json has all)`] : [])];
  return [...choicesText(choices), ...effect].join('\n');
}
