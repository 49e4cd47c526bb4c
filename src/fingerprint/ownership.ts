// Owners and permission bits of a file and its directory → whether anybody else could have written it.

/**
 * The uid that stat(2) shows for every owner who has no number in this user namespace (/proc/sys/fs/overflowuid,
 * user_namespaces(7)). It stands for many, so it is nobody's property.
 */
export const NOBODY = 65534;

/** What stat(2) says of one of the two. */
export interface Ownership {
  readonly uid: number;
  readonly mode: number;
}

/** Who is believed besides root. */
export interface Owners {
  /** Effective uid of the user. */
  readonly user: number;
  /**
   * uid of the program's owner: who writes the program decides what runs anyway. Undefined where the program is not
   * started: to be asked about it, its owner may run nothing as another user.
   */
  readonly program: number | undefined;
}

/** Stable words for what is wrong. */
export type OwnershipCause =
  | 'file-owner'
  | 'file-writable'
  | 'directory-owner'
  | 'directory-writable'
  | 'directory-open';

export type Writers =
  | { readonly kind: 'trusted' }
  | { readonly kind: 'others'; readonly cause: OwnershipCause; readonly why: string };

function isTrustedOwner(uid: number, owners: Owners): boolean {
  return uid !== NOBODY && (uid === 0 || uid === owners.user || uid === owners.program);
}

/**
 * The bits of `group` also show a POSIX ACL: with one, they are its mask, the most that any named user or group has
 * (acl(5), "Correspondence between ACL entries and file permission bits"). A directory that all may write to is refused
 * with the sticky bit too: it keeps others from replacing the file, not from having put it there first.
 */
export function writersOf(file: Ownership, directory: Ownership, owners: Owners): Writers {
  const others = (cause: OwnershipCause, why: string): Writers => ({ kind: 'others', cause, why });
  const strangers =
    owners.program === undefined
      ? 'neither you nor root; the owner of the program counts only when it is started'
      : 'neither you, root nor the owner of the program';
  if (!isTrustedOwner(file.uid, owners)) {
    return others('file-owner', `it belongs to uid ${file.uid}, which is ${strangers}`);
  }
  if ((file.mode & 0o022) !== 0) {
    const whom = (file.mode & 0o002) === 0 ? 'its group' : 'everybody';
    return others('file-writable', `${whom} may write to it (mode ${(file.mode & 0o7777).toString(8)})`);
  }
  if (!isTrustedOwner(directory.uid, owners)) {
    return others('directory-owner', `its directory belongs to uid ${directory.uid}, which is ${strangers}`);
  }
  if ((directory.mode & 0o002) !== 0) {
    const sticky = (directory.mode & 0o1000) === 0 ? '' : ', which the sticky bit does not prevent';
    return others('directory-open', `everybody may put files into its directory${sticky}`);
  }
  if ((directory.mode & 0o020) !== 0) {
    return others('directory-writable', 'a group may put files into its directory');
  }
  return { kind: 'trusted' };
}
