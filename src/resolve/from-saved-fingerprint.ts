// A saved fingerprint of the same content → a plan by it, if it still serves where the program is now, with what lies
// beside the program now.

import type { ElfFile } from '../elf/elf-file.ts';
import { elfFileAt } from '../elf/open-elf.ts';
import { layOutAndVerify, pathOfStoreFile } from '../farm/verify-set.ts';
import type { Fingerprint } from '../fingerprint/fingerprint.ts';
import { alsoPin } from '../fingerprint/save-and-pin.ts';
import type { SavedFingerprint } from '../fingerprint/saved-fingerprints.ts';
import { debug } from '../host/output.ts';
import type { LaunchPlan } from '../plan/plan-format.ts';
import { findBundled } from '../program/bundled.ts';
import { type DynamicProgram, type Job, rootOf, type Unserving, verdictOf } from './job.ts';
import { finishPlan } from './write-plan.ts';

/** Plans a known content at a new path or under a new identity: no search, no solving. */
export async function planFromSavedFingerprint(
  saved: SavedFingerprint,
  job: Job,
): Promise<{ readonly kind: 'planned'; readonly plan: LaunchPlan } | Unserving | undefined> {
  const { fingerprint } = saved;
  const { program, context, dirs } = job;
  const beside = servedBeside(fingerprint, program);
  if (beside !== undefined) {
    debug(`fingerprint ${saved.file} does not serve here: ${beside} lies beside the program`);
    return undefined;
  }
  const { judgeDrivers, noticeUnserved } = await import('./opened-drivers.ts');
  const drivers = judgeDrivers(fingerprint, job);
  if ('why' in drivers) {
    debug(`fingerprint ${saved.file} does not serve here: ${drivers.why}`);
    return drivers;
  }
  const asking = { libraryPathDirs: program.libraryPathDirs, verdict: verdictOf(program, context) };
  const set = await layOutAndVerify(fingerprint, program, dirs.farms, asking);
  if (set.kind !== 'verified') {
    debug(`fingerprint ${saved.file} does not serve here: ${JSON.stringify(set)}`);
    return undefined;
  }
  const root = await alsoPin(context.nix, saved, dirs, rootOf(job));
  if (root.kind !== 'saved') return undefined;
  const origin = 'the fingerprint of an earlier start';
  const plan = await finishPlan({ set, root, origin, drivers: drivers.files }, job);
  if (plan === undefined) return undefined;
  noticeUnserved(program.typedName, drivers.unserved);
  return { kind: 'planned', plan };
}

/**
 * The first name, undefined where there is none. The farm comes before a runpath (ld.so(8)), so the loader would
 * accept such a set and leave the program's own library out. That is meant only where its own is too old for others of
 * the set. A damaged library counts: it is to be told of.
 */
export function servedBeside(fingerprint: Fingerprint, program: DynamicProgram): string | undefined {
  const beside = new Map<string, ElfFile | undefined>();
  const bundled = findBundled(program, program.libc.kind, ({ name }) => beside.set(name, undefined));
  for (const { answersTo, elf: library } of bundled) for (const name of answersTo) beside.set(name, library);
  return fingerprint.libraries
    .map(({ soname }) => soname)
    .find((soname) => beside.has(soname) && !isTooOld(soname, beside.get(soname), fingerprint));
}

/** True where a library of the set needs a version that the bundled one does not define. */
function isTooOld(name: string, bundled: ElfFile | undefined, { libraries }: Fingerprint): boolean {
  if (bundled === undefined) return false;
  return libraries.some((each) =>
    elfFileAt(pathOfStoreFile(each))?.verneed.some(
      ({ file, versions }) =>
        file === name && versions.some((it) => !it.weak && !bundled.verdef.includes(it.name)),
    ),
  );
}
