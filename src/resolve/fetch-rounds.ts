// What was fetched for one resolution so far → what holds it, and what to say when it was in vain.
import { ForeignError } from '../host/errors.ts';
import { releaseLinks } from '../store/fetch.ts';

/** What an index, Nix or a limit says, for an error or a notice. */
export interface FetchWord {
  /** `absent`: the index has none of it; else it could be fetched and was not. */
  readonly kind: 'absent' | 'not-fetched';
  /** Clauses. */
  readonly why: readonly string[];
  /** What to type; undefined where the error knows as much. */
  readonly remedy: string | undefined;
}

/** One for each resolution. */
export interface FetchRounds {
  count: number;
  /** Bytes that were downloaded. */
  spent: number;
  /** Store paths that were chosen before: what they did not serve they will not serve now. */
  readonly tried: Set<string>;
  /** Root links that hold what came. */
  readonly links: string[];
  word: FetchWord | undefined;
}

export function noFetches(): FetchRounds {
  return { count: 0, spent: 0, tried: new Set(), links: [], word: undefined };
}

/** Call it when the fingerprint roots what is needed of it. */
export function releaseFetched({ links }: FetchRounds): void {
  releaseLinks(links.splice(0));
}

/** The error that the store alone gives, with what the index knew. */
export function explained(error: ForeignError, { word }: FetchRounds): ForeignError {
  if (word === undefined) return error;
  const { code, hint, exitCode } = error;
  return new ForeignError([error.message, ...word.why].join('; '), {
    code,
    hint: word.remedy ?? hint,
    exitCode,
    cause: error,
  });
}
