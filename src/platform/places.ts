// The environment → the directories we keep things in: the user's own first, one below /tmp for when those cannot be written.
import { mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { errnoOf, ForeignError, reasonOf } from '../errors.ts';

/** Bump when the layout or a format below these directories changes incompatibly. */
const LAYOUT = 'v1';

/** One set of directories. All paths are absolute; none need exist yet. */
export interface Place {
  readonly cache: string;
  readonly state: string;
  readonly plans: string;
  readonly farms: string;
  readonly locks: string;
  readonly roots: string;
  readonly fingerprints: string;
  readonly catalogues: string;
}

function placeAt(cache: string, state: string): Place {
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
export async function userPlace(): Promise<Place> {
  const { default: envPaths } = await import('env-paths');
  const paths = envPaths('nix-run-foreign', { suffix: '' });
  return placeAt(paths.cache, paths.log);
}

/** The place of last resort, the same that the launcher looks at (launch/PLAN.md). */
export function temporaryPlace(uid: number): Place {
  const base = `/tmp/nix-run-foreign-${uid}`;
  return placeAt(base, path.join(base, 'state'));
}

/** True for errors that say a directory cannot take files, as opposed to defects of ours. */
export function isUnwritable(error: unknown): boolean {
  return ['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT', 'ENOTDIR', 'EEXIST', 'ELOOP'].includes(
    errnoOf(error) ?? '',
  );
}

/**
 * Creates the directories of a place, private to the user (XDG Base Directory Specification: 0700).
 * @throws Node's error where that is impossible; ForeignError where somebody else owns the plans directory.
 */
export function createPlace(place: Place, uid: number): void {
  for (const directory of [place.plans, place.farms, place.locks, place.catalogues, place.roots]) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  }
  const { uid: owner, mode } = statSync(place.plans);
  if ((owner !== uid && owner !== 0) || (mode & 0o022) !== 0) {
    throw new ForeignError(`${place.plans} belongs to somebody else or can be written by others`, {
      code: 'untrusted-directory',
      hint: `make it yours and private: chown ${uid} ${place.plans} && chmod 700 ${place.plans}`,
      exitCode: 125,
    });
  }
}

/** One line saying why a place cannot be used. */
export function whyUnwritable(place: Place, error: unknown): string {
  return error instanceof ForeignError ? error.message : `cannot write ${place.cache}: ${reasonOf(error)}`;
}
