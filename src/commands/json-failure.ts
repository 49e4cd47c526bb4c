// A failure → what `--json` prints of it on stdout, beside the message on stderr.
import { ForeignError, reasonOf } from '../errors.ts';

/** `code` is a stable word; `message` and `hint` are one line each. */
export interface JsonFailure {
  readonly error: { readonly code: string; readonly message: string; readonly hint: string };
}

export function jsonFailure(error: unknown): JsonFailure {
  if (error instanceof ForeignError) {
    const { code, message, hint } = error;
    return { error: { code, message, hint } };
  }
  const hint = 'please report it, with the output of NIX_RUN_FOREIGN_DEBUG=1';
  return { error: { code: 'internal', message: reasonOf(error), hint } };
}
