// The words of `--pin`, `--exclude` and `--prefer` → choices, and a line for each that comes to nothing.
import type { Problem } from '../candidates/problem.ts';
import type { Choices } from '../choices/choices.ts';
import { findPin } from '../choices/find-pin.ts';
import { namePattern } from '../choices/name-pattern.ts';
import { ForeignError } from '../errors.ts';
import type { Dynamic } from '../pipeline/subject.ts';
import { notice } from '../platform/report.ts';
import type { Solution } from '../solve/solution.ts';
import type { Catalogue } from '../store/catalogue.ts';
import { nameOfStoreObject } from '../store/store-location.ts';

/** What the command line asked for. Each word of `pin` is `SONAME=PATH`. */
export interface ChooseWords {
  readonly pin: readonly string[];
  readonly exclude: readonly string[];
  readonly prefer: readonly string[];
  readonly reset: boolean;
}

function usage(message: string, hint: string): ForeignError {
  return new ForeignError(message, { code: 'usage', hint, exitCode: 125 });
}

/** @throws ForeignError `usage` or `bad-pin` for words that mean nothing. */
export function wordsToChoices(words: ChooseWords, catalogue: Catalogue, subject: Dynamic): Choices {
  const pins = words.pin.map((word): [string, string] => {
    const at = word.indexOf('=');
    if (at < 1 || at === word.length - 1)
      throw usage(`${word}: a pin is SONAME=PATH`, 'e.g. --pin libssl.so.3=/nix/store/...-openssl-3.0.11');
    return [word.slice(0, at), findPin(word.slice(0, at), word.slice(at + 1), catalogue, subject)];
  });
  const { exclude, prefer } = words;
  if ([...exclude, ...prefer].includes(''))
    throw usage('an empty name fits everything', "name store objects, e.g. --exclude 'openssl-1.*'");
  return { pins: Object.fromEntries(pins), exclude, prefer };
}

/** Says which words fit nothing in the store: most likely they are misspelled. They are kept all the same. */
export function noticeUnknown({ exclude, prefer }: Choices, catalogue: Catalogue): void {
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

/** Says which pins nobody asks for: the name is misspelled, or another choice left out whoever needed it. */
export function noticeIdle(
  { pins }: Choices,
  { choices, familyNames }: Solution,
  { bundled }: Pick<Problem, 'bundled'>,
): void {
  const needed = new Set([...choices.map(({ name }) => name), ...familyNames]);
  for (const name of Object.keys(pins).sort()) {
    if (bundled.has(name)) notice(`the pin of ${name} has no effect: the program brings its own`);
    else if (!needed.has(name)) notice(`the pin of ${name} has no effect: nothing in the set needs it`);
  }
}
