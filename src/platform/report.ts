// What the tool says on stderr: failures as cause and remedy, notices, and the debug log.
import { writeSync } from 'node:fs';
import { ForeignError, reasonOf } from '../errors.ts';
import { printable, printableLine } from './terminal-text.ts';

let prefix = 'nix-foreign';
let debugging = false;

/** Chooses the name in front of every line, and whether the debug log is on. */
export function configureReport(name: string, debug: boolean): void {
  prefix = name;
  debugging = debug;
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
  if (error instanceof ForeignError) {
    writeToStderr(`${prefix}: ${printableLine(error.message)}\n  ${printableLine(error.hint)}\n`);
    return error.exitCode;
  }
  writeToStderr(`${prefix}: internal error: ${printableLine(reasonOf(error))}\n`);
  writeToStderr('  please report it, with the output of NIX_RUN_FOREIGN_DEBUG=1\n');
  if (debugging && error instanceof Error) writeToStderr(`${printable(error.stack ?? '')}\n`);
  return 125;
}
