// The user's directories → the first place where work that must write can be done.
import { lstatSync, statSync } from 'node:fs';
import path from 'node:path';
import { isSafeInLibraryPath } from '../farm/farm.ts';
import {
  createDirectories,
  type Directories,
  isUnwritable,
  openToAll,
  systemDirectories,
  temporaryDirectories,
  trustedSystemDirectories,
  userDirectories,
  whyUnwritable,
} from '../host/directories.ts';
import { errnoOf, ForeignError, remedyOf } from '../host/errors.ts';
import { isGone } from '../host/files.ts';
import { debug, notice } from '../host/output.ts';
import { otherWriterOf, ownersFor } from '../host/trusted-file.ts';
import { staysTrustedWay } from '../host/trusted-way.ts';
import { isToldFromOthers } from '../host/user-namespace.ts';
import { isBusy, resultCode } from '../store/sqlite-error.ts';
import { cleanBefore } from './housekeeping.ts';

/**
 * SQLite cannot open, lock, write or grow its file there (sqlite.org/rescode.html: PERM, READONLY, IOERR, FULL,
 * CANTOPEN; BUSY and PROTOCOL after all attempts, as on a file system without locks). Errors of Nix's database have no
 * such code (store/nix-database.ts): no other place of ours would help.
 */
function isUnwritableDatabase(error: unknown): boolean {
  return isBusy(error) || [3, 8, 10, 13, 14].includes(resultCode(error) ?? 0);
}

function meansElsewhere(error: unknown, dirs: Directories): boolean {
  const untrusted = error instanceof ForeignError && error.code === 'untrusted-directory';
  return untrusted || isUnwritable(error, dirs) || isUnwritableDatabase(error);
}

/** One clause for a place that failed. */
function whyNot(dirs: Directories, error: unknown): string {
  if (!isBusy(error)) return whyUnwritable(dirs, error);
  return `cannot lock a file in ${dirs.catalogues}: another process holds it, or its file system has no locks`;
}

/** The places in the order in which the launcher looks at them, whoever made what is there. */
export async function everyPlace(uid: number): Promise<Directories[]> {
  const belowTmp = isToldFromOthers(uid) ? [temporaryDirectories(uid)] : [];
  try {
    return [await userDirectories(), ...belowTmp];
  } catch (error) {
    // No HOME and no entry in /etc/passwd.
    debug(`no home directory: ${String(error)}`);
    return belowTmp;
  }
}

/** Of a name that is made in full, the part that is there. */
function partThere(file: string): string {
  return isGone(file) ? partThere(path.dirname(file)) : file;
}

/**
 * In /tmp everybody may make a directory, and mount there what says of itself whose it is (fuse(4)): owner and file
 * system are of one look, the same in launcher/plan-files.c. Nobody mounts there for us. Total.
 */
function isOursIfInTmp(base: string, uid: number): boolean {
  if (!base.startsWith('/tmp/')) return true;
  try {
    const there = partThere(base);
    const stats = lstatSync(there);
    if (there === '/tmp' || stats.dev !== statSync('/tmp').dev) return false;
    // What comes before it is looked at as a way.
    if (there !== base) return true;
    return stats.isDirectory() && otherWriterOf(stats, ownersFor(uid, base)) === undefined;
  } catch {
    return false;
  }
}

/** The directory of a place that somebody else made, or may have, as everybody can in /tmp. */
function othersInTmp({ cache, state }: Directories, uid: number): string | undefined {
  return [cache, state].map((each) => path.dirname(each)).find((base) => !isOursIfInTmp(base, uid));
}

/**
 * Those of them that nobody else can change, nor make: in others nothing is read, changed or removed. Somebody else may
 * make the one in /tmp first, also while a command is under way, with links in it to what is the user's.
 */
export async function allDirectories(uid: number): Promise<Directories[]> {
  const places = await everyPlace(uid);
  const isWay = (each: string) => staysTrustedWay(each, uid);
  return places.filter(
    (place) => [place.cache, place.state].every(isWay) && othersInTmp(place, uid) === undefined,
  );
}

/** Those that are not among the `used`, and there. */
export async function placesLeftOut(uid: number, used: readonly Directories[]): Promise<string[]> {
  const caches = new Set(used.map(({ cache }) => cache));
  const places = (await everyPlace(uid)).filter(({ cache }) => !caches.has(cache));
  return places.map(({ cache }) => path.dirname(cache)).filter((directory) => !isGone(directory));
}

/** Where patched files may be known: a root that serves everybody is in the system's place. */
export async function patchPlaces(uid: number): Promise<Directories[]> {
  const system = trustedSystemDirectories();
  return [...(await allDirectories(uid)), ...(system === undefined ? [] : [system])];
}

/**
 * Does work in the user's place or, when that cannot be written (read-only home, full disk), in the one below /tmp,
 * cleaned of what killed processes left there.
 * @throws ForeignError `nowhere-to-write` when neither works; whatever else `work` throws.
 */
export async function inWritableDirectories<T>(
  uid: number,
  work: (dirs: Directories) => Promise<T>,
): Promise<T> {
  const failures: string[] = [];
  let errno: string | undefined;
  for (const dirs of await everyPlace(uid)) {
    if (!isSafeInLibraryPath(dirs.farms)) {
      failures.push(`${dirs.farms} holds a character that ends an element of a library path`);
      continue;
    }
    try {
      createDirectories(dirs, uid);
      const others = othersInTmp(dirs, uid);
      if (others !== undefined) {
        failures.push(`${others} is not ours, or is mounted there, which anybody could do`);
        continue;
      }
      cleanBefore(dirs);
      const done = await work(dirs);
      if (failures.length > 0) notice(`${failures.join('; ')}; using ${dirs.cache} until it can be written`);
      return done;
    } catch (error) {
      if (!meansElsewhere(error, dirs)) throw error;
      failures.push(whyNot(dirs, error));
      debug(`${dirs.cache}: ${String(error)}`);
      errno = errnoOf(error);
    }
  }
  if (!isToldFromOthers(uid))
    failures.push(
      'in /tmp this user cannot be told from others, who have no number in this user namespace either',
    );
  throw new ForeignError(`there is nowhere to keep what was found: ${failures.join('; ')}`, {
    code: 'nowhere-to-write',
    hint:
      errno === 'EMFILE' || errno === 'ENFILE'
        ? remedyOf(errno)
        : 'make room, or name a directory that can be written with XDG_CACHE_HOME and XDG_STATE_HOME',
    exitCode: 125,
  });
}

/**
 * Does work in the place that serves everybody on the machine.
 * @throws ForeignError `not-root` for anybody but root; whatever `work` throws.
 */
export async function inSystemDirectories<T>(
  uid: number,
  work: (dirs: Directories) => Promise<T>,
): Promise<T> {
  if (uid !== 0) {
    throw new ForeignError('only root may make plans for everybody', {
      code: 'not-root',
      hint: 'run it with sudo, or leave --system out to make one for yourself',
      exitCode: 125,
    });
  }
  const dirs = systemDirectories();
  createDirectories(dirs, uid);
  cleanBefore(dirs);
  try {
    return await work(dirs);
  } finally {
    openToAll(dirs);
  }
}
