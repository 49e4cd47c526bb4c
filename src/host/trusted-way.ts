// A path → whether nobody but the user and root can change where it leads; the rule of launcher/trusted-files.c.
import { lstatSync, readlinkSync, type Stats } from 'node:fs';
import path from 'node:path';
import { errnoOf } from './errors.ts';
import { otherWriterOf, ownersOfRoot } from './trusted-file.ts';

const STICKY = 0o1000;
/** Links on one way, as the kernel has it (path_resolution(7)). */
const MOST_LINKS = 40;

/** What others may do with its write bits is no harm to what is not theirs. */
function isOpen(stats: Stats): boolean {
  return stats.isSymbolicLink() || (stats.mode & STICKY) !== 0;
}

/** As otherWriterOf, with what differs on a way: in a sticky directory others cannot replace what is not theirs. */
function isTrusted(stats: Stats, owners: readonly number[]): boolean {
  const other = otherWriterOf(stats, owners);
  if (other === 'owner' || other === undefined) return other === undefined;
  if (isOpen(stats)) return true;
  return other === 'group' && stats.gid === stats.uid;
}

/** Where a link on the way leads, with what follows it; undefined for what is no link. */
function throughLink(stats: Stats, at: string, rest: readonly string[]): string | undefined {
  if (!stats.isSymbolicLink()) return undefined;
  const target = readlinkSync(at);
  return [target.startsWith('/') ? target : `${path.dirname(at)}/${target}`, ...rest].join('/');
}

/** Whether one step of a way counts; the end is what is no link and has nothing behind it. */
type Judge = (stats: Stats, isEnd: boolean) => boolean;

/** The real path at which the way arrives; undefined where a step does not count. @throws Node's errno errors. */
function arrivalOf(start: string, counts: Judge, links = 0): string | undefined {
  const names = start.split('/').filter((name) => name !== '');
  for (let count = 1; count <= names.length; count++) {
    const at = `/${names.slice(0, count).join('/')}`;
    const stats = lstatSync(at);
    if (!counts(stats, count === names.length && !stats.isSymbolicLink())) return undefined;
    const further = throughLink(stats, at, names.slice(count));
    if (further !== undefined) return links < MOST_LINKS ? arrivalOf(further, counts, links + 1) : undefined;
  }
  // No link is in it, so `..` is what stands before it.
  return path.resolve(`/${names.join('/')}`);
}

/** As the kernel has it, so without making `..` less. */
function absolute(name: string): string {
  return path.isAbsolute(name) ? name : `${process.cwd()}/${name}`;
}

/** Whose links and directories lead nobody astray: root's, the user's, and those of root of outside. */
function trustedOwners(uid: number): readonly number[] {
  return [0, uid, ...ownersOfRoot()];
}

/**
 * Each directory on the way below the root directory, in which a link or the next directory stands, belongs to root,
 * the user or the owner of the root directory (root of outside, in a user namespace), and nobody else may write it; but
 * all may where it is sticky, and a group may whose number is that of the owner (his private group). True as well for a
 * way that ends before `file` is reached: nobody else can change the part that is there. False for a loop of links.
 */
export function isTrustedWay(file: string, uid: number): boolean {
  const owners = trustedOwners(uid);
  try {
    return arrivalOf(absolute(file), (stats) => isTrusted(stats, owners)) !== undefined;
  } catch (error) {
    return errnoOf(error) !== 'EACCES';
  }
}

/**
 * The same, where nobody else can make what is missing on the way either, as everybody may in a sticky directory: what
 * is there later is the user's, too.
 */
export function staysTrustedWay(file: string, uid: number): boolean {
  const owners = trustedOwners(uid);
  let last: Stats | undefined; // of what comes before that which is missing; a link leads on from the root directory
  const counts: Judge = (stats) => {
    last = stats.isSymbolicLink() ? undefined : stats;
    return isTrusted(stats, owners);
  };
  try {
    return arrivalOf(absolute(file), counts) !== undefined;
  } catch (error) {
    if (errnoOf(error) === 'EACCES') return false;
    return last === undefined || (last.mode & STICKY) === 0 || otherWriterOf(last, owners) === undefined;
  }
}

/** Undefined also where something is missing on the way. */
function arrivalThere(name: string, counts: Judge): string | undefined {
  try {
    return arrivalOf(absolute(name), counts);
  } catch {
    return undefined;
  }
}

/** For what root does in others' places no group counts as private: behind its bit may be an ACL (acl(5)). */
function isTrustedBy(uid: number): (stats: Stats) => boolean {
  const owners = trustedOwners(uid);
  const isByGroup = (stats: Stats) => uid === 0 && otherWriterOf(stats, owners) === 'group' && !isOpen(stats);
  return (stats) => isTrusted(stats, owners) && !isByGroup(stats);
}

/** The same as `isTrustedWay` for a way that must be there to its end. */
export function isTrustedAndThere(file: string, uid: number): boolean {
  return arrivalThere(file, isTrustedBy(uid)) !== undefined;
}

/**
 * Where a name leads, by one look at each step, whoever owns what is there; undefined where somebody else can change
 * that, or where nothing is.
 */
export function trustedTarget(name: string, uid: number): string | undefined {
  const isTrustedStep = isTrustedBy(uid);
  return arrivalThere(name, (stats, isEnd) => isEnd || isTrustedStep(stats));
}

/** Undefined where a link of somebody else is on the way. @throws Node's errno errors. */
function throughOwnLinks(directory: string, uid: number): string | undefined {
  const owners = trustedOwners(uid);
  return arrivalOf(absolute(directory), (stats) => !stats.isSymbolicLink() || owners.includes(stats.uid));
}

/** The directory in which a file is to be written, by no link of somebody else; else the name as it is, absolute. */
export function directoryToWrite(directory: string, uid: number): string {
  try {
    return throughOwnLinks(directory, uid) ?? absolute(directory);
  } catch {
    return absolute(directory); // nothing is there, or it cannot be looked at: who writes says so
  }
}

/**
 * Which file a name means that is to be written, were it not there yet: as the kernel follows it, but through no link
 * of somebody else, who could lead there to any file (so have sticky directories it: proc(5), "protected_symlinks").
 * Undefined where there is such a link. @throws Node's errno errors.
 */
export function targetToWrite(name: string, uid: number): string | undefined {
  const owners = trustedOwners(uid);
  let at = absolute(name);
  for (let links = 0; links <= MOST_LINKS; links += 1) {
    const end = at.lastIndexOf('/');
    const directory = throughOwnLinks(`${at.slice(0, end)}/`, uid);
    const file = directory && path.join(directory, at.slice(end + 1));
    const stats = file === undefined ? undefined : lstatSync(file, { throwIfNoEntry: false });
    if (file === undefined || stats === undefined || !stats.isSymbolicLink()) return file;
    if (!owners.includes(stats.uid)) return undefined;
    at = throughLink(stats, file, []) as string;
  }
  return undefined;
}
