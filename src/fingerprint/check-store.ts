// A trusted fingerprint and the store, with all fetched → sound, or why it cannot serve here.
import { realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import { listText, printableLine } from '../host/output.ts';
import { type Fingerprint, type StoreFile, storePathsOf } from './fingerprint.ts';
import { hexOfNarHash } from './nar-hash.ts';

/** What only the store, Nix and the loader know. */
export interface StoreFacts {
  /** The valid ones among some store paths, each with the NAR hash that Nix has, in either of its forms. */
  validPaths(storePaths: readonly string[]): Promise<ReadonlyMap<string, string | undefined>>;
  /** A path without symbolic links when it is a regular file, else undefined. */
  realFileOf(file: string): string | undefined;
  /** Why the loader would not start the program with this set; undefined when it would. */
  whyNotLoaded(fingerprint: Fingerprint): Promise<string | undefined>;
}

export type StoreCause = 'missing' | 'nar-hash' | 'no-such-file' | 'leaves-store' | 'loader';

type StoreCheck =
  | { readonly kind: 'sound' }
  | { readonly kind: 'refused'; readonly cause: StoreCause; readonly why: string };

/** For `StoreFacts`: from the file system. */
export function realFileOf(file: string): string | undefined {
  try {
    const real = realpathSync.native(file);
    return statSync(real).isFile() ? real : undefined;
  } catch {
    return undefined;
  }
}

function refused(cause: StoreCause, why: string): StoreCheck {
  return { kind: 'refused', cause, why: printableLine(why) };
}

/** Nix's hash is over what the path holds now or held when it came; both are the word of Nix, not of the document. */
function checkHash(file: StoreFile, known: string | undefined): StoreCheck | undefined {
  if (file.narHash === undefined) return undefined;
  if (known === undefined) return refused('nar-hash', `Nix has no hash of ${file.storePath} to compare`);
  const same = hexOfNarHash(known) === hexOfNarHash(file.narHash);
  return same
    ? undefined
    : refused('nar-hash', `${file.storePath} has other content here than where it was made`);
}

/** A store object may hold symbolic links to anywhere; what they name outside may change at any time. */
function checkFile(file: StoreFile, storeDir: string, facts: StoreFacts): StoreCheck | undefined {
  const where = path.posix.join(file.storePath, file.file);
  const real = facts.realFileOf(where);
  if (real === undefined) return refused('no-such-file', `there is no file ${where}`);
  return real.startsWith(`${storeDir}/`)
    ? undefined
    : refused('leaves-store', `${where} leads out of the store, to ${real}`);
}

/**
 * The second half of trust, after missing paths were realised: every path valid, every hash Nix's own, every file
 * there and inside the store, and the loader content.
 * @param realStoreDir the store directory without symbolic links.
 */
export async function checkInStore(
  fingerprint: Fingerprint,
  realStoreDir: string,
  facts: StoreFacts,
): Promise<StoreCheck> {
  const paths = storePathsOf(fingerprint);
  const valid = await facts.validPaths(paths);
  const missing = paths.filter((each) => !valid.has(each));
  if (missing.length > 0) return refused('missing', `the store has no ${listText(missing, 1)}`);
  for (const file of [fingerprint.loader, ...fingerprint.libraries]) {
    const wrong = checkHash(file, valid.get(file.storePath)) ?? checkFile(file, realStoreDir, facts);
    if (wrong !== undefined) return wrong;
  }
  const why = await facts.whyNotLoaded(fingerprint);
  return why === undefined ? { kind: 'sound' } : refused('loader', `the loader refuses the set: ${why}`);
}
