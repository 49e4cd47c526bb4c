// A library in the store → the keys by which providers of one name are ordered, best first.
import path from 'node:path';
import type { CataloguedLibrary } from '../store/catalogue.ts';
import { nameOfStoreObject } from '../store/store-location.ts';
import { newestFirst, versionOfName } from './version-order.ts';

/** Smaller is better; compared key by key. Equal only for the same file. */
export type Rank = readonly (number | string)[];

/** Packages whose libraries are not meant for others: debug files, link stubs, bootstrap tools. */
const LAST_RESORT = /(^|-)(debug|dev|stubs?|bootstrap|cross)(-|$)|bootstrap-stage/;

/** Whole trees of another distribution, with libraries of many packages. */
const TREE = /(^|-)(fhs|usr-target|rootfs|steam|wine|appimage)(-|$)/;

/** Where a package has the libraries that it is about: `lib/`, `usr/lib64/`, `lib/x86_64-linux-gnu/`. */
const LIBRARY_DIRECTORY = /^(?:usr\/)?(?:local\/)?lib(?:32|64|x32)?\/(?:[^/]+-linux-[^/]+\/)?[^/]+$/;

/** What decides where two ranks first differ. */
export type RankCriterion =
  | 'distance'
  | 'bundle'
  | 'version'
  | 'last resort'
  | 'popularity'
  | 'closure size'
  | 'depth'
  | 'path';

/** One word for each key of `rankOf`, in its order. */
export const RANK_CRITERIA: readonly RankCriterion[] = [
  'distance',
  'bundle',
  'version',
  'last resort',
  'popularity',
  'closure size',
  'depth',
  'path',
  'path',
];

type Located = Pick<CataloguedLibrary, 'storePath' | 'file'>;

/** A copy that a package or a tree brings along for itself: the version in the object's name is not the library's. */
function isBundled({ storePath, file }: Located): boolean {
  return TREE.test(nameOfStoreObject(storePath)) || !LIBRARY_DIRECTORY.test(file);
}

/** True for what nobody would take while there is something else. */
export function isLastResort(library: Located): boolean {
  return LAST_RESORT.test(nameOfStoreObject(library.storePath)) || isBundled(library);
}

/**
 * Ranks one provider: nearest by name (`distance`, 0 for the exact name), a library of its own package, newest version,
 * meant for others; then popularity and closure size, for which break-ties.ts has the place; then by path.
 */
export function rankOf(library: Located, distance = 0): Rank {
  const name = nameOfStoreObject(library.storePath);
  return [
    distance,
    Number(isBundled(library)),
    newestFirst(versionOfName(name)),
    Number(LAST_RESORT.test(name)),
    0,
    0,
    library.file.split('/').length,
    path.basename(library.storePath),
    library.file,
  ];
}

/** Compares two ranks key by key; a shorter one that is the beginning of the other comes first. */
export function compareRanks(a: Rank, b: Rank): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i += 1) {
    const x = a[i] as number | string;
    const y = b[i] as number | string;
    if (x !== y) return x < y ? -1 : 1;
  }
  return a.length - b.length;
}
