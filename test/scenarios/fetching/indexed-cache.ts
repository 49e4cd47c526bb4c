// Store paths of the rig → a signed binary cache with listings, and a nix-index database of what is in it.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Exchange, type KeyPair, makeKeyPair, providerOf } from '../../rig/binary-cache.ts';
import { databaseOf, type IndexedPackage, type Tree } from '../../rig/file-index.ts';
import type { Rig } from '../../rig/rig.ts';
import type { Root } from '../../rig/root.ts';
import { exchangeForTests, type Machine, openMachine } from '../travelling/machines.ts';

export interface IndexedCache {
  /** As Nix has it in a root. */
  readonly url: string;
  /** The same as a directory of the host. */
  readonly directory: string;
  readonly key: KeyPair;
  /** The database, as a path of every root that has the exchange. */
  readonly index: string;
  readonly packages: readonly IndexedPackage[];
}

interface Listed {
  readonly type: string;
  readonly size?: number;
  readonly executable?: boolean;
  readonly target?: string;
  readonly entries?: Readonly<Record<string, Listed>>;
}

function treeOf({ type, size = 0, executable = false, target = '', entries = {} }: Listed): Tree {
  if (type === 'symlink') return { kind: 'link', target };
  if (type === 'regular') return { kind: 'file', size, executable };
  const trees = Object.entries(entries).map(([name, each]) => [name, treeOf(each)] as const);
  return { kind: 'directory', entries: Object.fromEntries(trees) };
}

/** As nix-index makes packages of a cache. */
function packagesIn(directory: string): IndexedPackage[] {
  const narInfos = readdirSync(directory).filter((name) => name.endsWith('.narinfo'));
  return narInfos.map((file) => {
    const hash = file.slice(0, 32);
    const text = readFileSync(path.join(directory, file), 'utf8');
    const name = path.basename(/^StorePath: (.*)$/m.exec(text)?.[1] ?? '').slice(33);
    const listing = JSON.parse(readFileSync(path.join(directory, `${hash}.ls`), 'utf8')) as { root: Listed };
    return { hash, name, tree: treeOf(listing.root) };
  });
}

/** Writes another index of the same name; returns its path in a root. */
export function writeIndex(
  exchange: Exchange,
  name: string,
  packages: readonly IndexedPackage[],
  version: 1 | 2 = 2,
): string {
  writeFileSync(path.join(exchange.directory, name), databaseOf(packages, version));
  return `${exchange.inRoot}/${name}`;
}

/** Copies closures to a cache of the exchange, signed and with listings, and indexes them. */
export async function indexedCache(
  root: Root,
  exchange: Exchange,
  storePaths: readonly string[],
): Promise<IndexedCache> {
  const key = await makeKeyPair(root, exchange, 'cache-1');
  const url = `file://${exchange.inRoot}/cache`;
  const target = `${url}?compression=none&write-nar-listing=true&secret-key=${key.secretFile}`;
  const { status, stderr } = await root.run({
    argv: ['nix', '--extra-experimental-features', 'nix-command', 'copy', '--to', target, ...storePaths],
  });
  assert.equal(status, 0, stderr);
  const directory = path.join(exchange.directory, 'cache');
  const packages = packagesIn(directory);
  return { url, directory, key, index: writeIndex(exchange, 'files', packages), packages };
}

/** A cache that has what jq needs, and a machine that lacks it. */
interface Fetching {
  readonly exchange: Exchange;
  /** The machine that filled the cache. */
  readonly maker: Machine;
  /** Store paths of libjq and libonig. */
  readonly libraries: readonly string[];
  readonly cache: IndexedCache;
  readonly bare: Machine;
}

/** `more`: store paths that the cache has besides. Closed when the tests of the file have ended. */
export async function openFetching(rig: Rig, more: readonly string[] = []): Promise<Fetching> {
  const exchange = exchangeForTests();
  const maker = await openMachine(rig, exchange);
  const libraries = ['libjq.so.1', 'libonig.so.5'].map((name) => providerOf(rig, 'bookworm', name).path);
  const cache = await indexedCache(maker, exchange, [...libraries, ...more]);
  return { exchange, maker, libraries, cache, bare: await openMachine(rig, exchange) };
}
