// One command of `nix-foreign` as the help, the parser and the tests know it.
import type { Context } from '../pipeline/context.ts';

export interface Edge {
  readonly context: Context;
  readonly arch: string;
  readonly launcher: string;
  readonly version: string;
  setExitStatus(status: number): void;
}

/** What was said of each option: that it was there or, for one with a value, every value in order. */
export type Options = Readonly<Record<string, true | readonly string[] | undefined>>;

export const valuesOf = (option: Options[string]): readonly string[] => (Array.isArray(option) ? option : []);
export const isThere = (option: Options[string]): boolean => option === true;

export interface CommandRow {
  readonly usage: string;
  readonly summary: string;
  readonly options: readonly (readonly [flags: string, description: string])[];
  run(args: readonly string[], options: Options, edge: Edge): Promise<void> | void;
}

export const JSON_OPTION = ['--json', 'print JSON'] as const;
