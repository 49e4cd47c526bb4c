// A path → whether nobody but the user and root can change where it leads; the rule of launcher/trusted-files.c.
import { lstatSync, readlinkSync, type Stats } from 'node:fs';
import path from 'node:path';
import { errnoOf } from './errors.ts';
import { otherWriterOf } from './trusted-file.ts';

const STICKY = 0o1000;
/** Links on one way, as the kernel has it (path_resolution(7)). */
const MOST_LINKS = 40;

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

function isTrustedFrom(
  start: string,
  owners: readonly number[],
  end: 'judged' | 'as it is',
  links = 0,
): boolean {
  const names = start.split('/').filter((name) => name !== '');
  for (let count = 1; count <= names.length; count++) {
    const at = `/${names.slice(0, count).join('/')}`;
    const stats = lstatSync(at);
    const isEnd = count === names.length && !stats.isSymbolicLink();
    if (!(isEnd && end === 'as it is') && !isTrusted(stats, owners)) return false;
    const further = throughLink(stats, at, names.slice(count));
    if (further !== undefined) return links < MOST_LINKS && isTrustedFrom(further, owners, end, links + 1);
  }
  return true;
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
  return isTrustedTo(file, uid, 'judged');
}

/** The same of all that comes before the file, whoever owns the file itself: nobody else changes where a name leads. */
export function isTrustedName(file: string, uid: number): boolean {
  return isTrustedTo(file, uid, 'as it is');
}

function isTrustedTo(file: string, uid: number, end: 'judged' | 'as it is'): boolean {
  try {
    return isTrustedFrom(file, [0, uid, ...ownersOfRoot()], end);
  } catch (error) {
    return errnoOf(error) !== 'EACCES';
  }
}
