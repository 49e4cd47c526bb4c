// The environment → the directories we keep things in: the user's own first, one below /tmp for when those cannot be
// written.
// The user → the directory for what must outlast a deleted cache, because other programs name files in it.
import { chmodSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { errnoOf, ForeignError, reasonOf } from './errors.ts';
import { isDirectory, makeDirectories } from './files.ts';
import { fileWord } from './shell-words.ts';
import { isTrustedDirectory, SYSTEM_PLACE } from './trusted-file.ts';
import { isTrustedWay } from './trusted-way.ts';

/** Bump when the layout or a format below these directories changes incompatibly. */
const LAYOUT = 'v1';

/** One set of directories. All paths are absolute; none need exist yet. */
export interface Directories {
  readonly cache: string;
  readonly state: string;
  readonly plans: string;
  readonly farms: string;
  readonly locks: string;
  readonly roots: string;
  readonly fingerprints: string;
  readonly catalogues: string;
  /** For everybody on the machine: readable by all, written by root. */
  readonly shared?: true;
}

function directoriesAt(cache: string, state: string): Directories {
  const [c, s] = [path.join(cache, LAYOUT), path.join(state, LAYOUT)];
  return {
    cache: c,
    state: s,
    plans: path.join(c, 'plans'),
    farms: path.join(c, 'farms'),
    locks: path.join(c, 'locks'),
    catalogues: path.join(c, 'catalogues'),
    roots: path.join(s, 'roots'),
    fingerprints: path.join(s, 'fingerprints'),
  };
}

/**
 * The user's own place: env-paths (XDG base directories) with no suffix. It is loaded when asked for, because it reads
 * the home directory while loading, which fails for a user without one, and HOME is put right first (main.ts).
 * @throws Node's error for a user with neither HOME nor an entry in /etc/passwd.
 */
export async function userDirectories(): Promise<Directories> {
  const { default: envPaths } = await import('env-paths');
  const paths = envPaths('nix-run-foreign', { suffix: '' });
  return directoriesAt(paths.cache, paths.log);
}

/** The place of last resort, the same that the launcher looks at (plan/PLAN.md). */
export function temporaryDirectories(uid: number): Directories {
  const base = `/tmp/nix-run-foreign-${uid}`;
  return directoriesAt(base, path.join(base, 'state'));
}

/** What root resolved for everybody; everybody may read it (plan/PLAN.md). */
export function systemDirectories(): Directories {
  const base = SYSTEM_PLACE;
  return { ...directoriesAt(base, path.join(base, 'state')), shared: true };
}

/** The system's place where there is one that only root can have written. */
export function trustedSystemDirectories(): Directories | undefined {
  const dirs = systemDirectories();
  const ways = [path.dirname(dirs.cache), dirs.plans, dirs.roots];
  return ways.every((directory) => isTrustedDirectory(directory, 0)) ? dirs : undefined;
}

/** Lets everybody read plans, farms, roots and fingerprints. @throws Node's errors. */
export function openToAll({ cache, state, plans, farms, roots, fingerprints }: Directories): void {
  const onTheWay = [path.dirname(cache), cache, path.dirname(state), state];
  for (const directory of onTheWay) chmodSync(directory, 0o755);
  for (const top of [plans, farms, roots, fingerprints]) if (isDirectory(top)) openTreeToAll(top);
}

function openTreeToAll(directory: string): void {
  chmodSync(directory, 0o755);
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const file = path.join(directory, entry.name);
    if (entry.isDirectory()) openTreeToAll(file);
    else if (entry.isFile()) chmodSync(file, 0o644);
  }
}

/** Said of a directory that cannot take files by calls that know no path: write(2), fsync(2), ftruncate(2). */
const UNWRITABLE = [
  ...['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT', 'ENOTDIR', 'EEXIST', 'ELOOP'],
  ...['EIO', 'ENAMETOOLONG', 'EMFILE', 'ENFILE', 'ESTALE', 'ENODEV', 'ENXIO'],
];

/** The paths that a system call of Node's failed for: two of rename(2), link(2), symlink(2) and a copy. */
function pathsOf(error: unknown): string[] {
  if (!(error instanceof Error)) return [];
  const { path: one, dest: other } = error as { path?: unknown; dest?: unknown };
  return [one, other].filter((each) => typeof each === 'string');
}

