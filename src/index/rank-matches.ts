// The files that an index has under a wanted name → candidates, the best one first, and why the others are none.
import { type KnownProvider, knownProvider } from './known-providers.ts';
import type { IndexMatch, SideCatalogue } from './side-catalogue.ts';
import { type Examined, examine, outputOf, type Target, type Unsuitable } from './unsuitable.ts';

/** What decides where two candidates first differ, in this order. */
const CRITERIA = [
  'preferred',
  'known provider',
  'already chosen',
  'directory',
  're-export',
  'name',
  'toplevel',
  'bundle',
  'covers',
  'variant',
  'version',
  'attribute',
  'path',
] as const;

export type IndexCriterion = (typeof CRITERIA)[number];

export interface IndexCandidate {
  readonly match: IndexMatch;
  /** `/nix/store/<hash>-<name>`. */
  readonly storePath: string;
  /** One for each of `CRITERIA`; smaller is better. */
  readonly keys: readonly (number | string)[];
}

/**
 * What speaks against a candidate besides what it is. `excluded`: the user; `tried`: it came, and did not serve;
 * `in the store`: it is there, and does not serve; `too old`: by its version; `unavailable`: no cache has it;
 * `not asked`: so many others were asked for in vain that nobody asked for it.
 */
type Refused = 'excluded' | 'tried' | 'in the store' | 'too old' | 'unavailable' | 'not asked';

/** How many were dropped, and why. */
export type Dropped = Readonly<Partial<Record<Unsuitable | Refused, number>>>;

export interface Ranked {
  readonly name: string;
  readonly candidates: readonly IndexCandidate[];
  readonly dropped: Dropped;
}

/** What the user and the rest of the set say of candidates. */
export interface RankContext {
  readonly catalogue: SideCatalogue;
  readonly target: Target;
  /** A text for a version that is smaller the newer it is (candidates/rank.ts, newestFirst). */
  readonly newestFirst: (version: string) => string;
  /** The user's choices, and what was seen of a candidate before. `file` is below the store path. */
  readonly opinion: (storePath: string, file: string) => 'preferred' | 'none' | Refused;
  /** Whether Nix has it already. */
  readonly isLocal: (storePath: string) => boolean;
}

/** Directories below `lib` that have libraries for everybody, found by run path or by hand. */
const LIBRARY_DIRECTORY =
  /^lib(64)?\/(mysql|mariadb|pulseaudio|nss|samba|systemd|[a-z0-9_]+-linux-gnu[a-z0-9]*)$/;

/** `opt/`, `share/`, `libexec/`, deep below `lib`: a copy that an application brings along. */
function directoryKey(dir: string): number {
  if (dir === 'lib' || dir === 'lib64' || dir === 'lib32') return 0;
  return LIBRARY_DIRECTORY.test(dir) ? 1 : 9;
}

function knownKey(known: KnownProvider | undefined, { package: named, match }: Examined): number {
  if (known === undefined) return 0;
  const output = outputOf(match, named);
  const at = known.packages.findIndex(({ name }) => name === named.name);
  if (at < 0) return 99;
  const exact = known.packages.findIndex((each) => each.name === named.name && each.output === output);
  if (exact >= 0) return exact;
  return known.packages.some((each) => each.name === named.name && each.output === undefined) ? at : at + 50;
}

/** Letters and digits of a name, without what says "library" and without its version. */
function plain(name: string): string {
  const cut = name.indexOf('.so') < 0 ? name : name.slice(0, name.indexOf('.so'));
  return cut
    .toLowerCase()
    .replace(/^lib/, '')
    .replace(/[-_.]?\d[\d.]*$/, '')
    .replace(/[-_.+]/g, '');
}

/** Short names are in everything. */
const LEAST = 3;

function affinity(left: string, right: string): number {
  if (left === right) return 0;
  const [short, long] = left.length < right.length ? [left, right] : [right, left];
  return short.length >= LEAST && long.includes(short) ? 1 : 2;
}

