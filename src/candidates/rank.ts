// A library in the store → the keys by which providers of one name are ordered, best first: by the version in the name
// of its store object and, where names leave them equal, by use and size.
import path from 'node:path';
import type { CataloguedLibrary, Popularity } from '../store/catalogue.ts';
import { nameOfStoreObject } from '../store/store-location.ts';
import type { Provider } from './problem.ts';

/** Smaller is better; compared key by key. Equal only for the same file. */
export type Rank = readonly (number | string)[];

/** Packages whose libraries are not meant for others: debug files, link stubs, bootstrap tools. */
const LAST_RESORT = /(^|-)(debug|dev|stubs?|bootstrap|cross)(-|$)|bootstrap-stage/;

/** Whole trees of another distribution, with libraries of many packages. */
const TREE = /(^|-)(fhs|usr-target|rootfs|steam|wine|appimage)(-|$)/;

/** Where a package has what it is about: `lib/`, `usr/lib64/`, `lib/x86_64-linux-gnu/`, `riscv64-linux-gnu/lib/`. */
const LIBRARY_DIRECTORY =
  /^(?:usr\/|[^/]+-linux(?:-[^/]+)?\/)?(?:local\/)?lib(?:32|64|x32)?\/(?:[^/]+-linux-[^/]+\/)?[^/]+$/;

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
 * meant for others; then popularity and closure size, which `breakTies` fills in; then by path.
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

/** Nix knows only `pre`, and takes 1.0rc1 for newer than 1.0; these words are meant like it wherever they are used. */
const BEFORE_RELEASE = /^(?:alpha|beta|pre|rc)$/;

const VERSION = /-(\d[^-]*(?:-(?:\d|unstable|(?:alpha|beta|pre|rc)(?![a-z]))[^-]*)*)/;

/**
 * The version in a store object's name: `openssl-1.1.1w` → `1.1.1w`, `x-0-unstable-2024-05-01-lib` →
 * `0-unstable-2024-05-01`. It begins at the first dash before a digit (Nix: builtins.parseDrvName) and ends at an
 * output's name; empty where there is none.
 */
export function versionOfName(name: string): string {
  return VERSION.exec(name)?.[1] ?? '';
}

/** What ends a version sorts after `pre` and before everything else: 1.0pre1 < 1.0 < 1.0a < 1.0.1. */
const END = '1';

function componentKey(component: string): string {
  if (BEFORE_RELEASE.test(component)) return `0${component}\0`;
  if (!/^\d/.test(component)) return `2${component}\0`;
  const digits = component.replace(/^0+/, '');
  return `3${String.fromCharCode(digits.length)}${digits}`;
}

/**
 * A text that is smaller, by code unit, the newer the version. The rule is that of builtins.compareVersions (Nix
 * manual; src/libstore/names.cc, componentsLT): runs of digits and of other characters, dots and dashes between them
 * left out; numbers by their value and after words (2.3a < 2.3.1), `pre` before the end. Beyond it, alpha, beta and rc
 * are like `pre`, and numbers may be of any length (Nix takes those above 2^31 for words).
 */
export function newestFirst(version: string): string {
  const components = version.match(/\d+|[^\d.-]+/g) ?? [];
  const ascending = `${components.map(componentKey).join('')}${END}`;
  let descending = '';
  for (let i = 0; i < ascending.length; i += 1)
    descending += String.fromCharCode(0xff - ascending.charCodeAt(i));
  return descending;
}

/** Runs of neighbours that agree in every key before `end`, of sorted providers. */
function tiesBefore(sorted: readonly Provider[], end: number): Provider[][] {
  const groups: Provider[][] = [];
  for (const provider of sorted) {
    const group = groups.at(-1);
    const alike = group?.[0]?.rank.slice(0, end).every((key, i) => key === provider.rank[i]);
    if (group !== undefined && alike) group.push(provider);
    else groups.push([provider]);
  }
  return groups;
}

/**
 * Fills in one key, in place (a copy would read the lazy `ownChoice`), where providers of different store objects agree
 * in all that come before it.
 */
function fillIn(
  sorted: readonly Provider[],
  criterion: RankCriterion,
  keyOf: (storePath: string) => number,
): Provider[] {
  const at = RANK_CRITERIA.indexOf(criterion);
  return tiesBefore(sorted, at)
    .flatMap((group) => {
      if (new Set(group.map(({ storePath }) => storePath)).size < 2) return group;
      return group.map((provider) =>
        Object.defineProperty(provider, 'rank', {
          value: provider.rank.with(at, keyOf(provider.storePath)),
        }),
      );
    })
    .sort((a, b) => compareRanks(a.rank, b.rank));
}

/** Sorts providers of one name, best first; asks the store only about those that their names leave equal. */
export function breakTies(
  sorted: readonly Provider[],
  popularity: Popularity | undefined,
): readonly Provider[] {
  if (popularity === undefined || sorted.length < 2) return sorted;
  const byUse = fillIn(sorted, 'popularity', (storePath) => -popularity.referrersOf(storePath));
  return fillIn(byUse, 'closure size', popularity.closureSizeOf);
}
