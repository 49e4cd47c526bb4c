// Store paths that no substituter has, and caches that are indexes themselves → which cache has a whole closure.
import path from 'node:path';
import type { Environment } from '../host/tool-environment.ts';
import { AT_A_START, type CacheClient, nameOfCache, openCache } from './cache-client.ts';
import { readNarInfo } from './cache-listing.ts';

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

interface CopyContext {
  readonly storeDir: string;
  /** Whether Nix has it already. */
  readonly isLocal: (storePath: string) => boolean;
  /** For proxies. */
  readonly env: Environment;
  /** Addresses that did not answer → why; filled here, for all questions of one start. */
  readonly silent: Map<string, string>;
}

/** Larger closures are no library's. */
const MOST_PATHS = 10_000;

type CopyAnswer =
  | { readonly kind: 'copy'; readonly copy: CacheCopy }
  /** The cache has it not, or not with all that it needs. */
  | { readonly kind: 'lacking' }
  /** One clause. */
  | { readonly kind: 'unreachable'; readonly why: string };

const LACKING: CopyAnswer = { kind: 'lacking' };

async function copyBy(
  client: CacheClient,
  address: string,
  storePath: string,
  { storeDir, isLocal }: CopyContext,
): Promise<CopyAnswer> {
  const waiting = new Set([storePath]);
  const all = new Map<string, PathSize>();
  for (const each of waiting) {
    const name = path.basename(each);
    const answer = await client.get(`${name.slice(0, 32)}.narinfo`);
    if (answer.kind === 'unreachable') return answer;
    const info = answer.kind === 'found' ? readNarInfo(answer.bytes.toString('latin1')) : undefined;
    if (info === undefined || info.name !== name || info.storeDir !== storeDir) return LACKING;
    all.set(each, info);
    for (const reference of info.references) {
      const referred = `${storeDir}/${reference}`;
      if (!isLocal(referred)) waiting.add(referred);
    }
    if (waiting.size > MOST_PATHS) return LACKING;
  }
  return { kind: 'copy', copy: { address, storePaths: [storePath], all } };
}

async function copyOf(address: string, storePath: string, context: CopyContext): Promise<CopyAnswer> {
  const client = openCache(address, context.env, AT_A_START);
  if (client === undefined) return LACKING;
  try {
    return await copyBy(client, address, storePath, context);
  } finally {
    client.close();
  }
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
): Promise<CacheCopy | undefined> {
  for (const address of addresses) {
    if (context.silent.has(address)) continue;
    const answer = await copyOf(address, storePath, context);
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
  for (const storePath of storePaths) {
    const copy = await firstCopy(addresses, storePath, context);
    if (copy !== undefined) copies.set(copy.address, joined(copies.get(copy.address), copy));
  }
  const [unreachable] = context.silent.values();
  return { copies: [...copies.values()], unreachable };
}
