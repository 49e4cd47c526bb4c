// One command as a row of the table → what the help, the parser, the tests and `--json` failures know of it.
import { ForeignError, reasonOf, systemFailure } from '../host/errors.ts';
import type { Context } from '../resolve/context.ts';
import type { OwnPackage } from '../resolve/own-package.ts';

export interface EntryProcess extends OwnPackage {
  readonly context: Context;
  readonly arch: string;
  readonly version: string;
  setExitStatus(status: number): void;
  /** Whether `--` stood among the words. */
  readonly runsProgram?: boolean;
}

/**
 * What was said of each option: that it was there or, for one with a value, every value in order; false: that the one
 * with `--no-` was there.
 */
export type Options = Readonly<Record<string, boolean | readonly string[] | undefined>>;

export const valuesOf = (option: Options[string]): readonly string[] => (Array.isArray(option) ? option : []);
export const isThere = (option: Options[string]): boolean => option === true;

/** As a shell has it for a command that Ctrl-C ended. */
export const INTERRUPTED = 130;

export interface CommandRow {
  readonly usage: string;
  readonly summary: string;
  readonly options: readonly (readonly [flags: string, description: string])[];
  /** What --help shows of the options where they are more than a screen has lines; several may share one. */
  readonly screen?: readonly (readonly [flags: string, line: string])[];
  run(args: readonly string[], options: Options, entry: EntryProcess): Promise<void> | void;
}

export const JSON_OPTION = ['--json', 'print JSON'] as const;

/** `code` is a stable word; `message` and `hint` are one line each. */
interface JsonFailure {
  readonly error: { readonly code: string; readonly message: string; readonly hint: string };
}

export function jsonFailure(error: unknown): JsonFailure {
  const known = error instanceof ForeignError ? error : systemFailure(error);
  if (known !== undefined) {
    const { code, message, hint } = known;
    return { error: { code, message, hint } };
  }
  const hint = 'please report it, with the output of NIX_RUN_FOREIGN_DEBUG=1';
  return { error: { code: 'internal', message: reasonOf(error), hint } };
}
