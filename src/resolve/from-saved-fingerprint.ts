// A kept fingerprint of the same content → a plan by it, if it still serves where the program is now.
// A kept set and what lies beside the program now → a library of the set that the program brings along itself.

import { layOutAndVerify } from '../farm/verify-set.ts';
import type { Fingerprint } from '../fingerprint/fingerprint.ts';
import { alsoPin } from '../fingerprint/save-and-pin.ts';
import type { SavedFingerprint } from '../fingerprint/saved-fingerprints.ts';
import type { Place } from '../host/directories.ts';
import { debug } from '../host/output.ts';
import type { LaunchPlan } from '../plan/plan-format.ts';
import { findBundled } from '../program/bundled.ts';
import type { Context } from './context.ts';
import { type Dynamic, rootFile } from './dynamic-program.ts';
import { finishPlan } from './write-plan.ts';

/** Plans a known content at a new place or under a new identity: no search, no solving. */
export async function planFromSavedFingerprint(
  subject: Dynamic,
  sha256: string,
  saved: SavedFingerprint,
  context: Context,
  place: Place,
  choices: string | undefined,
): Promise<LaunchPlan | undefined> {
  const { fingerprint } = saved;
  const { program } = subject;
  const beside = servedBeside(fingerprint, subject);
  if (beside !== undefined) {
    debug(`fingerprint ${saved.file} does not serve here: ${beside} lies beside the program`);
    return undefined;
  }
  const proven = await layOutAndVerify(fingerprint, program.path, subject.libc, place.farms, { libraryPathDirs: program.libraryPathDirs });
  if (proven.kind !== 'proven') {
    debug(`fingerprint ${saved.file} does not serve here: ${JSON.stringify(proven)}`);
    return undefined;
  }
  const link = rootFile(place, sha256, subject.program);
  const root = await alsoPin(context.nix, saved, place, link);
  if (root.kind !== 'kept') return undefined;
  const finished = { subject, sha256, proven, root, choices, origin: 'the record of an earlier start' };
  return finishPlan(finished, context, place);
}

/**
 * The first name, undefined where there is none. The farm comes before a runpath (ld.so(8)), so the loader would
 * accept such a set and leave the program's own library out. A damaged library counts: it is to be told of.
 */
export function servedBeside(fingerprint: Fingerprint, { program, elf }: Dynamic): string | undefined {
  const names = new Set<string>();
  const bundled = findBundled({ path: program.path, elf }, ({ name }) => names.add(name));
  for (const { name, elf: library } of bundled) {
    names.add(name);
    if (library.soname !== undefined) names.add(library.soname);
  }
  return fingerprint.libraries.map(({ soname }) => soname).find((soname) => names.has(soname));
}
