// A program as it was named → its plan and the fingerprint kept for it, made now if need be.
// A program as it was named → what the stages need of it, where it is dynamic and foreign.
// A program as it was named → work on a fingerprint from elsewhere, with the program's lock held.

import path from 'node:path';
import { type SavedFingerprint, readSavedFingerprint } from '../fingerprint/saved-fingerprints.ts';
import { ForeignError } from '../host/errors.ts';
import { sha256OfFile } from '../host/file-identity.ts';
import { withLock } from '../host/mutex.ts';
import { type LaunchPlan, planKey } from '../plan/plan-format.ts';
import { inspectProgram, type Program } from '../program/inspect-program.ts';
import type { Context } from './context.ts';
import { type Dynamic, dynamicOf } from './dynamic-program.ts';
import type { Search } from './find-fingerprint.ts';
import { openSearch } from './from-found-fingerprint.ts';
import { planProgram } from './resolve-program.ts';
import { inUsablePlace } from './writable-directories.ts';

export interface ProgramWithFingerprint {
  readonly program: Program;
  readonly plan: LaunchPlan;
  readonly saved: SavedFingerprint;
}

/**
 * Resolves the program as a start would, and reads what was kept.
 * @throws ForeignError `no-fingerprint` for what needs no library of the store; those of planning.
 */
export async function savedFingerprintOfProgram(given: string, context: Context): Promise<ProgramWithFingerprint> {
  const program = inspectProgram(given, context.host);
  const plan = await inUsablePlace(context.host.uid, (place) =>
    planProgram(program, context, place, 'as-needed'),
  );
  if (plan.root === undefined || plan.sha256 === undefined) {
    throw new ForeignError(`${given}: it needs no library of the store, so it has no fingerprint`, {
      code: 'no-fingerprint',
      hint: `it starts as it is, here and elsewhere: nix-run-foreign ${given}`,
      exitCode: 125,
    });
  }
  const saved = await readSavedFingerprint(plan.root, plan.sha256, context.location.storeDir);
  if (saved !== undefined) return { program, plan, saved };
  throw new ForeignError(`${given}: what was planned for it changed just now`, {
    code: 'changed',
    hint: `say it again; where that does not help: nix-foreign resolve --refresh ${given}`,
    exitCode: 125,
  });
}

/** @throws ForeignError `no-fingerprint` for what needs no library of the store; those of `inspectProgram`. */
export function openProgram(given: string, context: Context): { subject: Dynamic; sha256: string } {
  const program = inspectProgram(given, context.host);
  const subject = dynamicOf(program);
  if (subject !== undefined) return { subject, sha256: sha256OfFile(program.path) };
  throw new ForeignError(`${given}: it needs no library of the store, so it has no fingerprint`, {
    code: 'no-fingerprint',
    hint: `it starts as it is, here and elsewhere: nix-run-foreign ${given}`,
    exitCode: 125,
  });
}

/** @throws ForeignError for what needs no fingerprint or is no program; whatever `work` throws. */
export async function withSearch<T>(
  given: string,
  context: Context,
  work: (search: Search) => Promise<T>,
): Promise<T> {
  const { subject, sha256 } = openProgram(given, context);
  return await inUsablePlace(context.host.uid, (place) =>
    withLock(path.join(place.locks, planKey(subject.program.path)), async () => {
      const search = await openSearch(subject, sha256, context, place);
      try {
        return await work(search);
      } finally {
        search.rootAdders.close();
      }
    }),
  );
}
