// `nix-foreign choose PROGRAM`: the words of its options → choices that are checked, saved and planned by; or a list.
import type { Problem } from '../../candidates/problem.ts';
import { isSameLibrary } from '../../candidates/soname.ts';
import {
  candidatesForMissing,
  candidatesInSet,
  changesBetween,
  type SetChange,
  type SonameCandidates,
} from '../../choices/alternatives.ts';
import {
  addChoices,
  addedFiles,
  type Choices,
  digestOfChoices,
  dropChoices,
  hasChoices,
  NO_CHOICES,
  namePattern,
} from '../../choices/choices.ts';
import { addableName, findAdded, findPin } from '../../choices/find-pin.ts';
import type { Directories } from '../../host/directories.ts';
import { ForeignError } from '../../host/errors.ts';
import { moreText, notice } from '../../host/output.ts';
import { fileWord, shellWord } from '../../host/shell-words.ts';
import { inspectProgram } from '../../program/inspect-program.ts';
import { conflictError } from '../../resolve/conflict-error.ts';
import type { Context } from '../../resolve/context.ts';
import { fetchNamed } from '../../resolve/fetch-named.ts';
import { choicesOfProgram, type DynamicProgram, dynamicOf } from '../../resolve/job.ts';
import { openAlternatives, type StoreAlternatives } from '../../resolve/solve-program.ts';
import { type ChoiceChange, chooseFor } from '../../resolve/with-choices.ts';
import { inWritableDirectories } from '../../resolve/writable-directories.ts';
import { unprovidedNames } from '../../solver/explain-conflict.ts';
import type { Conflict, Solution, Undecided } from '../../solver/solution.ts';
import { askingAgain } from '../../store/asking-again.ts';
import type { Catalogue } from '../../store/catalogue.ts';
import { releaseLinks } from '../../store/fetch.ts';
import { openStore, withStore } from '../../store/open-catalogue.ts';
import { closureSizes } from '../../store/sizes.ts';
import { nameOfStoreObject } from '../../store/store-location.ts';
import { candidateRows, candidatesText, changeLine, choicesText } from './candidate-rows.ts';

/** `cancelled`: Ctrl-C in the dialogue. */
export type ChooseOutcome =
  | { readonly kind: 'listed'; readonly text: string; readonly value: unknown }
  | {
      readonly kind: 'chosen';
      readonly choices: Choices;
      /** What differs from the set before; null where there was none. */
      readonly changes: readonly SetChange[] | null;
      /** How many libraries the set has now. */
      readonly libraries: number;
      /** Pins that came to nothing. */
      readonly idlePins: readonly string[];
    }
  | { readonly kind: 'unchanged' | 'cancelled' };

export function dynamicOnly(typedName: string, context: Context): DynamicProgram {
  const program = dynamicOf(inspectProgram(typedName, context.host));
  if (program !== undefined) return program;
  throw new ForeignError(`${typedName}: it needs no library of the store, so there is nothing to choose`, {
    code: 'nothing-to-choose',
    hint: `see how it is started with: nix-foreign explain ${fileWord(typedName)}`,
    exitCode: 125,
  });
}

/** Why there is no coherent set. */
function refusal(
  seen: StoreAlternatives,
  outcome: Conflict | Undecided,
  { program, catalogue }: Pick<ChooseSession, 'program' | 'catalogue'>,
): ForeignError {
  return conflictError(program, outcome, {
    missing: unprovidedNames(seen.problem),
    catalogue,
    closest: seen.closest,
  });
}

/** @throws ForeignError that explains itself where there is no set and no choice would make one. */
export function candidatesOrRefusal(seen: StoreAlternatives, session: ChooseSession): SonameCandidates {
  const { outcome } = seen;
  if (outcome.kind === 'solution') return candidatesInSet(seen, outcome);
  const candidates = candidatesForMissing(seen);
  if (candidates !== undefined) return candidates;
  throw refusal(seen, outcome, session);
}

/** The set as it is without the new choices; undefined where there is none, which may be why somebody chooses. */
function setBefore(program: DynamicProgram, catalogue: Catalogue, choices: Choices): Solution | undefined {
  const { outcome } = openAlternatives(program, catalogue, choices);
  return outcome.kind === 'solution' ? outcome : undefined;
}

export interface ChooseSession {
  readonly typedName: string;
  readonly program: DynamicProgram;
  readonly context: Context;
  readonly dirs: Directories;
  readonly catalogue: Catalogue;
  readonly earlier: Choices;
}

