// A file or directory → who besides its owners could have written it; the content of a file that nobody else wrote.
import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync } from 'node:fs';
import { errnoOf } from './errors.ts';

/** What stat(2) says of a file or directory. */
export interface Ownership {
  readonly uid: number;
  readonly mode: number;
}

/** uids whose files are trusted; `anybody` where the place alone decides, such as /etc. */
type TrustedOwners = readonly number[] | 'anybody';

/** Who else could have written a file: its owner, who is none of the trusted, its group, or everybody. */
type OtherWriter = 'owner' | 'group' | 'everybody';

/**
 * The rule for everything that decides what is executed (plan/PLAN.md). Undefined where nobody else may write. The bits
 * of `group` also show a POSIX ACL: with one, they are its mask (acl(5)).
 */
export function otherWriterOf({ uid, mode }: Ownership, owners: TrustedOwners): OtherWriter | undefined {
  if (owners !== 'anybody' && !owners.includes(uid)) return 'owner';
  if ((mode & 0o002) !== 0) return 'everybody';
  return (mode & 0o020) === 0 ? undefined : 'group';
}

/** Where only root writes, for everybody (plan/PLAN.md). */
export const SYSTEM_PLACE = '/var/lib/nix-run-foreign';

/**
 * The user and root; below the system's place also root of outside, who has no number in an ordinary user's view: the
 * rule of launcher/trusted-files.c.
 */
export function ownersFor(uid: number, file: string): readonly number[] {
  return [uid, 0, ...(`${file}/`.startsWith(`${SYSTEM_PLACE}/`) ? ownersOfRoot() : [])];
}

/** Root of outside, in a user namespace. In a view the root directory is the user's, and /proc tells. Total. */
export function ownersOfRoot(): number[] {
  return ['/', '/proc'].flatMap((each) => {
    try {
      return [lstatSync(each).uid];
    } catch {
      return []; // who is not known is not trusted
    }
  });
}

/** True for a directory, no link, of the user or root, that nobody else may write. Total. */
export function isTrustedDirectory(directory: string, uid: number): boolean {
  try {
    const stats = lstatSync(directory);
    return stats.isDirectory() && otherWriterOf(stats, ownersFor(uid, directory)) === undefined;
  } catch {
    return false;
  }
}

interface TrustedReading {
  readonly owners: TrustedOwners;
  /** Whether a symbolic link may stand at the path. */
  readonly follow: boolean;
  /** Bytes; no larger file is read. */
  readonly limit: number;
}

export type TrustedContent =
  | { readonly kind: 'read'; readonly bytes: Buffer }
  | { readonly kind: 'absent' }
  | { readonly kind: 'refused'; readonly why: OtherWriter | 'no-file' | 'too-large' }
  /** `error`: Node's, of open(2) or read(2). */
  | { readonly kind: 'unreadable'; readonly error: unknown };

/** O_NONBLOCK: a FIFO must not hold up the start. O_NOATIME: our own look at a plan is no use of it (plan/PLAN.md). */
function openQuietly(file: string, follow: boolean): number {
  const flags = constants.O_RDONLY | constants.O_NONBLOCK | (follow ? 0 : constants.O_NOFOLLOW);
  try {
    return openSync(file, flags | constants.O_NOATIME);
  } catch (error) {
    if (errnoOf(error) !== 'EPERM') throw error;
    return openSync(file, flags); // only its owner and root may ask for that
  }
}

function readOpened(fd: number, { owners, limit }: TrustedReading): TrustedContent {
  const stats = fstatSync(fd);
  if (!stats.isFile()) return { kind: 'refused', why: 'no-file' };
  if (stats.size > limit) return { kind: 'refused', why: 'too-large' };
  const other = otherWriterOf(stats, owners);
  return other === undefined ? { kind: 'read', bytes: readFileSync(fd) } : { kind: 'refused', why: other };
}

/** Reads a file that only its owners could have written: what was asked about is what is read. Total. */
export function readTrusted(file: string, reading: TrustedReading): TrustedContent {
  let fd: number | undefined;
  try {
    fd = openQuietly(file, reading.follow);
    return readOpened(fd, reading);
  } catch (error) {
    return ['ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? '')
      ? { kind: 'absent' }
      : { kind: 'unreadable', error };
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
