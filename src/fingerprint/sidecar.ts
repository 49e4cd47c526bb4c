// A program → the files where a fingerprint that came with it may lie, in the order in which they are looked at.
import { lstatSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { NOBODY } from './ownership.ts';

/** One document for a whole tree of programs (tree-file.ts). */
export const TREE_NAME = '.nix-fingerprints.json';

/** The document of one program, beside it. */
export function sidecarOf(program: string): string {
  return `${program}.nix-fingerprint.json`;
}

export interface SidecarPlace {
  readonly kind: 'sidecar' | 'tree';
  readonly file: string;
}

/** What is asked of the file system. */
export interface DirectoryFacts {
  /** uid of the owner of a file or directory that is no symbolic link; undefined where it cannot be looked at. */
  ownerOf(file: string): number | undefined;
  /** The directory without symbolic links; undefined where there is none. */
  realDirectory(directory: string): string | undefined;
}

export const fileSystem: DirectoryFacts = {
  ownerOf: (file) => {
    try {
      return lstatSync(file, { throwIfNoEntry: false })?.uid;
    } catch {
      return undefined;
    }
  },
  realDirectory: (directory) => {
    try {
      return realpathSync(directory);
    } catch {
      return undefined;
    }
  },
};

/** The directories above a file that belong to its owner, from below, up to the first that does not. */
function directoriesOfOwner(file: string, facts: DirectoryFacts): string[] {
  const owner = facts.ownerOf(file);
  if (owner === undefined || owner === NOBODY) return [];
  const directories: string[] = [];
  for (let at = path.dirname(file); facts.ownerOf(at) === owner; at = path.dirname(at)) {
    directories.push(at);
    if (at === path.dirname(at)) break;
  }
  return directories;
}

/**
 * Beside the real file; beside the path as it was given, which may be a symbolic link; then the tree files above the
 * real file. `given` is absolute, `real` has no symbolic link in it. Nothing was opened, and whether the files exist
 * was not asked.
 */
export function sidecarPlaces(
  given: string,
  real: string,
  facts: DirectoryFacts = fileSystem,
): SidecarPlace[] {
  const beside = [sidecarOf(real)];
  const directory = facts.realDirectory(path.dirname(given));
  if (directory !== undefined) beside.push(sidecarOf(path.join(directory, path.basename(given))));
  const trees = directoriesOfOwner(real, facts).map((each) => path.join(each, TREE_NAME));
  return [
    ...[...new Set(beside)].map((file) => ({ kind: 'sidecar', file }) as const),
    ...trees.map((file) => ({ kind: 'tree', file }) as const),
  ];
}
