// The kind of error that commander throws, and the words → what is wrong with them, in the form of all our failures.
import { ForeignError } from '../host/errors.ts';
import { fileWord } from '../host/shell-words.ts';
import type { CommandRow } from './command.ts';

/** A misuse of the command line: status 125, as with env(1). */
export function usageError(message: string, hint = 'see nix-foreign --help'): ForeignError {
  return new ForeignError(message, { code: 'usage', hint, exitCode: 125 });
}

/** Who names a program means that one, and lost every other. @throws ForeignError `usage`. */
export function refuseBesideAll(command: string, programs: readonly string[], isTree = false): void {
  const [first] = programs;
  if (first === undefined) return;
  const named = isTree
    ? `nix-foreign ${command} --tree ${fileWord(first)}`
    : `nix-foreign ${command} ${fileWord(first)}`;
  throw usageError(
    `${command}: --all stands beside ${first}, and means every program that is known`,
    `name programs, or all: ${named}, or nix-foreign ${command} --all`,
  );
}

/** The words of a usage in front of its arguments. */
const nameOf = ({ usage }: CommandRow): string => usage.replace(/ [<[].*/, '');

/** The longest beginning of what was typed that is a command or a group of commands. */
function commandTyped([first = '', second = '']: readonly string[], rows: readonly CommandRow[]): string {
  const names = rows.map(nameOf);
  if (names.includes(`${first} ${second}`)) return `${first} ${second}`;
  return names.some((name) => name === first || name.startsWith(`${first} `)) ? first : '';
}

const flagsOf = ({ options }: CommandRow): string[] =>
  options.flatMap(([flags]) => flags.replace(/ <.*/, '').split(', '));

/** What commander found to be like the word: its sentence, and no other program's, is read here. */
function suggestionIn(message: unknown): string {
  const [, like] = /\(Did you mean (?:one of )?(.+)\?\)$/.exec(String(message)) ?? [];
  return like === undefined ? '' : `did you mean ${like.split(', ').join(' or ')}? `;
}

/** What was typed: a command, a group of commands, or nothing; and the words behind it. */
interface Typed {
  readonly typed: string;
  readonly rest: readonly string[];
  /** In front of the hint; empty where nothing is like the word. */
  readonly suggestion: string;
}

function unknownCommand({ typed, rest, suggestion }: Typed, rows: readonly CommandRow[]): ForeignError {
  const below = rows.map(nameOf).filter((name) => name.startsWith(`${typed} `));
  const [unknown] = rest;
  const none = typed === '' ? 'no command is named' : `${typed} needs a command`;
  return usageError(
    unknown === undefined ? none : `unknown command '${unknown}'`,
    typed === ''
      ? `${suggestion}see nix-foreign --help`
      : `${suggestion}name one of: ${below.map((each) => `nix-foreign ${each}`).join(', ')}`,
  );
}

function unknownOption(row: CommandRow | undefined, { rest, suggestion }: Typed): ForeignError {
  const flags = row === undefined ? [] : flagsOf(row);
  const unknown = rest.find((word) => word.startsWith('-') && !flags.includes(word.replace(/=.*/s, '')));
  const takes = flags.length === 0 ? '' : `it takes ${flags.join(', ')}; `;
  const hint = row && `${suggestion}${takes}see nix-foreign ${nameOf(row)} --help`;
  return usageError(`unknown option '${unknown ?? rest.at(-1)}'`, hint);
}

/** `code`: of the list in commander's docs/error-handling; `message`: its sentence. */
function failureOf(
  { code, message }: { readonly code: string; readonly message: unknown },
  words: readonly string[],
  rows: readonly CommandRow[],
): ForeignError {
  const line = words[0] === 'help' ? words.slice(1) : words;
  const typed = commandTyped(line, rows);
  const rest = typed === '' ? line : line.slice(typed.split(' ').length);
  const row = rows.find((each) => nameOf(each) === typed);
  const help = row && `it is: nix-foreign ${row.usage}; see nix-foreign ${typed} --help`;
  switch (code) {
    case 'commander.help':
    case 'commander.unknownCommand':
      return unknownCommand({ typed, rest, suggestion: suggestionIn(message) }, rows);
    case 'commander.unknownOption':
      return unknownOption(row, { typed, rest, suggestion: suggestionIn(message) });
    case 'commander.missingArgument':
      return usageError(`${typed}: an argument is missing`, help);
    case 'commander.excessArguments':
      return usageError(`${typed}: too many arguments`, help);
    case 'commander.optionMissingArgument':
      return usageError(`${typed}: ${rest.at(-1)} needs a value`, help);
    default:
      return usageError(`${typed}: these words are not understood`, help);
  }
}

/**
 * The failure behind an error thrown while the words were parsed; undefined where help or the version was asked for,
 * which commander has printed. What is no error of commander's is returned as it is.
 */
export function failureOfParsing(
  error: unknown,
  words: readonly string[],
  rows: readonly CommandRow[],
): unknown {
  const { code, exitCode, message } = error as { code?: unknown; exitCode?: number; message?: unknown };
  if (typeof code !== 'string' || !code.startsWith('commander.')) return error;
  return exitCode === 0 ? undefined : failureOf({ code, message }, words, rows);
}
