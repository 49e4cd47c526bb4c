// Store objects → whether those that were there are the same still. A collector may have taken one and Nix fetched it again.
import { lstatSync } from 'node:fs';

/** Store paths that exist, each with what tells one making of it from the next. */
export type Identities = ReadonlyMap<string, string>;

/** Nix makes an object anew under another inode, or at another change time where the inode's number is used again. */
function identityOf(storePath: string): string | undefined {
  const stat = lstatSync(storePath, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? undefined : `${stat.dev}:${stat.ino}:${stat.ctimeNs}`;
}

/** Those that are in the store's directory, valid or not. */
export function identitiesOf(storePaths: readonly string[]): Identities {
  const found = new Map<string, string>();
  for (const each of storePaths) {
    const identity = identityOf(each);
    if (identity !== undefined) found.set(each, identity);
  }
  return found;
}

/** The first that is gone, or was made anew since; what was not there before does not count. */
export function firstDisturbed(before: Identities): string | undefined {
  return [...before].find(([storePath, identity]) => identityOf(storePath) !== identity)?.[0];
}
