// Text → the file that the user named, `-` for stdout; or a file by a name of ours, which a stranger may have taken.
import { closeSync, constants, fstatSync, lstatSync, openSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { removeLeftoversOf, rewriteNamedFile, writeNamedFile } from '../host/atomic-file.ts';
import { ForeignError, reasonOf } from '../host/errors.ts';
import { directoryToWrite, targetToWrite } from '../host/trusted-way.ts';

const NAME_ANOTHER = 'name a file that can be written';

function unwritable(file: string, why: string, hint: string, cause?: unknown): ForeignError {
  return new ForeignError(`${file}: it cannot be written: ${why}`, {
    code: 'unwritable',
    hint,
    exitCode: 125,
    cause,
  });
}

/**
 * Writes where nobody said that a pipe or a device may be: a link there is replaced and never followed, and what is
 * neither that nor a file stays. `hint`: how another file is named. @throws ForeignError `unwritable`.
 */
export function writeByOurName(file: string, text: string, hint = `${NAME_ANOTHER}: -o FILE`): void {
  try {
    const there = lstatSync(file, { throwIfNoEntry: false });
    if (there !== undefined && !there.isFile() && !there.isSymbolicLink())
      throw unwritable(file, 'what is there is no file', hint);
    removeLeftoversOf(file);
    writeNamedFile(file, text, 0o644);
  } catch (error) {
    throw error instanceof ForeignError ? error : unwritable(file, reasonOf(error), hint, error);
  }
}

/** Through links of the user's and of root. @throws ForeignError `unwritable`; Node's errno errors. */
function fileMeant(named: string): string {
  if (['', '.', '..'].includes(named.slice(named.lastIndexOf('/') + 1)))
    throw unwritable(named, 'it names a directory', NAME_ANOTHER);
  const file = targetToWrite(named, process.getuid?.() ?? 0);
  if (file !== undefined) return file;
  throw unwritable(
    named,
    'a link of somebody else is on the way, or too many links',
    'if what they lead to is meant, name that itself',
  );
}

/** Bytes into what is no file, such as a pipe or /dev/stdout. @throws Node's errno errors. */
function writeInto(named: string, content: string | Uint8Array): void {
  const fd = openSync(named, constants.O_WRONLY);
  try {
    if (fstatSync(fd).isFile())
      throw unwritable(named, 'a file took its place meanwhile', 'say it again, where nobody else writes');
    writeFileSync(fd, content);
  } finally {
    closeSync(fd);
  }
}

/**
 * A new file is readable for all, as files that are handed on are; one that is there keeps its mode. A link that the
 * user names stays one. @throws ForeignError `unwritable`.
 */
export function writeOutput(named: string, content: string | Uint8Array): void {
  if (named === '-') return void process.stdout.write(content);
  try {
    const there = statSync(named, { throwIfNoEntry: false });
    const file = fileMeant(named);
    // It cannot be replaced by a file.
    if (there !== undefined && !there.isFile()) return void writeInto(named, content);
    removeLeftoversOf(file);
    if (there === undefined) writeNamedFile(file, content, 0o644);
    else rewriteNamedFile(file, content);
  } catch (error) {
    throw error instanceof ForeignError ? error : unwritable(named, reasonOf(error), NAME_ANOTHER, error);
  }
}

/** Where a program is written to by `-o`, which may be a directory: absolute, as the kernel follows the name. */
export function programOutput(typedName: string, output: string, uid: number): string {
  const isDirectory = statSync(output, { throwIfNoEntry: false })?.isDirectory() ?? false;
  const directory = directoryToWrite(isDirectory ? output : path.dirname(output), uid);
  return `${directory === '/' ? '' : directory}/${path.basename(isDirectory ? typedName : output)}`;
}
