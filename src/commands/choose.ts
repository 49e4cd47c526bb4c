// `nix-foreign choose PROGRAM`: which libraries there are to choose from, and the user's decisions kept with the program.
import { inspectProgram } from '../candidates/program.ts';
import { addChoices, type Choices, hasChoices, NO_CHOICES } from '../choices/choices.ts';
import { type Offers, offersForLacks, offersInSet } from '../choices/offers.ts';
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
import type { Conflict, Solution, Undecided } from '../solve/solution.ts';
import { unprovidedNames } from '../solve/unprovided.ts';
import type { Catalogue } from '../store/catalogue.ts';
import { closureSizes } from '../store/closure-size.ts';
import { openStore } from '../store/open-store.ts';
import { offersText } from './choose-list.ts';
import { changeLine, choicesText, offersView } from './choose-view.ts';
import { type ChooseWords, noticeIdle, noticeUnknown, wordsToChoices } from './choose-words.ts';

/** `cancelled`: Ctrl-C in the dialogue. */
export type ChooseOutcome =
  | { readonly kind: 'listed'; readonly text: string; readonly value: unknown }
  | {
      readonly kind: 'chosen';
      readonly choices: Choices;
      /** What differs from the set before; null where there was none. */
      readonly changes: readonly Change[] | null;
      /** How many libraries the set has now. */
      readonly libraries: number;
    }
  | { readonly kind: 'unchanged' | 'cancelled' };

export function dynamicOnly(given: string, context: Context): Dynamic {
  const subject = dynamicOf(inspectProgram(given, context.surroundings));
  if (subject !== undefined) return subject;
  throw new ForeignError(`${given}: it needs no library of the store, so there is nothing to choose`, {
    code: 'nothing-to-choose',
    hint: `see how it is started with: nix-foreign explain ${given}`,
    exitCode: 125,
  });
}

/** Why there is no coherent set. */
function refusal(
  seen: Survey,
  outcome: Conflict | Undecided,
  { subject, catalogue }: Pick<Session, 'subject' | 'catalogue'>,
): ForeignError {
  return conflictError(subject.program, outcome, unprovidedNames(seen.problem), catalogue, seen.closest);
}

/** @throws ForeignError that explains itself where there is no set and no choice would make one. */
export function offersOrRefusal(seen: Survey, session: Session): Offers {
  const { outcome } = seen;
  if (outcome.kind === 'solution') return offersInSet(seen, outcome);
  const offers = offersForLacks(seen);
  if (offers !== undefined) return offers;
  throw refusal(seen, outcome, session);
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

/** Keeps choices that have a set, and plans by them. @throws ForeignError that explains itself when there is none. */
export async function enactChoices(session: Session, choices: Choices): Promise<ChooseOutcome> {
  const { subject, context, place, catalogue, earlier } = session;
  const before = setBefore(subject, catalogue, earlier);
  const seen = survey(subject, catalogue, choices);
  const { outcome: after } = seen;
  if (after.kind !== 'solution') throw refusal(seen, after, session);
  await chooseFor(subject.program, choices, earlier, context, place);
  noticeIdle(choices, after, seen.problem);
  const changes = before === undefined ? null : changesBetween(before, after);
  return { kind: 'chosen', choices, changes, libraries: after.choices.length };
}

function listed(session: Session): ChooseOutcome {
  const { given, subject, catalogue, context, earlier } = session;
  const offers = offersOrRefusal(survey(subject, catalogue, earlier), session);
  const sizes = closureSizes(context.location);
  try {
    return {
      kind: 'listed',
      text: offersText(given, earlier, offers, sizes.bytesOf),
      value: {
        program: subject.program.path,
        choices: earlier,
        set: offers.kind === 'set' ? 'found' : 'none',
        alternatives: offersView(offers, sizes.bytesOf),
      },
    };
  } finally {
    sizes.close();
  }
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
  return [...choicesText(outcome.choices), ...effectLines(outcome)].join('\n');
}

function effectLines({ changes, libraries }: Extract<ChooseOutcome, { kind: 'chosen' }>): string[] {
  if (changes === null) return [`there was no set; now there is one of ${libraries}`];
  if (changes.length === 0) return ['every library stays as it was'];
  const shown = changes.slice(0, LISTED).map(changeLine);
  const more = changes.length - shown.length;
  return ['changes:', ...shown, ...(more > 0 ? [`  and ${more} more (--json has all)`] : [])];
}
