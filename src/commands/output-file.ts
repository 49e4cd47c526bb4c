// Text → the file that the user named, `-` for stdout.
import { statSync, writeFileSync } from 'node:fs';
import { ForeignError, reasonOf } from '../errors.ts';
import { writeFileDurably } from '../platform/atomic-file.ts';

/** Readable for all, as files that are handed on are. @throws ForeignError `unwritable`. */
export function writeOutput(file: string, text: string): void {
  if (file === '-') return void process.stdout.write(text);
  try {
    // What is no file, such as a pipe or /dev/stdout, cannot be replaced by one.
    const isFile = statSync(file, { throwIfNoEntry: false })?.isFile() ?? true;
    if (isFile) writeFileDurably(file, text, 0o644);
    else writeFileSync(file, text);
  } catch (error) {
    throw new ForeignError(`${file}: it cannot be written: ${reasonOf(error)}`, {
      code: 'unwritable',
      hint: 'name a file that can be written: -o FILE',
      exitCode: 125,
      cause: error,
    });
  }
}
