// The solver's output: one coherent set, or why there is none.
import type { LoaderCandidate, Provider } from './problem.ts';

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
}

/** One reason among those that together exclude every set. */
export type Reason =
  | { readonly kind: 'no-loader' }
  | { readonly kind: 'no-provider'; readonly name: string; readonly neededBy: readonly string[] }
  | {
      readonly kind: 'missing-version';
      readonly name: string;
      readonly version: string;
      readonly neededBy: string;
      /** The file that was considered and lacks it. */
      readonly offeredBy: string;
    }
  | {
      readonly kind: 'family-missing';
      readonly name: string;
      readonly neededBy: string;
      readonly loader: string;
    };

export interface Conflict {
  readonly kind: 'conflict';
  /** A minimal set: dropping any one would leave the rest satisfiable. Sorted. */
  readonly reasons: readonly Reason[];
}
