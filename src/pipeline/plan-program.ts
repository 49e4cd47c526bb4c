// A program → a launch plan that the launcher can follow: the stages, one after the other.
import path from 'node:path';
import type { Program } from '../candidates/program.ts';
import { digestOfChoices } from '../choices/choices.ts';
import { type Record, recordsOf } from '../fingerprint/records.ts';
import { collectFarmsDaily } from '../launch/collect-farms.ts';
import { copiesDirectory } from '../launch/copies.ts';
import { enact } from '../launch/enact.ts';
import { copyPlan, directPlan } from '../launch/make-plan.ts';
import type { LaunchPlan } from '../launch/plan.ts';
import { readPlan, whyNotCurrent } from '../launch/plan-files.ts';
import { planKey } from '../launch/plan-key.ts';
import { copyOfAppImage } from '../patch/copy-for-plan.ts';
import { removeLeftovers } from '../platform/atomic-file.ts';
import { sha256OfFile } from '../platform/content-hash.ts';
import { withLock } from '../platform/lock.ts';
import { believedSystemPlace, type Place } from '../platform/places.ts';
import { debug } from '../platform/report.ts';
import { clearRootPlace } from '../roots/clear-root-place.ts';
import { keepAlso } from '../roots/keep-and-pin.ts';
import { choicesOfProgram } from './choices-of-program.ts';
import type { Context } from './context.ts';
import { finishPlan, keepPlan } from './finish-plan.ts';
import { forgetMoved } from './forget-moved.ts';
import { planAfresh } from './plan-afresh.ts';
import { openSearch, planFromElsewhere } from './plan-from-elsewhere.ts';
import { servedBeside } from './served-beside.ts';
import { isAsWanted, withWish } from './strategy-of.ts';
import { type Dynamic, dynamicOf, rootFile } from './subject.ts';

/** `as-needed` takes a plan that still holds; `rehash` reads the content again; `refresh` solves again. */
export type How = 'as-needed' | 'rehash' | 'refresh';

/**
 * Makes, or finds, the launch plan of a program and leaves it where the launcher looks.
 * @throws ForeignError with the reason where no plan is possible; Node's errors where the place cannot be written.
 */
export async function planProgram(
  program: Program,
  given: Context,
  place: Place,
  how: How,
): Promise<LaunchPlan> {
  for (const directory of [place.plans, place.farms, copiesDirectory(place)]) removeLeftovers(directory);
  const subject = dynamicOf(program);
  if (subject === undefined) return keepPlan(place, planUnaided(program, given, place));
  const context = await withWish(program, given);
  const plan = await withLock(`${place.locks}/${planKey(program.path)}`, async () => {
    const current = how === 'as-needed' ? currentPlan(subject, context, place) : undefined;
    return current ?? (await planDynamic(subject, context, place, how));
  });
  collectFarmsDaily(place);
  return plan;
}

/** Of a program that needs no library of ours. */
function planUnaided(program: Program, { byBinfmt }: Context, place: Place): LaunchPlan {
  if (byBinfmt !== true || program.elf === undefined) return directPlan(program);
  const copy = copyOfAppImage(program, sha256OfFile(program.path), place);
  return copy === undefined ? directPlan(program) : copyPlan(program, copy);
}

function currentPlan(subject: Dynamic, context: Context, place: Place): LaunchPlan | undefined {
  const { program } = subject;
  // The system's is looked at only where there is none of the user's own, as the launcher does (PLAN.md).
  const shared = place.shared ? undefined : believedSystemPlace();
  const plan = readPlan(place, program.path) ?? (shared && readPlan(shared, program.path));
  if (plan === undefined) return undefined;
  const why = whyNotCurrent(plan, context.surroundings.uid);
  if (why !== undefined) debug(`the plan of ${program.path} does not hold: ${why}`);
  return why === undefined && isAsWanted(plan, subject, context) ? plan : undefined;
}

async function planDynamic(subject: Dynamic, context: Context, place: Place, how: How): Promise<LaunchPlan> {
  const sha256 = sha256OfFile(subject.program.path);
  debug(`content ${sha256}`);
  const { storeDir } = context.location;
  const link = rootFile(place, sha256, subject.program);
  for (const directory of [path.dirname(link), place.fingerprints]) removeLeftovers(directory);
  clearRootPlace(link, storeDir);
  const kept = await choicesOfProgram(subject.program, context);
  const digest = kept && digestOfChoices(kept.choices);
  const key = planKey(subject.program.path);
  const shared = place.shared ? undefined : believedSystemPlace();
  const keepers = [place, ...(shared === undefined ? [] : [shared])];
  const records = how === 'refresh' ? [] : await recordsOf(keepers, sha256, key, storeDir);
  for (const record of records) {
    // A set that was made under other choices, or under none, is another program's for this purpose.
    if (record.fingerprint.choices !== digest) continue;
    const plan = await planFromRecord(subject, sha256, record, context, place, kept?.file);
    if (plan === undefined) continue;
    forgetMoved(place, sha256);
    return plan;
  }
  // What somebody else chose gives way to what the user chose by hand.
  if (how !== 'refresh' && kept === undefined) {
    const plan = await planFromElsewhere(await openSearch(subject, sha256, context, place));
    if (plan !== undefined) return plan;
  }
  return await planAfresh(subject, sha256, context, place, kept);
}

/** Plans a known content at a new place or under a new identity: no search, no solving. */
async function planFromRecord(
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
  const proven = await enact(fingerprint, program.path, subject.libc, place.farms, undefined, program.users);
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
