// Bytes → a file that is there completely or not at all, whatever happens in between.
import {
  closeSync,
  fchmodSync,
  fsyncSync,
  lstatSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { isThere, TEMPORARY_NAME } from './files.ts';
import { FOREIGN_LEFTOVER_AGE, processIdentity, stateOfProcess } from './mutex.ts';

/** Bytes. The rest of NAME_MAX, 255, is for what stands around it; most file systems take no longer names. */
const LONGEST_STEM = 200;

/** How temporary names of a file begin. */
function stemOf(target: string): string {
  const name = Buffer.from(path.basename(target));
  return `.${name.subarray(0, LONGEST_STEM)}.`;
}

let serial = 0;

/**
 * A name in the same directory that nobody else uses; `removeLeftovers` knows whose it was. A process of the same id
 * may have been killed before: containers count from 1 again.
 */
export function temporaryName(target: string): string {
  const stem = path.join(path.dirname(target), `${stemOf(target)}${processIdentity()}`);
  do serial += 1;
  while (isThere(`${stem}.${serial}.tmp`));
  return `${stem}.${serial}.tmp`;
}

/** What becomes of a directory in the way, which rename(2) does not replace by a file. */
type InTheWay = 'removed' | 'kept';

function replaceBy(temporary: string, target: string, directory: InTheWay): void {
  try {
    renameSync(temporary, target);
  } catch (error) {
    if (directory === 'kept' || (error as NodeJS.ErrnoException).code !== 'EISDIR') throw error;
    rmSync(target, { recursive: true });
    renameSync(temporary, target);
  }
}

/**
 * Writes a file of ours by temporary name, fsync and rename: after a loss of power it is the old one or the new one. A
 * directory in its place is removed. `mode` as in open(2), which the umask may lessen.
 * @throws Node's errno errors; nothing is left behind then.
 */
export function writeFileDurably(target: string, content: string | Uint8Array, mode = 0o600): void {
  replaceFile(target, content, { settle: fsyncSync, mode, directory: 'removed' });
}

/** The same where a user says: a directory of that name stays, with all that is in it (EISDIR). */
export function writeNamedFile(target: string, content: string | Uint8Array, mode: number): void {
  replaceFile(target, content, { settle: fsyncSync, mode, directory: 'kept' });
}

/** The same for a file that is there: it keeps its mode, whatever the umask is. @throws Node's errno errors. */
export function rewriteNamedFile(target: string, content: string | Uint8Array): void {
  const mode = statSync(target).mode & 0o777;
  const settle = (fd: number): void => {
    fchmodSync(fd, mode);
    fsyncSync(fd);
  };
  replaceFile(target, content, { settle, mode, directory: 'kept' });
}

/**
 * Writes a file by temporary name and rename: others see the old one or the new one. For what is checked before it is
 * followed and made again at little cost: after a loss of power it may be empty, and no start waits 1-200 ms for a
 * disk. `mode` as in open(2). @throws Node's errno errors; nothing is left behind then.
 */
export function writeFileAtomically(target: string, content: string | Uint8Array, mode = 0o600): void {
  replaceFile(target, content, { settle: () => {}, mode, directory: 'removed' });
}

interface Manner {
  /** Before the file has its name. */
  readonly settle: (fd: number) => void;
  readonly mode: number;
  readonly directory: InTheWay;
}

function replaceFile(
  target: string,
  content: string | Uint8Array,
  { settle, mode, directory }: Manner,
): void {
  const temporary = temporaryName(target);
  try {
    const fd = openSync(temporary, 'wx', mode);
    try {
      const bytes = typeof content === 'string' ? Buffer.from(content) : content;
      for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
      settle(fd);
    } finally {
      closeSync(fd);
    }
    replaceBy(temporary, target, directory);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/**
 * Puts a symbolic link at a name by rename: others see what was there or the new one. @throws Node's errno errors;
 * nothing is left behind then.
 */
export function replaceLink(link: string, target: string): void {
  const temporary = temporaryName(link);
  try {
    symlinkSync(target, temporary);
    renameSync(temporary, link);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

function isAbandoned(file: string, owner: string): boolean {
  const state = stateOfProcess(owner);
  if (state !== 'unknown') return state === 'gone';
  try {
    return Date.now() - lstatSync(file).mtimeMs > FOREIGN_LEFTOVER_AGE;
  } catch {
    return false;
  }
}

/** Removes what processes that are gone left under temporary names of one file, in a directory of the user's. */
export function removeLeftoversOf(target: string): void {
  removeLeftovers(path.dirname(target), stemOf(target));
}

/** Removes what processes that are gone left under temporary names in a directory. Never throws. */
export function removeLeftovers(directory: string, beginning = '.'): void {
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch {
    return;
  }
  for (const name of names) {
    const match = TEMPORARY_NAME.exec(name);
    if (match === null || !name.startsWith(beginning)) continue;
    const file = path.join(directory, name);
    try {
      if (isAbandoned(file, match[1] ?? '')) rmSync(file, { recursive: true, force: true });
    } catch {} // somebody else's, such as root's
  }
}
