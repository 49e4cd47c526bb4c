// What the tool says on stderr: failures as cause and remedy, notices, and the debug log.
// Text and values for the user → stdout.
// Untrusted text (paths, sonames, messages of other programs) → text that is safe to print.
import { writeSync } from 'node:fs';
import { ForeignError, reasonOf, systemFailure } from './errors.ts';

let prefix = 'nix-foreign';
let debugging = false;

/** Chooses the name in front of every line, and whether the debug log is on. */
export function configureReport(name: string, debug: boolean): void {
  prefix = name;
  debugging = debug;
}

/** The name in front of every line. */
export function reportPrefix(): string {
  return prefix;
}

/** Writes to stderr at once; a stderr that is closed or full is nobody's failure. */
function writeToStderr(text: string): void {
  try {
    writeSync(2, text);
  } catch {}
}

/** One line of notice. */
export function notice(line: string): void {
  writeToStderr(`${prefix}: ${printableLine(line)}\n`);
}

/** One line of the debug log (NIX_RUN_FOREIGN_DEBUG=1), with the milliseconds since the process began. */
export function debug(line: string): void {
  if (!debugging) return;
  writeToStderr(`${prefix}: debug: ${printableLine(line)} (${performance.now().toFixed(0)} ms)\n`);
}

/** Prints a failure and returns the exit status that belongs to it. */
export function reportFailure(error: unknown): number {
  const known = error instanceof ForeignError ? error : systemFailure(error);
  if (known !== undefined) {
    writeToStderr(`${prefix}: ${printableLine(known.message)}\n  ${printableLine(known.hint)}\n`);
    if (debugging && known !== error && error instanceof Error) debug(error.stack ?? '');
    return known.exitCode;
  }
  writeToStderr(`${prefix}: internal error: ${printableLine(reasonOf(error))}\n`);
  writeToStderr('  please report it, with the output of NIX_RUN_FOREIGN_DEBUG=1\n');
  if (debugging && error instanceof Error) writeToStderr(`${printable(error.stack ?? '')}\n`);
  return 125;
}

/** One or more lines on stdout; control characters in them become `?`. */
export function printLine(text: string): void {
  process.stdout.write(`${printable(text)}\n`);
}

/** One line on stdout, whatever line breaks are in it. */
export function printOneLine(text: string): void {
  process.stdout.write(`${printableLine(text)}\n`);
}

/** A value as lines of JSON. Control characters that JSON leaves as they are, DEL and C1, are written as escapes. */
export function jsonText(value: unknown): string {
  const text = JSON.stringify(value, null, 2).replace(
    /[\u007f-\u009f]/g,
    (character) => `\\u00${character.charCodeAt(0).toString(16)}`,
  );
  return `${text}\n`;
}

/** A value as JSON on stdout. */
export function printJson(value: unknown): void {
  process.stdout.write(jsonText(value));
}

/** C0 but tab and line feed, DEL, C1, marks of direction (Unicode, UAX 9), separators of lines and paragraphs. */
const CONTROLS =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** Control characters, C1 controls included, become `?`, so that a file name cannot drive the terminal. */
export function printable(text: string): string {
  return text.replace(CONTROLS, '?');
}

/** One line: as `printable`, with line breaks and tabs replaced as well. */
export function printableLine(text: string): string {
  return printable(text).replace(/[\t\n]/g, '?');
}

/** How many there are besides those that were named, as the end of a list; empty where there are none. */
export function moreText(count: number): string {
  return count > 0 ? ` and ${count} more` : '';
}

/** The first few, and how many there are besides: `a, b and 3 more`. */
export function listText(items: readonly string[], limit: number): string {
  return `${items.slice(0, limit).join(', ')}${moreText(items.length - limit)}`;
}

/**
 * Breaks a line at blanks so that none is longer than `width` characters, if its words are not; `hang` begins the later
 * ones.
 */
export function wrapWords(line: string, width: number, hang: string): string[] {
  const lines: string[] = [];
  let current = '';
  for (const word of line.split(' ')) {
    if (current.trim() !== '' && current.length + 1 + word.length > width) {
      lines.push(current);
      current = hang + word;
    } else current = current === '' ? word : `${current} ${word}`;
  }
  return [...lines, current];
}

/** `https://user:secret@host/x?signature` as it may be printed. The file of a key is no secret. */
export function withoutSecrets(text: string): string {
  return text.replaceAll(/(:\/\/)[^\s/?#]*@/g, '$1...@').replaceAll(/(:\/\/[^\s?]*\?)[^\s'"]+/g, '$1...');
}
