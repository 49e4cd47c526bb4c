// Text → the file that the user named, `-` for stdout; or a file by a name of ours, which a stranger may have taken.
import { lstatSync, readlinkSync, realpathSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { removeLeftoversOf, rewriteFileDurably, writeFileDurably } from '../host/atomic-file.ts';
import { errnoOf, ForeignError, reasonOf } from '../host/errors.ts';
import { realPath } from '../host/files.ts';

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

/** What open(2) would write to: a link leads to it, also one that leads to nothing yet. @throws Node's errno errors. */
function behindLinks(file: string): string {
  try {
    return realpathSync.native(file);
  } catch (error) {
    const isLink =
      errnoOf(error) === 'ENOENT' && lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink();
    if (isLink) return behindLinks(path.resolve(realPath(path.dirname(file)), readlinkSync(file)));
    if (errnoOf(error) === 'ENOENT') return file;
    throw error;
  }
}

/**
 * A new file is readable for all, as files that are handed on are; one that is there keeps its mode. A link that the
 * user names stays one. @throws ForeignError `unwritable`.
 */
export function writeOutput(named: string, text: string): void {
  if (named === '-') return void process.stdout.write(text);
  try {
    const there = statSync(named, { throwIfNoEntry: false });
    // What is no file, such as a pipe or /dev/stdout, cannot be replaced by one.
    if (there !== undefined && !there.isFile()) return void writeFileSync(named, text);
    const file = behindLinks(named);
    removeLeftoversOf(file);
    if (there === undefined) writeFileDurably(file, text, 0o644);
    else rewriteFileDurably(file, text);
  } catch (error) {
    throw unwritable(named, reasonOf(error), error);
  }
}
