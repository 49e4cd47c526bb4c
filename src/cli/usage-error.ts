// What commander threw → nothing, when help or the version was asked for, or a failure in the form of all of ours.
import { ForeignError } from '../host/errors.ts';

const UNNAMED = '(outputHelp)';

/** A misuse of the command line: status 125, as with env(1). */
export function usageError(message: string, hint = 'see nix-foreign --help'): ForeignError {
  return new ForeignError(message, { code: 'usage', hint, exitCode: 125 });
}

interface ParseFailure {
  readonly cause: string;
  readonly hint: string;
}

/** The words of a usage in front of its arguments. */
const nameOf = (usage: string): string => usage.replace(/ [<[].*/, '');

/** The longest beginning of what was typed that is a command or a group of commands. */
function commandTyped(words: readonly string[], usages: readonly string[]): string {
  const names = usages.map(nameOf);
  const [first = '', second = ''] = words[0] === 'help' ? words.slice(1) : words;
  if (names.includes(`${first} ${second}`)) return `${first} ${second}`;
  return names.some((name) => name === first || name.startsWith(`${first} `)) ? first : '';
}

function helpOf(command: string): string {
  return `see nix-foreign ${command === '' ? '' : `${command} `}--help`;
}

/** Of help that nobody asked for: commander shows it for no command, and for help about one that there is not. */
function failureOfNoCommand(words: readonly string[], usages: readonly string[]): ParseFailure {
  const typed = commandTyped(words, usages);
  if (typed !== '' && words.at(-1) === typed) {
    const below = usages.map(nameOf).filter((name) => name.startsWith(`${typed} `));
    return {
      cause: `${typed} needs a command`,
      hint: `name one of: ${below.map((each) => `nix-foreign ${each}`).join(', ')}`,
    };
  }
  const cause = words.length === 0 ? 'no command is named' : `unknown command '${words.at(-1)}'`;
  return { cause, hint: helpOf(typed) };
}

/** commander's own words, without its `error: ` and with its guess as what to type. */
function failureOf(message: string, words: readonly string[], usages: readonly string[]): ParseFailure {
  if (message === UNNAMED) return failureOfNoCommand(words, usages);
  const typed = commandTyped(words, usages);
  const cause = message.replace(/^error: /, '');
  const [, what = '', guess] = /^(.*)\n\(Did you mean ([a-z-]+)\?\)$/s.exec(cause) ?? [];
  if (guess === undefined) {
    const usage = usages.find((each) => nameOf(each) === typed);
    return /^missing required argument/.test(cause) && usage !== undefined
      ? { cause, hint: `it is: nix-foreign ${usage}; ${helpOf(typed)}` }
      : { cause: cause.replace(/\n(\(Did you mean .*\))$/, ' $1'), hint: helpOf(typed) };
  }
  const meant = guess.startsWith('-') ? guess : `nix-foreign ${typed === '' ? '' : `${typed} `}${guess}`;
  return { cause: what, hint: `did you mean ${meant}? ${helpOf(typed)}` };
}

/**
 * The failure behind an error thrown while the words were parsed; undefined where help or the version was asked for,
 * which commander has printed. What is no error of commander's is returned as it is.
 */
export function failureOfParsing(
  error: unknown,
  words: readonly string[],
  usages: readonly string[],
): unknown {
  const { code, exitCode, message } = error as { code?: unknown; exitCode?: number; message?: string };
  if (typeof code !== 'string' || !code.startsWith('commander.')) return error;
  if (exitCode === 0) return undefined;
  const { cause, hint } = failureOf(message ?? '', words, usages);
  return usageError(cause, hint);
}
