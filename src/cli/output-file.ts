// Text → the file that the user named, `-` for stdout; or a file by a name of ours, which a stranger may have taken.
import { lstatSync, statSync, writeFileSync } from 'node:fs';
import { removeLeftoversOf, writeFileDurably } from '../host/atomic-file.ts';
import { ForeignError, reasonOf } from '../host/errors.ts';

function unwritable(file: string, why: string, cause?: unknown): ForeignError {
  return new ForeignError(`${file}: it cannot be written: ${why}`, {
    code: 'unwritable',
    hint: 'name a file that can be written: -o FILE',
    exitCode: 125,
    cause,
  });
}

/**
 * Writes where nobody said that a pipe or a device may be: a link there is replaced and never followed, and what is
 * neither that nor a file stays. @throws ForeignError `unwritable`.
 */
export function writeByOurName(file: string, text: string): void {
  try {
    const there = lstatSync(file, { throwIfNoEntry: false });
    if (there !== undefined && !there.isFile() && !there.isSymbolicLink())
      throw unwritable(file, 'what is there is no file');
    removeLeftoversOf(file);
    writeFileDurably(file, text, 0o644);
  } catch (error) {
    throw error instanceof ForeignError ? error : unwritable(file, reasonOf(error), error);
  }
}

/** Readable for all, as files that are handed on are. @throws ForeignError `unwritable`. */
export function writeOutput(file: string, text: string): void {
  if (file === '-') return void process.stdout.write(text);
  try {
    // What is no file, such as a pipe or /dev/stdout, cannot be replaced by one.
    const isFile = statSync(file, { throwIfNoEntry: false })?.isFile() ?? true;
    if (isFile) removeLeftoversOf(file);
    if (isFile) writeFileDurably(file, text, 0o644);
    else writeFileSync(file, text);
  } catch (error) {
    throw unwritable(file, reasonOf(error), error);
  }
}
