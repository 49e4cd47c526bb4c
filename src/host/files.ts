// The path of a directory → it and those above it, made where they are missing.
// A path → what is there: something, a directory, a program, names, the file behind links.
// A command name → the file that execvp(3) would start; what the launcher does in launcher/program.c.
import {
  accessSync,
  closeSync,
  constants,
  type Dirent,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  statSync,
} from 'node:fs';
import path from 'node:path';
import { errnoOf } from './errors.ts';

/** Milliseconds. Ages of files are told in days. */
export const DAY = 24 * 60 * 60 * 1000;

/** Follows symbolic links. Total: what cannot be looked at is no directory. */
export function isDirectory(file: string): boolean {
  try {
    return statSync(file).isDirectory();
  } catch {
    return false;
  }
}

/** Follows symbolic links. Total: what cannot be looked at is no file. */
export function isFile(file: string): boolean {
  try {
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** Something is at the path, were it a link that leads nowhere. Total: what cannot be looked at is not there. */
export function isThere(file: string): boolean {
  try {
    return lstatSync(file, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
}

/**
 * Nothing is at the path. What cannot be looked at now (EACCES in another's directory, ELOOP, ESTALE or EIO of a
 * network's) may be there. Total.
 */
export function isGone(file: string): boolean {
  try {
    lstatSync(file);
    return false;
  } catch (error) {
    return ['ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? '');
  }
}

/** The names in a directory, sorted; none in what is no directory that may be read. */
export function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch {
    return [];
  }
}

/** The same for work that must not take what cannot be read for empty. @throws Node's errors; nothing need be there. */
export function allNamesIn(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? '')) return [];
    throw error;
  }
}

/** The first bytes of a file, at most `size`. @throws Node's errno errors. */
export function readStart(file: string, size: number): Buffer {
  const fd = openSync(file, 'r');
  try {
    const bytes = Buffer.alloc(size);
    return bytes.subarray(0, readSync(fd, bytes, 0, size, 0));
  } finally {
    closeSync(fd);
  }
}

/** The path without symbolic links; as it is, where nothing is there. */
export function realPath(file: string): string {
  try {
    return realpathSync.native(file);
  } catch {
    return file;
  }
}

/**
 * Node's own recursion (mkdirSync, Node 24) says ENOENT on a read-only file system, which is not the reason, and never
 * ends where mkdir(2) itself says ENOENT for a directory below one that is there, as in /proc. Others may make the same
 * at the same time.
 * @throws Node's error of mkdir(2).
 */
export function makeDirectories(directory: string, mode = 0o700): 'made' | 'there' {
  try {
    return makeOne(directory, mode);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    const above = path.dirname(directory);
    // Where it is there now, somebody made it since; if that was not the reason, mkdir(2) says so again.
    if (!isDirectory(above)) makeDirectories(above, mode);
    return makeOne(directory, mode);
  }
}

/** EEXIST also of a file, and of a link that leads nowhere. */
function makeOne(directory: string, mode: number): 'made' | 'there' {
  try {
    mkdirSync(directory, { mode });
    return 'made';
  } catch (error) {
    if (!isDirectory(directory)) throw error;
    return 'there';
  }
}

/** True for a regular file that may be executed, links followed. Total. */
export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** A name with a slash as it is; else the first executable file along PATH; undefined when there is none. */
export function findOnPath(name: string, pathVariable: string | undefined): string | undefined {
  return name.includes('/') ? name : alongPath(name, pathVariable).find(isExecutable);
}

/** Every executable file of that name along PATH, in its order. */
export function allOnPath(name: string, pathVariable: string | undefined): string[] {
  return alongPath(name, pathVariable).filter(isExecutable);
}

function alongPath(name: string, pathVariable: string | undefined): string[] {
  return (pathVariable ?? '/bin:/usr/bin').split(':').map((directory) => path.join(directory, name));
}

interface FoundFile {
  readonly file: string;
  readonly kind: 'file' | 'directory' | 'link' | 'other';
}

function kindOf(entry: Dirent): FoundFile['kind'] {
  if (entry.isSymbolicLink()) return 'link';
  if (entry.isDirectory()) return 'directory';
  return entry.isFile() ? 'file' : 'other';
}

/** What a file is called until it is whole (atomic-file.ts): it ends with whose it is, and which of his. */
export const TEMPORARY_NAME = /^\..*\.(\d+\.\d+)\.\d+\.tmp$/;

function entriesOf(directory: string, unreadable: (directory: string, error: unknown) => void): Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter(({ name }) => !TEMPORARY_NAME.test(name))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    unreadable(directory, error);
    return [];
  }
}

/**
 * All that lies below a directory, sorted by name, a directory before what is in it. No link is followed: Node's own
 * `recursive` does follow them (readdirSync, Node 24). What cannot be listed is told to `unreadable` and passed over,
 * and what is not whole, since we are at it or were killed, is not there.
 */
export function* filesBelow(
  directory: string,
  unreadable: (directory: string, error: unknown) => void = () => {},
): Generator<FoundFile> {
  for (const entry of entriesOf(directory, unreadable)) {
    const file = path.join(directory, entry.name);
    const kind = kindOf(entry);
    yield { file, kind };
    if (kind === 'directory') yield* filesBelow(file, unreadable);
  }
}
