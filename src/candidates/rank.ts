// A library in the store → the keys by which providers of one name are ordered, best first.
import path from 'node:path';
import type { CataloguedLibrary } from '../store/catalogue.ts';
import { nameOfStoreObject } from '../store/store-location.ts';

/** Smaller is better; compared key by key. Equal only for the same file. */
export type Rank = readonly (number | string)[];

/** Packages whose libraries are not meant for others: debug files, link stubs, bootstrap tools, whole foreign trees. */
const LAST_RESORT =
  /(^|-)(debug|dev|stubs?|bootstrap|fhs|usr-target|rootfs|steam|wine|appimage|unwrapped-wine|cross)(-|$)|bootstrap-stage/;

const VERSION_PARTS = 6;

/** The version in a store object's name as numbers: `openssl-3.0.11` → 3, 0, 11. Nix: builtins.parseDrvName. */
export function versionOfName(name: string): readonly number[] {
  const version = /-(\d[^-]*)/.exec(name)?.[1] ?? '';
  return (version.match(/\d+/g) ?? []).slice(0, VERSION_PARTS).map(Number);
}

/** What decides where two ranks first differ. */
export type RankCriterion = 'last resort' | 'depth' | 'version' | 'popularity' | 'closure size' | 'path';

/** One word for each key of `rankOf`, in its order. */
export const RANK_CRITERIA: readonly RankCriterion[] = [
  'last resort',
  'depth',
  ...Array.from({ length: VERSION_PARTS }, () => 'version' as const),
  'path',
  'path',
];

/** Ranks one provider: meant for others, directly in a library directory, newest version, then by path. */
export function rankOf(library: CataloguedLibrary): Rank {
  const name = nameOfStoreObject(library.storePath);
  const version = versionOfName(name);
  const newestFirst = Array.from({ length: VERSION_PARTS }, (_, i) => -(version[i] ?? 0));
  const depth = library.file.split('/').length - 2;
  return [
    LAST_RESORT.test(name) ? 1 : 0,
    depth,
    ...newestFirst,
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
