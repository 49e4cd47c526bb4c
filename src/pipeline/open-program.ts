// A program as it was named → what the stages need of it, where it is dynamic and foreign.
import { inspectProgram } from '../candidates/program.ts';
import { ForeignError } from '../errors.ts';
import { sha256OfFile } from '../platform/content-hash.ts';
import type { Context } from './context.ts';
import { type Dynamic, dynamicOf } from './subject.ts';

/** @throws ForeignError `no-fingerprint` for what needs no library of the store; those of `inspectProgram`. */
export function openProgram(given: string, context: Context): { subject: Dynamic; sha256: string } {
  const program = inspectProgram(given, context.surroundings);
  const subject = dynamicOf(program);
  if (subject !== undefined) return { subject, sha256: sha256OfFile(program.path) };
  throw new ForeignError(`${given}: it needs no library of the store, so it has no fingerprint`, {
    code: 'no-fingerprint',
    hint: `it starts as it is, here and elsewhere: nix-run-foreign ${given}`,
    exitCode: 125,
  });
}
