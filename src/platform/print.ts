// Text and values for the user → stdout.
import { printable, printableLine } from './terminal-text.ts';

/** One or more lines on stdout; control characters in them become `?`. */
export function printLine(text: string): void {
  process.stdout.write(`${printable(text)}\n`);
}

/** One line on stdout, whatever line breaks are in it. */
export function printOneLine(text: string): void {
  process.stdout.write(`${printableLine(text)}\n`);
}

/** A value as JSON on stdout. Control characters that JSON leaves as they are, DEL and C1, are written as escapes. */
export function printJson(value: unknown): void {
  const text = JSON.stringify(value, null, 2).replace(
    /[\u007f-\u009f]/g,
    (character) => `\\u00${character.charCodeAt(0).toString(16)}`,
  );
  process.stdout.write(`${text}\n`);
}
