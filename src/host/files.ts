// The path of a directory → it and those above it, made where they are missing.
// A command name → the file that execvp(3) would start; what the launcher does in find-program.c.
// A directory → what lies below it, with no link followed.
import { accessSync, constants, type Dirent, mkdirSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { errnoOf } from './errors.ts';

/** Follows symbolic links. Total: what cannot be looked at is no directory. */
export function isDirectory(file: string): boolean {
  try {
    return statSync(file).isDirectory();
  } catch {
    return false;
  }
}

/**
 * Node's own recursion (mkdirSync, Node 24) says ENOENT on a read-only file system, which is not the reason, and never
 * ends where mkdir(2) itself says ENOENT for a directory below one that is there, as in /proc.
 * @throws Node's error of mkdir(2).
 */
export function makeDirectories(directory: string, mode = 0o700): 'made' | 'there' {
  try {
    mkdirSync(directory, { mode });
    return 'made';
  } catch (error) {
    if (isDirectory(directory)) return 'there';
    const above = path.dirname(directory);
    // Also EEXIST: a file or a link that leads nowhere.
    if (errnoOf(error) !== 'ENOENT' || isDirectory(above)) throw error;
    makeDirectories(above, mode);
    return makeOne(directory, mode);
  }
}

/** Somebody else may have been faster. */
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
  if (name.includes('/')) return name;
  const directories = (pathVariable ?? '/bin:/usr/bin').split(':');
  return directories.map((directory) => path.join(directory, name)).find(isExecutable);
}

/** Anything below a directory but directories. */
export interface FileBelow {
  /** Path relative to the directory. */
  readonly name: string;
  readonly kind: 'file' | 'link' | 'other';
}

function kindOf(entry: Dirent): FileBelow['kind'] {
  if (entry.isFile()) return 'file';
  return entry.isSymbolicLink() ? 'link' : 'other';
}

/**
 * All that lies below a directory, sorted. A symbolic link is named and not followed; readdirSync with `recursive` walks
 * into links to directories (Node 24). `unreadable` is told of directories that cannot be read; without it the error is thrown.
 */
export function filesBelow(
  directory: string,
  unreadable?: (directory: string, error: unknown) => void,
): FileBelow[] {
  const found: FileBelow[] = [];
  const unvisited = [''];
  for (let below = unvisited.pop(); below !== undefined; below = unvisited.pop()) {
    for (const entry of entriesOf(path.join(directory, below), unreadable)) {
      const name = path.join(below, entry.name);
      if (entry.isDirectory()) unvisited.push(name);
      else found.push({ name, kind: kindOf(entry) });
    }
  }
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function entriesOf(
  directory: string,
  unreadable: ((directory: string, error: unknown) => void) | undefined,
): Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch (error) {
    if (unreadable === undefined) throw error;
    unreadable(directory, error);
    return [];
  }
}
