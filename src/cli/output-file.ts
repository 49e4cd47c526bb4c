// Text → the file that the user named, `-` for stdout; or a file by a name of ours, which a stranger may have taken.
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readlinkSync,
  realpathSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { removeLeftoversOf, rewriteFileDurably, writeFileDurably } from '../host/atomic-file.ts';
import { ForeignError, reasonOf } from '../host/errors.ts';
import { realPath } from '../host/files.ts';
import { MOST_LINKS, trustedOwners } from '../host/trusted-way.ts';

function unwritable(file: string, why: string, cause?: unknown): ForeignError {
  return new ForeignError(`${file}: it cannot be written: ${why}`, {
    code: 'unwritable',
    hint: 'name a file that can be written',
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

/**
 * What open(2) would write to: a link leads to it, also one that leads to nothing yet. Not a link of somebody else, who
 * could lead there to any file (the kernel has it so in sticky directories: proc(5), "protected_symlinks").
 * @throws ForeignError `others-link`; Node's errno errors.
 */
function behindLinks(named: string): string {
  const owners = trustedOwners(process.getuid?.() ?? 0);
  let file = path.resolve(named);
  for (let links = 0; ; links += 1) {
    const stats = lstatSync(file, { throwIfNoEntry: false });
    if (stats === undefined || !stats.isSymbolicLink()) return file;
    if (links === MOST_LINKS) return realpathSync.native(file); // ELOOP
    const target = readlinkSync(file);
    if (!owners.includes(stats.uid))
      throw unwritable(named, `${file} is a link of uid ${stats.uid}, and leads to ${target}`);
    file = path.resolve(realPath(path.dirname(file)), target);
  }
}

/** Bytes into what is no file, such as a pipe or /dev/stdout. @throws Node's errno errors. */
function writeInto(named: string, content: string | Uint8Array): void {
  const fd = openSync(named, constants.O_WRONLY);
  try {
    if (fstatSync(fd).isFile()) throw unwritable(named, 'it was replaced by a file meanwhile');
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
    // It cannot be replaced by a file.
    if (there !== undefined && !there.isFile()) return void writeInto(named, content);
    const file = behindLinks(named);
    removeLeftoversOf(file);
    if (there === undefined) writeFileDurably(file, content, 0o644);
    else rewriteFileDurably(file, content);
  } catch (error) {
    throw error instanceof ForeignError ? error : unwritable(named, reasonOf(error), error);
  }
}
