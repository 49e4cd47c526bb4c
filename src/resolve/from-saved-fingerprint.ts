// A saved fingerprint of the same content → the plan by it, unless the program now brings one of its libraries along.
import { layOutAndVerify } from '../farm/verify-set.ts';
import type { Fingerprint } from '../fingerprint/fingerprint.ts';
import { alsoPin } from '../fingerprint/save-and-pin.ts';
import type { SavedFingerprint } from '../fingerprint/saved-fingerprints.ts';
import { debug } from '../host/output.ts';
import type { LaunchPlan } from '../plan/plan-format.ts';
import { findBundled } from '../program/bundled.ts';
import { type DynamicProgram, type Job, rootOf, verdictOf } from './job.ts';
import { finishPlan } from './write-plan.ts';

/** Plans a known content at a new path or under a new identity: no search, no solving. */
export async function planFromSavedFingerprint(
  saved: SavedFingerprint,
  job: Job,
): Promise<LaunchPlan | undefined> {
  const { fingerprint } = saved;
  const { program, context, dirs } = job;
  const beside = servedBeside(fingerprint, program);
  if (beside !== undefined) {
    debug(`fingerprint ${saved.file} does not serve here: ${beside} lies beside the program`);
    return undefined;
  }
  const asking = { libraryPathDirs: program.libraryPathDirs, verdict: verdictOf(program, context) };
  const set = await layOutAndVerify(fingerprint, program, dirs.farms, asking);
  if (set.kind !== 'verified') {
    debug(`fingerprint ${saved.file} does not serve here: ${JSON.stringify(set)}`);
    return undefined;
  }
  const root = await alsoPin(context.nix, saved, dirs, rootOf(job));
  if (root.kind !== 'saved') return undefined;
  return await finishPlan({ set, root, origin: 'the record of an earlier start' }, job);
}

/**
 * The first name, undefined where there is none. The farm comes before a runpath (ld.so(8)), so the loader would
 * accept such a set and leave the program's own library out. A damaged library counts: it is to be told of.
 */
export function servedBeside(fingerprint: Fingerprint, program: DynamicProgram): string | undefined {
  const names = new Set<string>();
  const bundled = findBundled(program, ({ name }) => names.add(name));
  for (const { name, elf: library } of bundled) {
    names.add(name);
    if (library.soname !== undefined) names.add(library.soname);
  }
  return fingerprint.libraries.map(({ soname }) => soname).find((soname) => names.has(soname));
}
