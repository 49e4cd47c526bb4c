// The outcome of a start that cannot succeed → one line of cause, one of remedy, the right status, nothing else.
import assert from 'node:assert/strict';
import type { Outcome } from '../rig/root.ts';

/** What the user must be told. */
export interface Refusal {
  readonly status: 125 | 126 | 127;
  readonly cause: RegExp;
}

export function assertRefused(outcome: Outcome, { status, cause }: Refusal): void {
  assert.equal(outcome.stdout, '');
  assert.match(outcome.stderr, /^nix-run-foreign: [ -\u{10ffff}]+\n {2}[ -\u{10ffff}]+\n$/u);
  assert.doesNotMatch(outcome.stderr, /internal error/);
  assert.match(outcome.stderr.split('\n')[0] ?? '', cause);
  assert.equal(outcome.status, status, outcome.stderr);
}
