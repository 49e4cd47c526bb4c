// A program as it was typed → its plan and saved fingerprint, or a search for one with the program's lock held.
import path from 'node:path';
import { startRootAdders } from '../fingerprint/save-and-pin.ts';
import { readSavedFingerprint, type SavedFingerprint } from '../fingerprint/saved-fingerprints.ts';
import { ForeignError } from '../host/errors.ts';
import { sha256OfProgram } from '../host/file-identity.ts';
import { withLock } from '../host/mutex.ts';
import { fileWord } from '../host/shell-words.ts';
import { type LaunchPlan, planKey } from '../plan/plan-format.ts';
import { inspectProgram, type ProgramFile } from '../program/inspect-program.ts';
import type { Context } from './context.ts';
import { freshBudget } from './fetch-rounds.ts';
import type { FingerprintSearch } from './find-fingerprint.ts';
import { openSearch } from './from-found-fingerprint.ts';
import { type DynamicProgram, dynamicOf, rootOf } from './job.ts';
import { resolveProgram } from './resolve-program.ts';
import { inWritableDirectories } from './writable-directories.ts';

interface ProgramWithFingerprint {
  readonly program: ProgramFile;
  readonly plan: LaunchPlan;
  readonly saved: SavedFingerprint;
}

/**
 * Resolves the program as a start would, and reads what was saved.
 * @throws ForeignError `no-fingerprint` for what needs no library of the store; those of planning.
 */
export async function savedFingerprintOfProgram(
  typedName: string,
  context: Context,
): Promise<ProgramWithFingerprint> {
  const program = inspectProgram(typedName, context.host);
  const plan = await inWritableDirectories(context.host.uid, (dirs) =>
    resolveProgram(program, context, dirs, 'as-needed'),
  );
  if (plan.root === undefined || plan.sha256 === undefined) {
    throw new ForeignError(`${typedName}: it needs no library of the store, so it has no fingerprint`, {
      code: 'no-fingerprint',
      hint: `it starts as it is, here and elsewhere: nix-run-foreign ${fileWord(typedName)}`,
      exitCode: 125,
    });
  }
  const saved = await readSavedFingerprint(plan.root, plan.sha256, context.location.storeDir);
  if (saved !== undefined) return { program, plan, saved };
  throw new ForeignError(`${typedName}: what was planned for it changed just now`, {
    code: 'changed',
    hint: `say it again; where that does not help: nix-foreign resolve --refresh ${fileWord(typedName)}`,
    exitCode: 125,
  });
}

/** @throws ForeignError `no-fingerprint` for what needs no library of the store; those of `inspectProgram`. */
async function openProgram(
  typedName: string,
  context: Context,
): Promise<{ program: DynamicProgram; sha256: string }> {
  const program = dynamicOf(inspectProgram(typedName, context.host));
  if (program !== undefined) return { program, sha256: await sha256OfProgram(program.path) };
  throw new ForeignError(`${typedName}: it needs no library of the store, so it has no fingerprint`, {
    code: 'no-fingerprint',
    hint: `it starts as it is, here and elsewhere: nix-run-foreign ${fileWord(typedName)}`,
    exitCode: 125,
  });
}

/** @throws ForeignError for what needs no fingerprint or is no program; whatever `work` throws. */
export async function withSearch<T>(
  typedName: string,
  context: Context,
  work: (search: FingerprintSearch) => Promise<T>,
): Promise<T> {
  const { program, sha256 } = await openProgram(typedName, context);
  return await inWritableDirectories(context.host.uid, (dirs) =>
    withLock(path.join(dirs.locks, planKey(program.path)), async () => {
      const rootAdders = startRootAdders(context.nix, rootOf({ dirs, sha256, program }), 'later');
      const job = {
        program,
        sha256,
        context,
        dirs,
        mode: 'as-needed',
        choices: undefined,
        rootAdders,
        budget: freshBudget(),
      } as const;
      try {
        return await work(await openSearch(job));
      } finally {
        rootAdders.close();
      }
    }),
  );
}
