// A library in the store → the keys by which providers of one name are ordered, best first.
import path from 'node:path';
import type { CataloguedLibrary } from '../store/catalogue.ts';
import { nameOfStoreObject } from '../store/store-location.ts';

/** Smaller is better; compared key by key. Equal only for the same file. */
export type Rank = readonly (number | string)[];

/** Packages whose libraries are not meant for others: debug files, link stubs, bootstrap tools, whole foreign trees. */
const LAST_RESORT =
  /(^|-)(debug|dev|stubs?|bootstrap|fhs|usr-target|rootfs|steam|wine|appimage|unwrapped-wine|cross)(-|$)|bootstrap-stage/;

const VERSION_PARTS = 8;

/**
 * The version in a store object's name as numbers: `openssl-3.0.11` → 3, 0, 11; `x-0-unstable-2024-05-01` → 0, 2024,
 * 5, 1. It begins at the first dash before a digit (Nix: builtins.parseDrvName) and ends at an output's name.
 */
export function versionOfName(name: string): readonly number[] {
  const version = /-(\d[^-]*(?:-(?:\d|unstable)[^-]*)*)/.exec(name)?.[1] ?? '';
  return (version.match(/\d+/g) ?? []).slice(0, VERSION_PARTS).map(Number);
}

/** What decides where two ranks first differ. */
export type RankCriterion =
  | 'last resort'
  | 'distance'
  | 'depth'
  | 'version'
  | 'popularity'
  | 'closure size'
  | 'path';

/** One word for each key of `rankOf`, in its order. */
export const RANK_CRITERIA: readonly RankCriterion[] = [
  'last resort',
  'distance',
  'depth',
  ...Array.from({ length: VERSION_PARTS }, () => 'version' as const),
  'popularity',
  'closure size',
  'path',
  'path',
];

/**
 * Ranks one provider: meant for others, nearest by name (`distance`, 0 for the exact name), directly in a library
 * directory, newest version; then popularity and closure size, for which break-ties.ts has the place; then by path.
 */
export function rankOf(library: CataloguedLibrary, distance = 0): Rank {
  const name = nameOfStoreObject(library.storePath);
  const version = versionOfName(name);
  const newestFirst = Array.from({ length: VERSION_PARTS }, (_, i) => -(version[i] ?? 0));
  const depth = library.file.split('/').length - 2;
  return [
    LAST_RESORT.test(name) ? 1 : 0,
    distance,
    depth,
    ...newestFirst,
    0,
    0,
    path.basename(library.storePath),
    library.file,
  ];
}

/** Compares two ranks. */
export function compareRanks(a: Rank, b: Rank): number {
  for (const [i, left] of a.entries()) {
    const right = b[i];
    if (right === undefined || left === right) continue;
    return left < right ? -1 : 1;
  }
  return a.length - b.length;
}