/** Whether planning would fetch what the store lacks for these choices. Asks before anything is changed. */
async function canBeFetched(
  { program, context, dirs }: ChooseSession,
  choices: Choices,
  { lacking = [] }: StoreAlternatives,
): Promise<boolean> {
  if (lacking.length === 0) return false;
  const { previewOfFetch } = await import('../../resolve/preview-resolution.ts');
  return (await previewOfFetch({ program, context, dirs, choices }, lacking))?.kind === 'planned';
}

/** The store as it is after planning: what was fetched is in the catalogue that it refreshed. */
async function seenAfterwards(
  { program, context, dirs }: ChooseSession,
  choices: Choices,
): Promise<StoreAlternatives> {
  return await withStore(dirs.catalogues, context.location, (catalogue) =>
    openAlternatives(program, catalogue, choices),
  );
}

/**
 * Saves choices that have a set, and plans by them. What was chosen since the session began stays, as far as `change`
 * leaves it. @throws ForeignError that explains itself when there is none.
 */
export async function saveChecked(session: ChooseSession, change: ChoiceChange): Promise<ChooseOutcome> {
  const { program, context, dirs, catalogue, earlier } = session;
  const wanted = change(earlier);
  const before = setBefore(program, catalogue, earlier);
  const first = openAlternatives(program, catalogue, wanted);
  const isFetched = await canBeFetched(session, wanted, first);
  const added = addedFiles(wanted, catalogue.storeDir);
  const asked = { program: { ...program, added }, catalogue };
  if (first.outcome.kind !== 'solution' && !isFetched) throw refusal(first, first.outcome, asked);
  const choices = await chooseFor(program, change, { context, dirs });
  const isFirst = !isFetched && digestOfChoices(choices) === digestOfChoices(wanted);
  const seen = isFirst ? first : await seenAfterwards(session, choices);
  const { outcome: after } = seen;
  if (after.kind !== 'solution') throw refusal(seen, after, asked);
  const idle = idlePins(choices, after, seen.problem);
  for (const each of idle) notice(idleNotice(each, session.typedName));
  const changes = before === undefined ? null : changesBetween(before, after);
  const names = idle.map(({ name }) => name);
  return { kind: 'chosen', choices, changes, libraries: after.choices.length, idlePins: names };
}

function listed(session: ChooseSession): ChooseOutcome {
  const { typedName, program, catalogue, context, earlier } = session;
  const candidates = candidatesOrRefusal(openAlternatives(program, catalogue, earlier), session);
  const sizes = closureSizes(context.location);
  try {
    return {
      kind: 'listed',
      text: candidatesText(typedName, earlier, candidates, sizes.bytesOf),
      value: {
        program: program.path,
        choices: earlier,
        set: candidates.kind === 'set' ? 'found' : 'none',
        alternatives: candidateRows(candidates, sizes.bytesOf),
      },
    };
  } finally {
    sizes.close();
  }
}

/** Does what the words say or, when they say nothing, what `otherwise` does: a dialogue or a list. */
export async function choose(
  typedName: string,
  words: ChooseWords,
  context: Context,
  otherwise: (session: ChooseSession) => Promise<ChooseOutcome> | ChooseOutcome = listed,
): Promise<ChooseOutcome> {
  const program = dynamicOnly(typedName, context);
  return await inWritableDirectories(context.host.uid, async (dirs) => {
    const savedChoices = await choicesOfProgram(program, context);
    // What was fetched is held until a plan roots it.
    const held = await fetchNamed(filesIn(words), typedName, context, dirs);
    const request = { typedName, program, context, dirs, earlier: savedChoices?.choices ?? NO_CHOICES };
    try {
      return await chooseIn(request, words, otherwise);
    } finally {
      releaseLinks(held);
    }
  });
}

async function chooseIn(
  request: Omit<ChooseSession, 'catalogue'>,
  words: ChooseWords,
  otherwise: (session: ChooseSession) => Promise<ChooseOutcome> | ChooseOutcome,
): Promise<ChooseOutcome> {
  const { program, context, dirs } = request;
  const catalogue = askingAgain(await openStore(dirs.catalogues, context.location));
  try {
    const session = { ...request, catalogue };
    const added = wordsToChoices(words, catalogue, program);
    if (!words.reset && words.drop.length === 0 && !hasChoices(added)) return await otherwise(session);
    assertDropped(words, session);
    noticeUnknown(added, catalogue);
    const kept = (now: Choices): Choices => (words.reset ? NO_CHOICES : dropChoices(now, words.drop).left);
    return await saveChecked(session, (now) => addChoices(kept(now), added));
  } finally {
    catalogue.close();
  }
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
  const more = moreText(changes.length - shown.length);
  return ['changes:', ...shown, ...(more === '' ? [] : [` ${more} (--json has all)`])];
}