/** The one is the other or lies below it, whichever is the longer. */
function isOnOneWay(file: string, directory: string): boolean {
  return `${directory}/`.startsWith(`${file}/`) || file.startsWith(`${directory}/`);
}

/** read(2) knows no path either, but nothing is wrong with where we write. */
function isOfReading(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && error.syscall === 'read';
}

/**
 * True for errors that say a place cannot take files: any errno about a path in it, of a write what it says. What is
 * about another path (the program, the store) is not, nor are defects of ours.
 */
export function isUnwritable(error: unknown, { cache, state }: Directories): boolean {
  const [errno, files] = [errnoOf(error), pathsOf(error)];
  if (errno === undefined) return false;
  if (files.length === 0) return UNWRITABLE.includes(errno) && !isOfReading(error);
  return files.some((file) => [cache, state].some((each) => isOnOneWay(file, path.dirname(each))));
}

function untrusted(cause: string, directory: string, uid: number): ForeignError {
  return new ForeignError(cause, {
    code: 'untrusted-directory',
    hint: `make it yours and private: chown ${uid} ${fileWord(directory)} && chmod 700 ${fileWord(directory)}`,
    exitCode: 125,
  });
}

/** A plan counts in a directory, no link, of the user or root, that nobody else may write (plan/PLAN.md). */
function refuseUntrusted(directory: string, uid: number): void {
  if (isTrustedDirectory(directory, uid)) return;
  const cause = `${directory} belongs to somebody else or can be written by others`;
  throw untrusted(cause, directory, uid);
}

/** @throws Node's error where links lead in a circle. */
function refuseLoop(directory: string): void {
  try {
    statSync(directory);
  } catch (error) {
    if (errnoOf(error) === 'ELOOP') throw error;
  }
}

function refuseUntrustedWay(directory: string, uid: number): void {
  if (isTrustedWay(directory, uid)) return;
  refuseLoop(directory);
  const cause = `${directory}, or a directory on the way, belongs to somebody else or can be written by others`;
  throw untrusted(cause, directory, uid);
}

function isOpenToAll(directory: string): boolean {
  return (statSync(directory).mode & 0o002) !== 0;
}

/**
 * Creates the directories of a place, private to the user (XDG Base Directory Specification: 0700).
 * @throws Node's error where that is impossible; ForeignError `untrusted-directory` where somebody else owns the plans
 * directory, or made ours first in a directory where anyone can, such as /tmp.
 */
export function createDirectories(dirs: Directories, uid: number): void {
  const base = path.dirname(dirs.cache);
  refuseUntrustedWay(base, uid);
  makeDirectories(base);
  if (isOpenToAll(path.dirname(base))) refuseUntrusted(base, uid);
  const state = path.dirname(dirs.state);
  refuseUntrustedWay(state, uid);
  makeDirectories(state);
  if (isOpenToAll(path.dirname(state))) refuseUntrusted(state, uid);
  for (const directory of [dirs.plans, dirs.farms, dirs.locks, dirs.catalogues, dirs.roots]) {
    makeDirectories(directory);
  }
  for (const directory of [dirs.plans, dirs.roots]) refuseUntrusted(directory, uid);
  for (const directory of [dirs.plans, dirs.farms, dirs.roots]) refuseUntrustedWay(directory, uid);
  if (isDirectory(dirs.fingerprints)) refuseUntrusted(dirs.fingerprints, uid);
}

/** One line saying why a place cannot be used. */
export function whyUnwritable(dirs: Directories, error: unknown): string {
  if (error instanceof ForeignError) return error.message;
  const file = pathsOf(error).at(-1) ?? dirs.cache;
  const isOfState = !isOnOneWay(file, dirs.cache) && isOnOneWay(file, dirs.state);
  return `cannot write ${isOfState ? dirs.state : dirs.cache}: ${reasonOf(error)}`;
}

/**
 * `$XDG_DATA_HOME/nix-run-foreign`, by default `~/.local/share/nix-run-foreign`: no version in it, since PATH, menus
 * and shims name it. @throws ForeignError `no-home` for a user with neither HOME nor an entry in /etc/passwd.
 */
export async function dataDirectory(): Promise<string> {
  const { default: envPaths } = await import('env-paths').catch((cause: unknown) => {
    throw new ForeignError('you have no home directory', {
      code: 'no-home',
      hint: 'set HOME to a directory of yours',
      exitCode: 125,
      cause,
    });
  });
  return path.resolve(envPaths('nix-run-foreign', { suffix: '' }).data);
}
