// Store paths that no substituter has, and caches that are indexes themselves → which cache has a whole closure.
import path from 'node:path';
import type { Environment } from '../host/tool-environment.ts';
import { AT_A_START, type CacheAnswer, type CacheClient, nameOfCache, openCache } from './cache-client.ts';
import { type NarInfo, narInfoIn } from './cache-listing.ts';

/** What is to be copied from one cache (store/fetch-paths.ts, copyFrom). */
export interface CacheCopy {
  /** As Nix takes it. */
  readonly address: string;
  /** Those that were asked for. */
  readonly storePaths: readonly string[];
  /** With all that they need and that is not here. */
  readonly all: ReadonlyMap<string, PathSize>;
}

/** Bytes, as sent and in the store. */
interface PathSize {
  readonly download: number;
  readonly unpacked: number;
}

/** What one cache said. */
interface AskedCache {
  /** Milliseconds that it was waited for. */
  waited: number;
  /** Store path → what it has there; undefined where that is nothing of use. */
  readonly narInfos: Map<string, NarInfo | undefined>;
}

/** Of all caches that are indexes, by their addresses; filled here, for all questions of one start. */
export interface AskedCaches {
  /** Those that did not answer → why. */
  readonly silent: Map<string, string>;
  readonly asked: Map<string, AskedCache>;
}

export function noCacheAsked(): AskedCaches {
  return { silent: new Map(), asked: new Map() };
}

interface CopyContext extends AskedCaches {
  readonly storeDir: string;
  /** Whether Nix has it already. */
  readonly isLocal: (storePath: string) => boolean;
  /** For proxies, and for Nix. */
  readonly env: Environment;
  /** Gets how many store paths of a closure were looked at, of how many that are known of so far. */
  readonly onAsking: (address: string, done: number, known: number) => void;
}

/** Larger closures are no library's. */
const MOST_PATHS = 10_000;

/** Narinfos asked for at the same time. */
const AT_ONCE = 16;

type CopyAnswer =
  | { readonly kind: 'copy'; readonly copy: CacheCopy }
  /** The cache has it not, or not with all that it needs. */
  | { readonly kind: 'lacking' }
  /** One clause. */
  | { readonly kind: 'unreachable'; readonly why: string };

const LACKING: CopyAnswer = { kind: 'lacking' };

/** A narinfo of another store path than it was asked for, or of another store, is of no use. */
function narInfoOf(answer: CacheAnswer, storePath: string): NarInfo | undefined {
  const info = answer.kind === 'found' ? narInfoIn(answer.bytes) : undefined;
  return info !== undefined && `${info.storeDir}/${info.name}` === storePath ? info : undefined;
}

/** Asks for what was not asked for before. Returns why the cache is not to be asked any more, one clause. */
async function ask(
  client: CacheClient,
  asked: AskedCache,
  storePaths: readonly string[],
): Promise<string | undefined> {
  const fresh = storePaths.filter((each) => !asked.narInfos.has(each));
  const left = Math.max(0, AT_A_START.whole - asked.waited);
  const began = performance.now();
  const names = fresh.map((each) => `${path.basename(each).slice(0, 32)}.narinfo`);
  const answers = await Promise.all(names.map((name) => client.get(name, left)));
  asked.waited += performance.now() - began;
  let why: string | undefined;
  for (const [i, answer] of answers.entries()) {
    const storePath = fresh[i] ?? '';
    if (answer.kind === 'unreachable') why ??= answer.why;
    else asked.narInfos.set(storePath, narInfoOf(answer, storePath));
  }
  const isOver = why !== undefined && asked.waited >= AT_A_START.whole;
  return isOver ? `it did not say what it has within ${AT_A_START.whole / 1000} s` : why;
}

/** Of each cache one client for some store paths, so that its connections serve for all of them. */
type Clients = Map<string, CacheClient | undefined>;

async function copyOf(
  address: string,
  storePath: string,
  context: CopyContext,
  clients: Clients,
): Promise<CopyAnswer> {
  if (!clients.has(address)) clients.set(address, openCache(address, context.env, AT_A_START));
  const client = clients.get(address);
  if (client === undefined) return LACKING;
  const asked: AskedCache = context.asked.get(address) ?? { waited: 0, narInfos: new Map() };
  context.asked.set(address, asked);
  const closure = new Set([storePath]);
  const all = new Map<string, PathSize>();
  for (let now = [storePath]; now.length > 0; now = [...closure].slice(all.size, all.size + AT_ONCE)) {
    const why = await ask(client, asked, now);
    if (why !== undefined) return { kind: 'unreachable', why };
    for (const each of now) {
      const info = asked.narInfos.get(each);
      if (info === undefined) return LACKING;
      all.set(each, info);
      const referred = info.references.map((reference) => `${context.storeDir}/${reference}`);
      for (const one of referred) if (!context.isLocal(one)) closure.add(one);
    }
    if (closure.size > MOST_PATHS) return LACKING;
    context.onAsking(address, all.size, closure.size);
  }
  return { kind: 'copy', copy: { address, storePaths: [storePath], all } };
}

function joined(before: CacheCopy | undefined, copy: CacheCopy): CacheCopy {
  if (before === undefined) return copy;
  const storePaths = [...before.storePaths, ...copy.storePaths];
  return { ...copy, storePaths, all: new Map([...before.all, ...copy.all]) };
}

export interface CopiesFound {
  /** One for each address. */
  readonly copies: readonly CacheCopy[];
  /** A cache that did not answer, one clause. */
  readonly unreachable: string | undefined;
}

/** `cache.example.org cannot be reached: it did not answer within 5 s`. */
function unreachableText(address: string, why: string): string {
  return `${URL.parse(address)?.host || nameOfCache(address)} cannot be reached: ${why}`;
}

/** The first cache that has it all; one that did not answer is asked no more. */
async function firstCopy(
  addresses: readonly string[],
  storePath: string,
  context: CopyContext,
  clients: Clients,
): Promise<CacheCopy | undefined> {
  for (const address of addresses) {
    if (context.silent.has(address)) continue;
    const answer = await copyOf(address, storePath, context, clients);
    if (answer.kind === 'copy') return answer.copy;
    if (answer.kind === 'unreachable') context.silent.set(address, unreachableText(address, answer.why));
  }
  return undefined;
}

/**
 * A cache that its own listings are the index of need not be a substituter: `nix copy --from` takes any address, also
 * from a user whom the daemon does not trust, as long as the signature is by a key that it trusts. The first address
 * that has all of a store path's closure serves. Never throws.
 */
export async function copiesFrom(
  addresses: readonly string[],
  storePaths: readonly string[],
  context: CopyContext,
): Promise<CopiesFound> {
  const copies = new Map<string, CacheCopy>();
  const clients: Clients = new Map();
  try {
    for (const storePath of storePaths) {
      const copy = await firstCopy(addresses, storePath, context, clients);
      if (copy !== undefined) copies.set(copy.address, joined(copies.get(copy.address), copy));
    }
  } finally {
    for (const client of clients.values()) client?.close();
  }
  const [unreachable] = context.silent.values();
  return { copies: [...copies.values()], unreachable };
}
