// What a built diamond consists of, for the tests that start it.
import type { Made, Shop } from './shop.ts';

export interface Diamond {
  readonly name: string;
  build(shop: Shop): Promise<Built>;
  readonly output: string;
  /** What of the load map must hold: needed name → the file that serves it. */
  readonly loads?: Readonly<Record<string, RegExp>>;
}

export interface Built {
  readonly program: string;
  /** The set that takes the first or the newest of each name: a loader and directories. */
  readonly naive: {
    readonly libc: Made;
    readonly directories: readonly Made[];
    /** What it prints. */
    readonly fails: RegExp;
  };
}