/** 0: the package is named as the library; 1: one name is in the other; 2: neither. */
function nameKey(name: string, { package: named, match }: Examined): number {
  const last = match.object.attr.split('.').at(-1) ?? '';
  const names = [named.name, match.object.toplevel ? last : ''].filter((each) => each !== '');
  return Math.min(2, ...names.map((each) => affinity(plain(name), plain(each))));
}

const VARIANT =
  /(full|minimal|headless|static|unwrapped|legacy|wrapped|bootstrap|debug)$|(^|[-_.])(pkgs(static|musl|cross|i686linux)|cuda|cudapackages.*|rocm|rocmpackages.*|(python|haskell|ocaml|perl|r)\d*packages)([-_.]|$)/i;

function variantKey({ match: { object }, package: named }: Examined): number {
  return Number(
    VARIANT.test(named.name) ||
      VARIANT.test(object.attr) ||
      /^(python|haskell|ocaml)\d*Packages\./.test(object.attr),
  );
}

/** More libraries than this beside each other are a bundle. */
const BUNDLE = 30;

/** What is known of the whole set while it is chosen. */
interface SetSoFar {
  /** Store paths that were chosen for other names. */
  readonly chosen: ReadonlySet<string>;
  /** How many of the missing names a store object has. */
  readonly covers: (objectName: string) => number;
}

function keysOf(name: string, examined: Examined, context: RankContext, set: SetSoFar): IndexCandidate {
  const { match, package: named, isReExport } = examined;
  const { object } = match;
  const storePath = `${context.catalogue.storeDir}/${object.name}`;
  // A bundle that was chosen for what only it has draws no other names to itself.
  const isBundle = directoryKey(match.dir) > 1 || object.stems > BUNDLE;
  const isHere = !isBundle && (set.chosen.has(storePath) || context.isLocal(storePath));
  const opinion = context.opinion(storePath, `${match.dir === '' ? '' : `${match.dir}/`}${match.name}`);
  const keys = [
    Number(opinion !== 'preferred'),
    knownKey(knownProvider(name), examined),
    Number(!isHere),
    directoryKey(match.dir),
    Number(isReExport),
    nameKey(name, examined),
    Number(!object.toplevel),
    Number(object.stems > BUNDLE),
    -set.covers(object.name),
    variantKey(examined),
    context.newestFirst(named.version),
    object.attr === '' ? 999 : object.attr.length,
    `${object.name}/${match.dir}`,
  ];
  return { match, storePath, keys };
}

/** Compares key by key. */
function compareCandidates(a: IndexCandidate, b: IndexCandidate): number {
  for (const [i, x] of a.keys.entries()) {
    const y = b.keys[i] as number | string;
    if (x !== y) return x < y ? -1 : 1;
  }
  return 0;
}

/** The criterion by which the first of two is before the second. */
export function whatDecides(a: IndexCandidate, b: IndexCandidate): IndexCriterion | undefined {
  return CRITERIA[a.keys.findIndex((key, i) => key !== b.keys[i])];
}

/** What an index has under one name, without what cannot be meant. */
export interface Examination {
  readonly name: string;
  readonly examined: readonly Examined[];
  readonly dropped: Dropped;
}

/** Looks up one name. */
export function examineName(name: string, { catalogue, target, opinion }: RankContext): Examination {
  const matches = catalogue.filesNamed(name);
  const others = new Set(matches.map(({ object }) => object.name));
  const examined: Examined[] = [];
  const dropped: Partial<Record<Unsuitable | Refused, number>> = {};
  for (const match of matches) {
    const storePath = `${catalogue.storeDir}/${match.object.name}`;
    const file = `${match.dir === '' ? '' : `${match.dir}/`}${match.name}`;
    const said = opinion(storePath, file);
    const found = said === 'preferred' || said === 'none' ? examine(catalogue, match, target, others) : said;
    if (typeof found === 'string') dropped[found] = (dropped[found] ?? 0) + 1;
    else examined.push(found);
  }
  return { name, examined, dropped };
}

/** Orders what was found for one name. The same index and the same set give the same order. */
export function rankExamined(
  { name, examined, dropped }: Examination,
  context: RankContext,
  set: SetSoFar,
): Ranked {
  const candidates = examined.map((each) => keysOf(name, each, context, set)).sort(compareCandidates);
  return { name, candidates, dropped };
}