/** What the command line asked for. Each word of `pin` is `SONAME=PATH`, each of `add` that or `SONAME`. */
export interface ChooseWords {
  readonly pin: readonly string[];
  readonly add: readonly string[];
  readonly exclude: readonly string[];
  readonly prefer: readonly string[];
  /** Names, patterns and beginnings of earlier choices. */
  readonly drop: readonly string[];
  readonly reset: boolean;
}

function usage(message: string, hint: string): ForeignError {
  return new ForeignError(message, { code: 'usage', hint, exitCode: 125 });
}

/** @throws ForeignError `usage` for a word that nothing was chosen by. */
function assertDropped({ drop }: ChooseWords, { earlier, typedName }: ChooseSession): void {
  const [unknown] = dropChoices(earlier, drop).unknown;
  if (unknown === undefined) return;
  throw usage(
    `${unknown}: nothing was chosen by that name`,
    `see what was chosen with: nix-foreign choose ${fileWord(typedName)} --json`,
  );
}

/** @throws ForeignError `usage` or `bad-pin` for words that mean nothing. */
function wordsToChoices(words: ChooseWords, catalogue: Catalogue, program: DynamicProgram): Choices {
  const pins = words.pin.map((word): [string, string] => {
    const at = word.indexOf('=');
    if (at < 1 || at === word.length - 1)
      throw usage(`${word}: a pin is SONAME=PATH`, 'e.g. --pin libssl.so.3=/nix/store/...-openssl-3.0.11');
    return [word.slice(0, at), findPin(word.slice(0, at), word.slice(at + 1), catalogue, program)];
  });
  const add = words.add.map((word) => addedByWord(word, catalogue, program));
  const [twice] = add.find(([name, file]) => file !== null && pins.some(([pin]) => pin === name)) ?? [];
  if (twice !== undefined)
    throw usage(`${twice}: --pin and --add each name a file for it`, 'say which file serves it once');
  const { exclude, prefer } = words;
  if ([...exclude, ...prefer].includes(''))
    throw usage('an empty name fits everything', "name store objects, e.g. --exclude 'openssl-1.*'");
  return {
    pins: Object.fromEntries(pins),
    exclude,
    prefer,
    ...(add.length === 0 ? {} : { add: Object.fromEntries(add) }),
  };
}

/** Files and store objects that the words name. */
function filesIn({ pin, add }: ChooseWords): string[] {
  return [...pin, ...add].flatMap((word) => (word.includes('=') ? word.slice(word.indexOf('=') + 1) : []));
}

function addedByWord(word: string, catalogue: Catalogue, program: DynamicProgram): [string, string | null] {
  const at = word.indexOf('=');
  if (at === 0 || at === word.length - 1 || word === '')
    throw usage(
      `${word}: what is added is SONAME or SONAME=FILE`,
      'e.g. --add libmine.so.1=lib/libmine.so.1.2',
    );
  if (at > 0)
    return [word.slice(0, at), findAdded(word.slice(0, at), word.slice(at + 1), catalogue, program)];
  return [addableName(word, program), null];
}

/** Says which words fit nothing in the store: most likely they are misspelled. They are saved all the same. */
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

/** A pin without effect. `meant`: another version of its name, which something in the set needs. */
interface IdlePin {
  readonly name: string;
  readonly file: string;
  readonly why: string;
  readonly meant: string | undefined;
}

/** Pins that nobody asks for: the name is misspelled, or another choice left out whoever needed it. */
function idlePins(
  { pins }: Choices,
  { choices, familyNames }: Solution,
  { bundled }: Pick<Problem, 'bundled'>,
): IdlePin[] {
  const needed = new Set([...choices.map(({ name }) => name), ...familyNames]);
  return Object.entries(pins)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .filter(([name]) => bundled.has(name) || !needed.has(name))
    .map(([name, file]) => ({
      name,
      file,
      why: bundled.has(name) ? 'the program brings its own' : 'nothing in the set needs it',
      meant: [...needed].sort().find((each) => !bundled.has(name) && isSameLibrary(each, name)),
    }));
}

/** With the line to type where there is one that works. */
function idleNotice({ name, file, why, meant }: IdlePin, typedName: string): string {
  const remedy =
    meant === undefined
      ? ''
      : `; it needs ${meant}: nix-foreign choose ${fileWord(typedName)} --pin ${shellWord(`${meant}=${file}`)}`;
  return `the pin of ${name} has no effect: ${why}${remedy}`;
}
