// Text for the user → stdout.
import { printable } from './terminal-text.ts';

/** One or more lines on stdout; control characters in them become `?`. */
export function printLine(text: string): void {
  process.stdout.write(`${printable(text)}\n`);
}
