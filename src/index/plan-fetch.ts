// Names that the store lacks → what to fetch for them, as Nix says that it can be had, and how much that is.
import path from 'node:path';
import type { FetchPreview } from '../store/preview-fetch.ts';
import type { CacheCopy } from './cache-closure.ts';
import { type Chosen, chooseSet, type NotFound } from './choose-set.ts';
import { glibcsIn } from './fetch-policy.ts';
import { askFor, type Sources } from './obtainable.ts';
import type { RankContext } from './rank-matches.ts';

export type FetchContext = RankContext & Sources;

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
  /** Candidates that no cache has, or not with all that they need. */
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

/** Times that a set is chosen. After each but the first, more candidates are asked for. */
const MOST_SETS = 5;

/** Candidates of one name that are asked for after a set: none after the first, then 8, 16 and 32. */
const MOST_OTHERS = [0, 0, 8, 16, 32];

/** The same, where nothing can be had of a set and a cache does not answer: others may have what is behind. */
const MOST_BEHIND = 32;

/** Names that are looked for no longer once `MOST_SETS` were in vain, and what no cache has. */
interface GivenUp {
  readonly names: Set<string>;
  readonly paths: Set<string>;
}

function without(context: FetchContext, { names, paths }: GivenUp): FetchContext {
  const { opinion } = context;
  return {
    ...context,
    opinion: (storePath, file) => {
      if (paths.has(storePath)) return 'unavailable';
      const said = opinion(storePath, file);
      const isOpen = said === 'none' || said === 'preferred';
      return isOpen && names.has(path.posix.basename(file)) ? 'not asked' : said;
    },
  };
}

function pathsOf(chosen: readonly Chosen[]): string[] {
  return [...new Set(chosen.map(({ candidate }) => candidate.storePath))].sort();
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

/** Names whose choice cannot be had. */
function namesOf(chosen: readonly Chosen[], lost: readonly string[]): Chosen[] {
  return chosen.filter(({ candidate }) => lost.includes(candidate.storePath));
}

/**
 * Some of the candidates behind those that cannot be had are asked for at once: an old index names many such. Returns
 * which of them are lost, and whether any is not.
 */
async function askForOthers(
  losers: readonly Chosen[],
  most: number,
  context: FetchContext,
): Promise<{ readonly lost: readonly string[]; readonly isHope: boolean }> {
  const behind = losers.flatMap((each) => each.others.slice(0, most).map(({ storePath }) => storePath));
  const others = [...new Set(behind)].sort();
  const answer = others.length === 0 ? undefined : await askFor(others, context);
  if (answer?.kind !== 'asked') return { lost: [], isHope: false };
  return { lost: answer.lost, isHope: answer.lost.length < others.length };
}

/**
 * Chooses, asks Nix, and chooses anew without what cannot be had. Nothing is fetched. The names of an index reach Nix
 * only as store paths that were checked letter by letter (package-objects.ts).
 */
export async function planFetch(names: readonly string[], context: FetchContext): Promise<FetchPlan> {
  const gone: GivenUp = { names: new Set(), paths: new Set() };
  for (let set = 1; ; set += 1) {
    const { chosen, absent } = chooseSet(names, without(context, gone));
    const paths = pathsOf(chosen);
    const unavailable = [...gone.paths].sort();
    if (paths.length === 0) return { kind: 'nothing', absent, unavailable };
    const answer = await askFor(paths, context);
    if (answer.kind === 'failed') return answer;
    const { preview, copies, lost, unasked, unreachable } = answer;
    if (lost.length + unasked.length === 0) {
      const whole = withCopies(preview, copies);
      const planned = { chosen, paths, preview: whole, copies, glibcs: glibcsIn(whole), absent };
      return { kind: 'planned', ...planned, unavailable };
    }
    const isSilent = unreachable !== undefined && lost.length === paths.length;
    const most = isSilent ? MOST_BEHIND : (MOST_OTHERS[set] ?? 0);
    const behind = await askForOthers(namesOf(chosen, lost), most, context);
    // Without a network every question takes its time, and the answer is the same.
    if (isSilent && !behind.isHope) return { kind: 'failed', why: unreachable };
    for (const each of [...lost, ...behind.lost]) gone.paths.add(each);
    if (set < MOST_SETS) continue;
    for (const { name } of namesOf(chosen, [...lost, ...unasked])) gone.names.add(name);
  }
}
