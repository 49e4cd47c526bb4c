// Store paths, some of them missing → all present through the machine's substituters, and held by root links.
// Store paths → they and all they refer to, in another store or binary cache.
// Store objects → whether those that were there are the same still. A collector may have taken one and Nix fetched it
// again.

import { lstatSync, rmSync } from 'node:fs';
import path from 'node:path';
import { identityOfStats } from '../host/file-identity.ts';
import { isGone, makeDirectories } from '../host/files.ts';
import { withoutSecrets } from '../host/output.ts';
import type { Ended } from '../host/run-program.ts';
import { complaintOf, deletePaths, invalidPaths, linesOf, type Nix, runWatched, type Show } from './nix.ts';
import { isOfStore } from './nix-database.ts';
import { isRegistered, spareFromCollector } from './spare-from-collector.ts';
import { isStoreObjectName, storeLocation } from './store-location.ts';

export type Realised =
  /** All are valid. `links` are indirect roots, one for each path, to be released when something else roots them. */
  | { readonly kind: 'realised'; readonly links: readonly string[] }
  /**
   * Nix held paths valid whose files a collector took, and does so no longer: to be asked for once more, since they
   * count as a download of their own.
   */
  | { readonly kind: 'undone'; readonly why: string }
  /** No substituter has these, or none is trusted: `why` is what Nix says, in one line. */
  | { readonly kind: 'unavailable'; readonly paths: readonly string[]; readonly why: string }
  /** Nix itself cannot work, or a path is none that may be asked for. */
  | { readonly kind: 'failed'; readonly why: string };

/** nix-store(1), --add-root: the first link has the name given, the others a number behind it. */
function linksOf(link: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => (i === 0 ? link : `${link}-${i + 1}`));
}

/** Realising a derivation builds it (nix-store(1), --realise), and building runs what its author wrote. */
export function isHarmless(storePath: string): boolean {
  return (
    storePath.startsWith('/') &&
    path.normalize(storePath) === storePath &&
    isStoreObjectName(path.basename(storePath)) &&
    !storePath.endsWith('.drv')
  );
}

/**
 * What Nix adds to every reason: up to 2.26 the first, later the second; the third about paths that need a failed one.
 */
const CONCLUSION =
  /^error: (?:build of '.*' failed|path '.*' is required, but there is no|some references of path '.*' could not)/;

/** Why paths could not be fetched, in Nix's own words, as one line without colours. */
export function whyNotFetched(ended: Ended): string {
  const lines = linesOf(ended.stderr);
  const last = (beginning: string) =>
    lines.findLast((line) => line.startsWith(beginning) && !CONCLUSION.test(line));
  const reporting = last('error: ') ?? last('warning: ');
  if (reporting !== undefined) {
    return withoutSecrets(
      reporting.replace(/^(?:(?:warning|error): *)+/, '').replace(/;(?: retrying in .*)?$/, ''),
    );
  }
  if (lines.some((line) => line.startsWith("don't know how to build"))) return 'no substituter has them';
  return withoutSecrets(complaintOf(ended));
}

async function judge(nix: Nix, storePaths: readonly string[], ended: Ended): Promise<Realised> {
  if (ended.failure !== undefined || ended.timedOut) return { kind: 'failed', why: complaintOf(ended) };
  try {
    const missing = await invalidPaths(nix, storePaths);
    // All there and yet a failure: then it was about the links.
    if (missing.size === 0) return { kind: 'failed', why: complaintOf(ended) };
    return { kind: 'unavailable', paths: [...missing].sort(), why: whyNotFetched(ended) };
  } catch {
    return { kind: 'failed', why: complaintOf(ended) };
  }
}

/**
 * Has Nix make store paths valid, all at once and only by substitution, and root them in the same process, so that no
 * collector comes between: Nix holds temporary roots until it has made the links `link`, `link-2`, `link-3` ...
 * Paths that are valid already cost one Nix process and no network. Without success there are no links.
 * `link` is best in a directory named by `temporaryName`, so that `removeLeftovers` finds it after a kill. A name that
 * was a root before can lose its entry to a collector that saw it gone (`isRegistered`): then it is made once more.
 * @throws Node's errors when the directory of `link` cannot be made.
 */
