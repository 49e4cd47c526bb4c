// The solver's output: one coherent set, or why there is none.
import type { LoaderCandidate, Provider } from '../candidates/problem.ts';

export interface Choice {
  readonly name: string;
  readonly provider: Provider;
  /** Labels of the objects that need it, sorted. */
  readonly neededBy: readonly string[];
}

export interface Solution {
  readonly kind: 'solution';
  readonly loader: LoaderCandidate;
  /** Every needed name that is neither bundled nor of the libc family, sorted by name. */
  readonly choices: readonly Choice[];
  /** Family names that somebody needs, sorted; all served from the loader's store object. */
  readonly familyNames: readonly string[];
  /** What the set costs; see objective.ts. */
  readonly cost: SolutionCost;
  /**
   * Symbols that nobody in the set defines and that are looked up when they are first called: the program ends there,
   * if it ever makes the call. Sorted by object and symbol.
   */
  readonly undefinedSymbols: readonly UnboundSymbol[];
  /** False when the search for a cheaper set was cut short: the set is coherent, perhaps not the best. */
  readonly proven: boolean;
}

export interface UnboundSymbol {
  readonly symbol: string;
  /** Label and path of the object that needs it. */
  readonly neededBy: string;
  readonly neededByPath: string;
}

/** Counts, smaller is better, compared in this order. */
export interface SolutionCost {
  /** Names served by a closest match. */
  readonly closest: number;
  /** Providers known to be built with another libc than the loader's. */
  readonly foreign: number;
  /** Times a provider's own runpath would have taken another store object than the one chosen. */
  readonly overrides: number;
}

/** A library that serves `name` and lacks what was looked for in it. */
export interface LackingLibrary {
  readonly name: string;
  readonly offeredBy: string;
  readonly offeredIn: string;
}

/** One reason among those that together exclude every set. Paths are absolute, labels are for people. */
export type Reason =
  | { readonly kind: 'no-loader' }
  | { readonly kind: 'no-provider'; readonly name: string; readonly neededBy: readonly string[] }
  | {
      readonly kind: 'missing-version';
      readonly name: string;
      readonly version: string;
      readonly neededBy: string;
      readonly neededByPath: string;
      /** Path of the file that was considered and lacks it. */
      readonly offeredBy: string;
      /** Store path of the object that file is in; undefined for a bundled file. */
      readonly offeredIn: string | undefined;
      /** How many files offer the name in all. */
      readonly offers: number;
      /** The highest version of the same series (`OPENSSL_`) that file defines. */
      readonly highest: string | undefined;
    }
  | {
      readonly kind: 'family-missing';
      readonly name: string;
      readonly neededBy: string;
      /** Path of the ld.so that has no such library beside it. */
      readonly loader: string;
    }
  | {
      /** It needs GLIBC_PRIVATE, which only the libc it was built with may serve. */
      readonly kind: 'private-version';
      readonly name: string;
      readonly neededBy: string;
      readonly neededByPath: string;
      readonly offeredBy: string;
      readonly offeredIn: string | undefined;
    }
  | {
      /** Versions are needed of a file without a version table: glibc up to 2.40 aborts. */
      readonly kind: 'unversioned';
      readonly name: string;
      readonly neededBy: string;
      readonly neededByPath: string;
      readonly offeredBy: string;
      readonly offeredIn: string | undefined;
      /** Path of the ld.so that would abort. */
      readonly loader: string;
    }
  | {
      /** A closest match that lacks symbols `neededBy` needs; they are `name` or `name@version`, sorted. */
      readonly kind: 'missing-symbols';
      readonly name: string;
      readonly neededBy: string;
      readonly neededByPath: string;
      readonly offeredBy: string;
      readonly offeredIn: string | undefined;
      readonly symbols: readonly string[];
    }
  | {
      /** A reference that ld.so binds before the program starts, and nobody would define it. */
      readonly kind: 'unbound-symbol';
      readonly symbol: string;
      readonly neededBy: string;
      readonly neededByPath: string;
      /** Files that define it and could be loaded, were it not for the other reasons; sorted. */
      readonly definers: readonly string[];
      /** The libraries that it was to be expected from. */
      readonly lackingLibraries: readonly LackingLibrary[];
    }
  | {
      /** `file` serves `name`, but its soname is `soname`, which another file serves. */
      readonly kind: 'soname-clash';
      readonly name: string;
      readonly soname: string;
      readonly file: string;
      readonly other: string;
    }
  | { readonly kind: 'pinned'; readonly name: string; readonly path: string }
  /** `name` is the path of the ld.so where a whole libc was excluded. */
  | { readonly kind: 'excluded'; readonly name: string; readonly paths: readonly string[] };

export interface Conflict {
  readonly kind: 'conflict';
  /** Dropping any one would leave the rest satisfiable, if `minimal`. Sorted. */
  readonly reasons: readonly Reason[];
  /** False only when making it smaller ran into the step limit. */
  readonly minimal: boolean;
}

/** The step limit was reached before a set was found or excluded. */
export interface Undecided {
  readonly kind: 'undecided';
  readonly steps: number;
}
