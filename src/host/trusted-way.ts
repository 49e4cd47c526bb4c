// A path → whether nobody but the user and root can change where it leads; the rule of launcher/trusted-files.c.
import { lstatSync, readlinkSync, type Stats } from 'node:fs';
import path from 'node:path';
import { errnoOf } from './errors.ts';
import { otherWriterOf } from './trusted-file.ts';

const STICKY = 0o1000;
/** Links on one way, as the kernel has it (path_resolution(7)). */
export const MOST_LINKS = 40;

/** As otherWriterOf, with what differs on a way: in a sticky directory others cannot replace what is not theirs. */
function isTrusted(stats: Stats, owners: readonly number[]): boolean {
  const other = otherWriterOf(stats, owners);
  if (other === 'owner' || other === undefined) return other === undefined;
  if (stats.isSymbolicLink() || (stats.mode & STICKY) !== 0) return true;
  return other === 'group' && stats.gid === stats.uid;
}

/** Where a link on the way leads, with what follows it; undefined for what is no link. */
function throughLink(stats: Stats, at: string, rest: readonly string[]): string | undefined {
  if (!stats.isSymbolicLink()) return undefined;
  const target = readlinkSync(at);
  return [target.startsWith('/') ? target : `${path.dirname(at)}/${target}`, ...rest].join('/');
}

/** What of the way's end is judged: `as it is` leaves out what is no link. */
type End = 'judged' | 'as it is';

/** The real path at which the way arrives; undefined where somebody else can change it. @throws errno errors. */
function arrivalOf(start: string, owners: readonly number[], end: End, links = 0): string | undefined {
  const names = start.split('/').filter((name) => name !== '');
  for (let count = 1; count <= names.length; count++) {
    const at = `/${names.slice(0, count).join('/')}`;
    const stats = lstatSync(at);
    const isEnd = count === names.length && !stats.isSymbolicLink();
    if (!(isEnd && end === 'as it is') && !isTrusted(stats, owners)) return undefined;
    const further = throughLink(stats, at, names.slice(count));
    if (further !== undefined)
      return links < MOST_LINKS ? arrivalOf(further, owners, end, links + 1) : undefined;
  }
  // No link is in it, so `..` is what stands before it.
  return path.resolve(`/${names.join('/')}`);
}

/** Whose links and directories lead nobody astray: root's, the user's, and those of root of outside. */
export function trustedOwners(uid: number): readonly number[] {
  return [0, uid, ...ownersOfRoot()];
}

/** Root of outside, in a user namespace. In a view the root directory is the user's, and /proc tells. */
function ownersOfRoot(): number[] {
  const proc = lstatSync('/proc', { throwIfNoEntry: false });
  return [lstatSync('/').uid, ...(proc === undefined ? [] : [proc.uid])];
}

/**
 * Each directory on the way below the root directory, in which a link or the next directory stands, belongs to root,
 * the user or the owner of the root directory (root of outside, in a user namespace), and nobody else may write it; but
 * all may where it is sticky, and a group may whose number is that of the owner (his private group). True as well for a
 * way that ends before `file` is reached: nobody else can change the part that is there. False for a loop of links.
 */
export function isTrustedWay(file: string, uid: number): boolean {
  try {
    return arrivalOf(file, trustedOwners(uid), 'judged') !== undefined;
  } catch (error) {
    return errnoOf(error) !== 'EACCES';
  }
}

/** The same for a way that must be there to its end. */
export function isTrustedAndThere(file: string, uid: number): boolean {
  return arrivalThere(file, uid, 'judged') !== undefined;
}

/**
 * Where an absolute name leads, by one look at each step, whoever owns what is there; undefined where somebody else can
 * change that, or where nothing is.
 */
export function trustedTarget(name: string, uid: number): string | undefined {
  return arrivalThere(name, uid, 'as it is');
}

function arrivalThere(file: string, uid: number, end: End): string | undefined {
  try {
    return arrivalOf(file, trustedOwners(uid), end);
  } catch {
    return undefined;
  }
}
