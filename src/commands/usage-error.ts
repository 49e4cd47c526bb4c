// What commander threw → nothing, when help or the version was asked for, or a failure in the form of all of ours.
import { ForeignError } from '../errors.ts';

const UNNAMED = '(outputHelp)';

/** A misuse of the command line: status 125, as with env(1). */
export function usageError(message: string, hint = 'see nix-foreign --help'): ForeignError {
  return new ForeignError(message, { code: 'usage', hint, exitCode: 125 });
}

/** commander's own words, without its `error: ` and with its guess in the same line. */
function causeOf(message: string, words: readonly string[]): string {
  if (message !== UNNAMED) return message.replace(/^error: /, '').replace(/\n(\(Did you mean .*\))$/, ' $1');
  // It shows the whole help for no command, and for help about a command that there is not.
  return words.length === 0 ? 'no command is named' : `unknown command '${words.at(-1)}'`;
}

/**
 * The failure behind an error thrown while the words were parsed; undefined where help or the version was asked for,
 * which commander has printed. What is no error of commander's is returned as it is.
 */
export function failureOfParsing(error: unknown, words: readonly string[]): unknown {
  const { code, exitCode, message } = error as { code?: unknown; exitCode?: number; message?: string };
  if (typeof code !== 'string' || !code.startsWith('commander.')) return error;
  return exitCode === 0 ? undefined : usageError(causeOf(message ?? '', words));
}
