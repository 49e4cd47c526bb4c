// Names that the store lacks → what to fetch for them, as Nix says that it can be had, and how much that is.
import type { FetchPreview, Previewed } from '../store/preview-fetch.ts';
import { nameOfStoreObject } from '../store/store-location.ts';
import type { CacheCopy } from './cache-closure.ts';
import { type Chosen, chooseSet, type NotFound } from './choose-set.ts';
import type { RankContext } from './rank-matches.ts';

export interface FetchContext extends RankContext {
  /** Asks Nix (store/preview-fetch.ts, previewFetch). */
  readonly preview: (storePaths: readonly string[]) => Promise<Previewed>;
  /** Looks in the caches that are indexes themselves (cache-closure.ts). */
  readonly copies: (storePaths: readonly string[]) => Promise<readonly CacheCopy[]>;
}

export interface PlannedFetch {
  readonly kind: 'planned';
  /** For each name that will be had, sorted by name. */
  readonly chosen: readonly Chosen[];
  /** Distinct store paths of the chosen ones, sorted. */
  readonly paths: readonly string[];
  /** With what is copied. */
  readonly preview: FetchPreview;
  /** Of caches that are no substituters. */
  readonly copies: readonly CacheCopy[];
  /** Names of glibcs that would come: `glibc-2.41-70`. */
  readonly glibcs: readonly string[];
  readonly absent: readonly NotFound[];
  /** Candidates that were better, and that no cache has. */
  readonly unavailable: readonly string[];
}

export type FetchPlan =
  | PlannedFetch
  /** The index has none of the names, or no cache has what it names. */
  | {
      readonly kind: 'nothing';
      readonly absent: readonly NotFound[];
      readonly unavailable: readonly string[];
    }
  /** Nix cannot say; one clause. */
  | { readonly kind: 'failed'; readonly why: string };

/** Times that Nix is asked: each asks the caches for the closure. */
const MOST_QUESTIONS = 4;

function without(context: FetchContext, unavailable: ReadonlySet<string>): FetchContext {
  if (unavailable.size === 0) return context;
  const { opinion } = context;
  return {
    ...context,
    opinion: (storePath, file) => (unavailable.has(storePath) ? 'excluded' : opinion(storePath, file)),
  };
}

function pathsOf(chosen: readonly Chosen[]): string[] {
  return [...new Set(chosen.map(({ candidate }) => candidate.storePath))].sort();
}

function glibcsIn({ paths }: FetchPreview): string[] {
  return paths.map(nameOfStoreObject).filter((name) => /^glibc-\d[^-]*(-\d+)?$/.test(name));
}

/** What comes by either way, once. */
function withCopies(preview: FetchPreview, copies: readonly CacheCopy[]): FetchPreview {
  if (copies.length === 0) return preview;
  const copied = new Map(copies.flatMap(({ all }) => [...all]));
  for (const each of preview.paths) copied.delete(each);
  const sizes = [...copied.values()];
  return {
    ...preview,
    paths: [...preview.paths, ...copied.keys()].sort(),
    download: sizes.reduce((sum, { download }) => sum + download, preview.download),
    unpacked: sizes.reduce((sum, { unpacked }) => sum + unpacked, preview.unpacked),
    unknown: [],
  };
}

/** What Nix says against a preview; undefined where it can be had as it is. */
function whyNot({ unknown, builds }: FetchPreview, paths: readonly string[]): string | undefined {
  if (builds.length > 0) return 'Nix would have to build something';
  const [first] = unknown.filter((each) => !paths.includes(each));
  return first === undefined ? undefined : `no substituter has ${first}, which one of them needs`;
}

/**
 * Chooses, asks Nix, and chooses anew without what no cache has. Nothing is fetched. The names of an index reach Nix
 * only as store paths that were checked letter by letter (package-objects.ts).
 */
export async function planFetch(names: readonly string[], context: FetchContext): Promise<FetchPlan> {
  const unavailable = new Set<string>();
  for (let question = 0; question < MOST_QUESTIONS; question += 1) {
    const { chosen, absent } = chooseSet(names, without(context, unavailable));
    const paths = pathsOf(chosen);
    if (paths.length === 0) return { kind: 'nothing', absent, unavailable: [...unavailable].sort() };
    const answer = await context.preview(paths);
    if (answer.kind === 'failed') return answer;
    const { preview } = answer;
    const unknown = preview.unknown.filter((each) => paths.includes(each));
    const copies = unknown.length === 0 ? [] : await context.copies(unknown);
    const copied = new Set(copies.flatMap(({ storePaths }) => storePaths));
    const missing = unknown.filter((each) => !copied.has(each));
    if (missing.length > 0) {
      for (const each of missing) unavailable.add(each);
      continue;
    }
    const why = whyNot(preview, paths);
    if (why !== undefined) return { kind: 'failed', why };
    const whole = withCopies(preview, copies);
    const planned = { chosen, paths, preview: whole, copies, glibcs: glibcsIn(whole), absent };
    return { kind: 'planned', ...planned, unavailable: [...unavailable].sort() };
  }
  return {
    kind: 'failed',
    why: `no substituter has ${[...unavailable].sort()[0]} or others that the index names`,
  };
}
