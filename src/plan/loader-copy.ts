// A loader that this process may replace → a copy of it to start instead: a program that updates itself through
// /proc/self/exe, which is the loader then, replaces the copy and nothing in the store.
import { accessSync, chmodSync, constants, copyFileSync, lstatSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { temporaryName } from '../host/atomic-file.ts';
import type { Directories } from '../host/directories.ts';
import { errnoOf } from '../host/errors.ts';
import { sha256OfFile } from '../host/file-identity.ts';
import { makeDirectories } from '../host/files.ts';
import { copiesDirectory } from './copy-directories.ts';

export interface LoaderCopy {
  readonly directory: string;
  readonly file: string;
}

/** Root, where the store is not mounted read-only: the store's modes do not bind it. */
function mayReplace(file: string): boolean {
  try {
    accessSync(path.dirname(file), constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function isWhole({ directory, file }: LoaderCopy, sha256: string): boolean {
  const stats = lstatSync(file, { throwIfNoEntry: false });
  const above = lstatSync(directory, { throwIfNoEntry: false });
  const isSafe = stats?.isFile() === true && (stats.mode & 0o222) === 0 && above?.isDirectory() === true;
  return isSafe && sha256OfFile(file) === sha256;
}

/** Everybody may read a loader, whatever the umask. */
function makeReadable(directory: string): void {
  makeDirectories(directory);
  chmodSync(directory, 0o755);
}

/** Somebody else may have been faster: what is there then was made of the same loader. */
function moveInto(temporary: string, directory: string): void {
  try {
    renameSync(temporary, directory);
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST'].includes(errnoOf(error) ?? '')) throw error;
  }
}

function make({ directory, file }: LoaderCopy, loader: string): void {
  const temporary = temporaryName(directory);
  try {
    makeReadable(path.dirname(directory));
    makeReadable(temporary);
    const made = path.join(temporary, path.basename(file));
    copyFileSync(loader, made);
    chmodSync(made, 0o555);
    rmSync(directory, { recursive: true, force: true });
    moveInto(temporary, directory);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/**
 * Undefined where this process cannot replace the loader itself. A copy that was replaced is made again.
 * @throws Node's errors when the cache cannot be written.
 */
export function loaderCopy(dirs: Directories, loader: string): LoaderCopy | undefined {
  if (!mayReplace(loader)) return undefined;
  const sha256 = sha256OfFile(loader);
  const directory = path.join(copiesDirectory(dirs), sha256.slice(0, 32));
  const copy = { directory, file: path.join(directory, path.basename(loader)) };
  if (!isWhole(copy, sha256)) make(copy, loader);
  return copy;
}