export async function realise(
  nix: Nix,
  storePaths: readonly string[],
  link: string,
  show: Show,
): Promise<Realised> {
  return await realiseBy((args) => runWatched(nix, 'nix-store', args, show), nix, storePaths, link);
}

/**
 * Paths that Nix holds valid without their files, and therefore does not fetch (NOTES.md), are taken from its database.
 * Not here, where nobody was asked, but by its caller they are fetched. Where the database is of another store than the
 * directory, as in a container, they may be well there.
 */
async function withoutFiles(nix: Nix, absent: readonly string[]): Promise<Realised> {
  const why = `${absent[0]} is valid for Nix, and there is no such file`;
  if (!isOfStore(storeLocation(nix.env))) return { kind: 'failed', why };
  await deletePaths(nix, absent);
  return { kind: 'undone', why };
}

/** As `realise`, with nix-store started by `run`, which gets its arguments. */
export async function realiseBy(
  run: (args: readonly string[]) => Promise<Ended>,
  nix: Nix,
  storePaths: readonly string[],
  link: string,
): Promise<Realised> {
  const distinct = [...new Set(storePaths)];
  const harmful = distinct.find((each) => !isHarmless(each));
  if (harmful !== undefined) return { kind: 'failed', why: `${harmful} is no path of a built store object` };
  if (distinct.length === 0) return { kind: 'realised', links: [] };
  makeDirectories(path.dirname(link));
  const links = linksOf(link, distinct.length);
  releaseLinks(links); // Nix replaces nothing but links into the store
  const once = async (): Promise<Ended> => {
    const ended = await run(['--realise', ...distinct, '--add-root', link, '--indirect']); // --indirect is for Nix 2.3
    if (ended.status === 0) await spareFromCollector(nix, distinct);
    return ended;
  };
  const isWhole = () => links.every((each) => isRegistered(nix, each));
  const first = await once();
  const isCut = first.status === 0 && !distinct.some(isGone) && !isWhole();
  const ended = isCut ? await once() : first;
  const absent = ended.status === 0 ? distinct.filter(isGone) : [];
  if (ended.status === 0 && absent.length === 0) return { kind: 'realised', links };
  releaseLinks(links);
  return absent.length > 0 ? await withoutFiles(nix, absent) : await judge(nix, distinct, ended);
}

/** Removes root links; Nix drops its own entries for them at the next collection. */
export function releaseLinks(links: readonly string[]): void {
  for (const link of links) rmSync(link, { recursive: true, force: true });
}

export type Copied = { readonly kind: 'copied' } | { readonly kind: 'refused'; readonly why: string };

/**
 * Copies the closure of store paths to a store (store URLs: nix3-help-stores(1)). What is there already is not sent
 * again.
 */
export async function copyClosure(
  nix: Nix,
  storePaths: readonly string[],
  storeUrl: string,
  show: Show,
): Promise<Copied> {
  const args = copyArguments(['--to', storeUrl, ...storePaths]);
  return toCopied(nix, await runWatched(nix, 'nix', args, show));
}

/** No stable command does it for binary caches, so the experimental one is asked for by name (nix3-copy(1)). */
export function copyArguments(args: readonly string[]): readonly string[] {
  return ['--extra-experimental-features', 'nix-command', 'copy', ...args];
}

/** How `nix copy` ended. */
export function toCopied(nix: Nix, ended: Ended): Copied {
  if (ended.status === 0) return { kind: 'copied' };
  if (ended.failure === 'ENOENT') return { kind: 'refused', why: `there is no command nix in ${nix.bin}` };
  return { kind: 'refused', why: withoutSecrets(complaintOf(ended)) };
}

/** Store paths, each with what tells one making of it from the next. */
export type Identities = ReadonlyMap<string, string>;

/** Nix makes an object anew under another inode, or at another change time where the inode's number is used again. */
function identityOf(storePath: string): string | undefined {
  const stat = lstatSync(storePath, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? undefined : identityOfStats(stat);
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

/** The first that is gone, or another than it was. */
export function firstDisturbed(before: Identities): string | undefined {
  return [...before].find(([storePath, identity]) => identityOf(storePath) !== identity)?.[0];
}
