// A program as it was named → its plan and the fingerprint kept for it, made now if need be.
import { inspectProgram, type Program } from '../candidates/program.ts';
import { ForeignError } from '../errors.ts';
import { type Record, readRecord } from '../fingerprint/records.ts';
import type { LaunchPlan } from '../launch/plan.ts';
import type { Context } from './context.ts';
import { planProgram } from './plan-program.ts';
import { inUsablePlace } from './usable-place.ts';

export interface RecordedProgram {
  readonly program: Program;
  readonly plan: LaunchPlan;
  readonly record: Record;
}

/**
 * Resolves the program as a start would, and reads what was kept.
 * @throws ForeignError `no-fingerprint` for what needs no library of the store; those of planning.
 */
export async function recordOfProgram(given: string, context: Context): Promise<RecordedProgram> {
  const program = inspectProgram(given, context.surroundings);
  const plan = await inUsablePlace(context.surroundings.uid, (place) =>
    planProgram(program, context, place, 'as-needed'),
  );
  if (plan.root === undefined || plan.sha256 === undefined) {
    throw new ForeignError(`${given}: it needs no library of the store, so it has no fingerprint`, {
      code: 'no-fingerprint',
      hint: `it starts as it is, here and elsewhere: nix-run-foreign ${given}`,
      exitCode: 125,
    });
  }
  const record = await readRecord(plan.root, plan.sha256, context.location.storeDir);
  if (record !== undefined) return { program, plan, record };
  throw new ForeignError(`${given}: what was planned for it changed just now`, {
    code: 'changed',
    hint: `say it again; where that does not help: nix-foreign resolve --refresh ${given}`,
    exitCode: 125,
  });
}
