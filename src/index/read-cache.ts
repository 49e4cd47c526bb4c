// A binary cache that has listings → a source of a side catalogue.
import { pathToFileURL } from 'node:url';
import { withLock } from '../host/mutex.ts';
import { AT_A_BUILD, type CacheAnswer, type CacheClient, nameOfCache, openCache } from './cache-client.ts';
import { type NarInfo, narInfoIn, readListing } from './cache-listing.ts';
import { noCounts, type PackageObjects } from './package-objects.ts';
import type { DatabaseRead } from './read-database.ts';
import { addSource, type CataloguePlace, type SourceState } from './read-source.ts';

interface CacheReading {
  /** A directory, or a file:, http: or https: URL. */
  readonly address: string;
  /**
   * Store paths to begin with; what they refer to follows. Undefined: everything, where the cache can be listed: a
   * directory, or a web server that shows one.
   */
  readonly roots: readonly string[] | undefined;
  /** Gets how many store paths were looked at, of how many that are known of so far. */
  readonly progress: (done: number, known: number) => void;
  /** For proxies, and for Nix. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

export type CacheRead =
  | {
      readonly kind: 'read';
      readonly state: SourceState;
      /** Store paths without a listing: the cache was written without `write-nar-listing=true`. */
      readonly unlisted: number;
      /** Store paths with a listing that cannot be read. */
      readonly unreadable: number;
      /** Store paths with a narinfo that cannot be read: neither they nor what only they refer to is known. */
      readonly unreadableNarInfos: number;
    }
  /** One line of cause, one of remedy. */
  | { readonly kind: 'failed'; readonly why: string; readonly remedy: string };

/** Files asked for at the same time. */
const AT_ONCE = 16;

/** More store paths than cache.nixos.org has of all years. */
const MOST_PATHS = 1 << 21;

interface Crawl {
  readonly client: CacheClient;
  readonly storeDir: string;
  /** The hashes of store paths to begin with → as they were named. */
  readonly roots: ReadonlyMap<string, string>;
  /** Somebody named them, so that each has to be there. */
  readonly areNamed: boolean;
  readonly found: PackageObjects[];
  readonly counts: ReturnType<typeof noCounts>;
  unlisted: number;
  unreadable: number;
  unreadableNarInfos: number;
  /** Of the first answer that is neither a file nor that there is none, or the first named path that is not there. */
  failure: FailedRead | undefined;
}

function textIn(crawl: Crawl, answer: CacheAnswer): Buffer | undefined {
  if (answer.kind === 'unreachable') crawl.failure ??= failed(answer.why, remedyOf(answer));
  return answer.kind === 'found' ? answer.bytes : undefined;
}

async function listingOf(crawl: Crawl, hash: string, { name }: NarInfo): Promise<void> {
  const bytes = textIn(crawl, await crawl.client.get(`${hash}.ls`));
  const files = bytes === undefined ? undefined : readListing(bytes);
  if (bytes === undefined) crawl.unlisted += 1;
  else if (files === undefined) crawl.unreadable += 1;
  if (files === undefined || files.length === 0) return;
  crawl.counts.objects += 1;
  crawl.counts.files += files.length;
  const object = { name, attr: '', output: '', toplevel: crawl.roots.has(hash), system: '' };
  crawl.found.push({ object, files });
}

/** Looks at one store path. Returns the hashes that it refers to. */
async function visit(crawl: Crawl, hash: string): Promise<string[]> {
  const bytes = textIn(crawl, await crawl.client.get(`${hash}.narinfo`));
  const info = bytes === undefined ? undefined : narInfoIn(bytes);
  if (info === undefined || info.storeDir !== crawl.storeDir || !info.name.startsWith(`${hash}-`)) {
    crawl.counts.ignored += 1;
    const named = crawl.areNamed ? crawl.roots.get(hash) : undefined;
    const isUnreadable = bytes !== undefined && info === undefined;
    if (isUnreadable) crawl.unreadableNarInfos += 1;
    if (named !== undefined)
      crawl.failure ??= isUnreadable
        ? failed(`its .narinfo of ${named} cannot be read`, PACK_OTHERWISE)
        : failed(`it does not have ${named}`, NAME_ROOTS);
    return [];
  }
  crawl.counts.packages += 1;
  await listingOf(crawl, hash, info);
  return info.references.map((each) => each.slice(0, 32));
}

async function visitAll(crawl: Crawl, progress: CacheReading['progress']): Promise<void> {
  const known = new Set(crawl.roots.keys());
  let [waiting, done] = [[...known].sort(), 0];
  while (waiting.length > 0 && crawl.failure === undefined && known.size <= MOST_PATHS) {
    const now = waiting.slice(0, AT_ONCE);
    waiting = waiting.slice(AT_ONCE);
    for (const referred of await Promise.all(now.map((hash) => visit(crawl, hash)))) {
      const fresh = [...new Set(referred)].filter((hash) => !known.has(hash));
      for (const hash of fresh) known.add(hash);
      waiting.push(...fresh);
    }
    done += now.length;
    progress(done, known.size);
  }
}

