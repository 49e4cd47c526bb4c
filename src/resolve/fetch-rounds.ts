// What was fetched for one resolution so far → what holds it, and what to say when it was in vain.
import { ForeignError } from '../host/errors.ts';
import { listText } from '../host/output.ts';
import { absentName } from '../index/absent-names.ts';
import { type AskedCaches, noCacheAsked } from '../index/cache-closure.ts';
import type { FetchRefusal } from '../index/fetch-absent.ts';
import { releaseLinks } from '../store/fetch.ts';
import type { FetchedLibrary } from './fetched-record.ts';

/** What an index, Nix or a limit says, for an error or a notice. */
export interface FetchWord {
  /** `absent`: the index has none of it; else it could be fetched and was not. */
  readonly kind: 'absent' | 'not-fetched';
  /** Clauses. */
  readonly why: readonly string[];
  /** What to type; undefined where the error knows as much. */
  readonly remedy: string | undefined;
}

/** What was fetched so far for one resolution, by fingerprints and by an index: the limit is for both in sum. */
export interface FetchBudget {
  /** Bytes that were downloaded. */
  spent: number;
  /** Who was asked and said no is not asked again. */
  refusal: FetchRefusal | undefined;
}

export function freshBudget(): FetchBudget {
  return { spent: 0, refusal: undefined };
}

/** One for each search of the store. */
export interface FetchRounds {
  count: number;
  /** What caches that are indexes said. */
  readonly caches: AskedCaches;
  /** Store paths that were chosen before: what they did not serve they will not serve now. */
  readonly tried: Set<string>;
  /** Root links that hold what came. */
  readonly links: string[];
  /** What came, by name. */
  readonly came: FetchedLibrary[];
  /** Name → files that the index has next for it, the best one first. */
  readonly next: Map<string, readonly string[]>;
  word: FetchWord | undefined;
  /** The word that was said: once is enough. */
  told: FetchWord | undefined;
  /** What is wrong with the indexes was said. */
  areIndexesTold: boolean;
  /** There is no file index to ask. */
  isWithoutIndex: boolean;
}

export function noFetches(): FetchRounds {
  return {
    count: 0,
    caches: noCacheAsked(),
    tried: new Set(),
    links: [],
    came: [],
    next: new Map(),
    word: undefined,
    told: undefined,
    areIndexesTold: false,
    isWithoutIndex: false,
  };
}

/** Call it when the fingerprint roots what is needed of it. */
export function releaseFetched({ links }: FetchRounds): void {
  releaseLinks(links.splice(0));
}

/** What an index would help with: not with names that nixpkgs does not have. */
function getIndex(lacking: readonly string[]): string {
  const absent = lacking.filter((name) => absentName(name, '') !== undefined);
  if (absent.length === lacking.length) return '';
  const but = absent.length === 0 ? '' : `, but for ${listText(absent, 3)}`;
  return `; or get a file index of nixpkgs, and what is missing is fetched by itself${but}: nix-foreign index status`;
}

interface Unsolved {
  readonly error: ForeignError;
  /** What is lacking lies around the program, and the error's own remedy works. */
  readonly isBeside: boolean;
  readonly lacking: readonly { readonly name: string }[];
}

/** The error that the store alone gives, with what the index knew. */
export function explained(
  { error, isBeside, lacking }: Unsolved,
  { word, isWithoutIndex }: FetchRounds,
): ForeignError {
  const { code, hint, exitCode } = error;
  if (word === undefined) {
    if (!isWithoutIndex || isBeside || code !== 'no-provider') return error;
    return new ForeignError(error.message, {
      code,
      hint: `${hint}${getIndex(lacking.map(({ name }) => name))}`,
      exitCode,
      cause: error,
    });
  }
  return new ForeignError([error.message, ...word.why].join('; '), {
    code,
    hint: isBeside ? hint : (word.remedy ?? hint),
    exitCode,
    cause: error,
  });
}
