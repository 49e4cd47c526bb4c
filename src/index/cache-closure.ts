// Store paths that no substituter has, and caches that are indexes themselves → which cache has a whole closure.
import path from 'node:path';
import type { Environment } from '../host/tool-environment.ts';
import { openCache } from './cache-client.ts';
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
}

/** Larger closures are no library's. */
const MOST_PATHS = 10_000;

/** Undefined where the cache lacks a part of the closure. */
async function copyOf(
  address: string,
  storePath: string,
  { storeDir, isLocal, env }: CopyContext,
): Promise<CacheCopy | undefined> {
  const client = openCache(address, env);
  if (client === undefined) return undefined;
  const waiting = new Set([storePath]);
  const all = new Map<string, PathSize>();
  try {
    for (const each of waiting) {
      const name = path.basename(each);
      const answer = await client.get(`${name.slice(0, 32)}.narinfo`);
      const info = answer.kind === 'found' ? readNarInfo(answer.bytes.toString('latin1')) : undefined;
      if (info === undefined || info.name !== name || info.storeDir !== storeDir) return undefined;
      all.set(each, info);
      for (const reference of info.references) {
        const referred = `${storeDir}/${reference}`;
        if (!isLocal(referred)) waiting.add(referred);
      }
      if (waiting.size > MOST_PATHS) return undefined;
    }
    return { address, storePaths: [storePath], all };
  } finally {
    client.close();
  }
}

function joined(before: CacheCopy | undefined, copy: CacheCopy): CacheCopy {
  if (before === undefined) return copy;
  const storePaths = [...before.storePaths, ...copy.storePaths];
  return { ...copy, storePaths, all: new Map([...before.all, ...copy.all]) };
}

/**
 * A cache that its own listings are the index of need not be a substituter: `nix copy --from` takes any address, also
 * from a user whom the daemon does not trust, as long as the signature is by a key that it trusts. The first address
 * that has all of a store path's closure serves. One copy for each address. Never throws.
 */
export async function copiesFrom(
  addresses: readonly string[],
  storePaths: readonly string[],
  context: CopyContext,
): Promise<readonly CacheCopy[]> {
  const copies = new Map<string, CacheCopy>();
  for (const storePath of storePaths) {
    for (const address of addresses) {
      const copy = await copyOf(address, storePath, context);
      if (copy === undefined) continue;
      copies.set(address, joined(copies.get(address), copy));
      break;
    }
  }
  return [...copies.values()];
}