/** `<hash>-<name>`, also below a store, and `<hash>.narinfo`; other names are left out. */
function byHash(names: readonly string[]): ReadonlyMap<string, string> {
  const hashOf = (name: string) => /(?:^|\/)([0-9a-df-np-sv-z]{32})(?:-|\.narinfo$)/.exec(name)?.[1];
  return new Map(names.map((name): [string, string] => [hashOf(name) ?? '', name]).filter(([hash]) => hash));
}

type FailedRead = Extract<CacheRead, { kind: 'failed' }>;

function failed(why: string, remedy: string): FailedRead {
  return { kind: 'failed', why, remedy };
}

const NAME_ANOTHER = 'name a directory, or a file:, http: or https: address of a binary cache';
const NAME_ROOTS = 'name store paths that it has: --root STORE-PATH; what was read of it before is kept';
const PACK_OTHERWISE = 'fill the cache with narinfo-compression=zstd, or with none';
const TRY_AGAIN = 'try again when it answers: what was read of it before is kept';
const NAME_PASSWORD =
  'name a user and a password for it: in the netrc-file of nix.conf, or in the address (https://USER:PASSWORD@HOST)';

function remedyOf({ refusal }: Exclude<CacheAnswer, { kind: 'found' }>): string {
  if (refusal === undefined) return TRY_AGAIN;
  if (refusal === 'cache') return NAME_PASSWORD;
  return `name a user and a password for the proxy: ${refusal}=http://USER:PASSWORD@HOST:PORT`;
}

/** As a clause. The login page of a network answers every address; where no store is named Nix assumes its own. */
function whyNoneOf(storeDir: string, cacheInfo: Buffer): string | undefined {
  const text = cacheInfo.toString('latin1');
  if (text.trim() !== '' && (/^\s*[<{]/.test(text) || !/^\w+:/m.test(text)))
    return 'it is no binary cache: its nix-cache-info is something else';
  const named = /^StoreDir: *([\x21-\x7e]+)/m.exec(text)?.[1] ?? storeDir;
  return named === storeDir ? undefined : `it is a binary cache of ${named}, not of ${storeDir}`;
}

/** Makes a cache a source, in place of what was read of it before. */
export async function readCache(place: CataloguePlace, reading: CacheReading): Promise<CacheRead> {
  const client = openCache(reading.address, reading.env, AT_A_BUILD);
  if (client === undefined)
    return failed('it is neither a directory nor a file:, http: or https: address', NAME_ANOTHER);
  try {
    const info = await client.get('nix-cache-info');
    if (info.kind === 'absent' && info.refusal !== undefined)
      return failed('it does not give its nix-cache-info (status 403)', remedyOf(info));
    if (info.kind === 'absent')
      return failed('it is no binary cache: it has no nix-cache-info', NAME_ANOTHER);
    if (info.kind === 'unreachable') return failed(info.why, remedyOf(info));
    const why = whyNoneOf(place.storeDir, info.bytes);
    if (why !== undefined) return failed(why, NAME_ANOTHER);
    const names = reading.roots ?? (await client.list());
    if (names === undefined)
      return failed('it cannot be listed', 'name store paths to begin with: --root STORE-PATH');
    return await crawlInto(place, reading, client, byHash(names));
  } finally {
    client.close();
  }
}

/** Everything that is found is kept in memory, some hundred bytes a library, until all of it is there. */
async function crawlInto(
  place: CataloguePlace,
  reading: CacheReading,
  client: CacheClient,
  roots: Crawl['roots'],
): Promise<CacheRead> {
  const found: PackageObjects[] = [];
  const crawl: Crawl = {
    client,
    storeDir: place.storeDir,
    roots,
    areNamed: reading.roots !== undefined,
    found,
    counts: noCounts(),
    unlisted: 0,
    unreadable: 0,
    unreadableNarInfos: 0,
    failure: undefined,
  };
  await visitAll(crawl, reading.progress);
  // A source of which a part could not be read is not taken: it would be missed without a word.
  if (crawl.failure !== undefined) return crawl.failure;
  const { unlisted, unreadable, unreadableNarInfos } = crawl;
  const state = await addFound(place, reading, crawl);
  return { kind: 'read', state, unlisted, unreadable, unreadableNarInfos };
}

/** The lock is for this alone: a crawl takes minutes, and starts wait for it. */
async function addFound(
  place: CataloguePlace,
  { address }: CacheReading,
  { found, counts }: Crawl,
): Promise<SourceState> {
  const source = {
    key: nameOfCache(address),
    identity: String(Date.now()),
    kind: 'cache',
    address: address.startsWith('/') ? pathToFileURL(address).href : address,
  } as const;
  return await withLock(place.lock, () =>
    addSource(place, source, async (give): Promise<DatabaseRead> => {
      for (const each of found) give(each);
      return { kind: 'read', version: 1, counts };
    }),
  );
}
