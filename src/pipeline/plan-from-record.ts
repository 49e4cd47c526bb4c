// A kept fingerprint of the same content → a plan by it, if it still serves where the program is now.

import type { Record } from '../fingerprint/records.ts';
import { enact } from '../launch/enact.ts';
import type { LaunchPlan } from '../launch/plan.ts';
import type { Place } from '../platform/places.ts';
import { debug } from '../platform/report.ts';
import { keepAlso } from '../roots/keep-and-pin.ts';
import type { Context } from './context.ts';
import { finishPlan } from './finish-plan.ts';
import { servedBeside } from './served-beside.ts';
import { type Dynamic, rootFile } from './subject.ts';

/** Plans a known content at a new place or under a new identity: no search, no solving. */
export async function planFromRecord(
  subject: Dynamic,
  sha256: string,
  record: Record,
  context: Context,
  place: Place,
  choices: string | undefined,
): Promise<LaunchPlan | undefined> {
  const { fingerprint } = record;
  const { program } = subject;
  const beside = servedBeside(fingerprint, subject);
  if (beside !== undefined) {
    debug(`fingerprint ${record.file} does not serve here: ${beside} lies beside the program`);
    return undefined;
  }
  const proven = await enact(fingerprint, program.path, subject.libc, place.farms, { users: program.users });
  if (proven.kind !== 'proven') {
    debug(`fingerprint ${record.file} does not serve here: ${JSON.stringify(proven)}`);
    return undefined;
  }
  const link = rootFile(place, sha256, subject.program);
  const root = await keepAlso(context.nix, record, place, link);
  if (root.kind !== 'kept') return undefined;
  const finished = { subject, sha256, proven, root, choices, origin: 'the record of an earlier start' };
  return finishPlan(finished, context, place);
}
