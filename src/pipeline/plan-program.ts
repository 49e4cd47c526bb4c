// A program → a launch plan that the launcher can follow: the stages, one after the other.
import type { Program } from '../candidates/program.ts';
import { ForeignError } from '../errors.ts';
import { type Record, recordsOf } from '../fingerprint/records.ts';
import { enact } from '../launch/enact.ts';
import { directPlan } from '../launch/make-plan.ts';
import type { LaunchPlan } from '../launch/plan.ts';
import { readPlan, whyNotCurrent } from '../launch/plan-files.ts';
import { planKey } from '../launch/plan-key.ts';
import { removeLeftovers } from '../platform/atomic-file.ts';
import { sha256OfFile } from '../platform/content-hash.ts';
import { withLock } from '../platform/lock.ts';
import type { Place } from '../platform/places.ts';
import { debug } from '../platform/report.ts';
import { add, keepAndPin, storeObjectOfRecord } from '../roots/keep-and-pin.ts';
import { storeObjectOf } from '../store/store-location.ts';
import type { Context } from './context.ts';
import { finishPlan, keepPlan } from './finish-plan.ts';
import { solveFromStore } from './solve-from-store.ts';
import { type Dynamic, dynamicOf, rootFile } from './subject.ts';

/** `as-needed` takes a plan that still holds; `rehash` reads the content again; `refresh` solves again. */
export type How = 'as-needed' | 'rehash' | 'refresh';

/** A store object can vanish between two steps; after this many rounds something else is wrong. */
const ROUNDS = 3;

/**
 * Makes, or finds, the launch plan of a program and leaves it where the launcher looks.
 * @throws ForeignError with the reason where no plan is possible; Node's errors where the place cannot be written.
 */
export async function planProgram(
  program: Program,
  context: Context,
  place: Place,
  how: How,
): Promise<LaunchPlan> {
  for (const directory of [place.plans, place.farms]) removeLeftovers(directory);
  const subject = dynamicOf(program);
  if (subject === undefined) return keepPlan(place, directPlan(program));
  return await withLock(`${place.locks}/${planKey(program.path)}`, async () => {
    const current = how === 'as-needed' ? currentPlan(program, context, place) : undefined;
    return current ?? (await planDynamic(subject, context, place, how));
  });
}

function currentPlan(program: Program, context: Context, place: Place): LaunchPlan | undefined {
  const plan = readPlan(place, program.path);
  if (plan === undefined) return undefined;
  const why = whyNotCurrent(plan, context.surroundings.uid);
  if (why !== undefined) debug(`the plan of ${program.path} does not hold: ${why}`);
  return why === undefined ? plan : undefined;
}

async function planDynamic(subject: Dynamic, context: Context, place: Place, how: How): Promise<LaunchPlan> {
  const sha256 = sha256OfFile(subject.program.path);
  const { storeDir } = context.location;
  const records = how === 'refresh' ? [] : recordsOf(place, sha256, planKey(subject.program.path), storeDir);
  for (const record of records) {
    const plan = await planFromRecord(subject, sha256, record, context, place);
    if (plan !== undefined) return plan;
  }
  return await planAfresh(subject, sha256, context, place);
}

/** Plans a known content at a new place or under a new identity: no search, no solving. */
async function planFromRecord(
  subject: Dynamic,
  sha256: string,
  record: Record,
  context: Context,
  place: Place,
): Promise<LaunchPlan | undefined> {
  const { fingerprint } = record;
  const proven = await enact(fingerprint, subject.program.path, subject.libc, place.farms);
  if (proven.kind !== 'proven') {
    debug(`fingerprint ${record.file} does not serve here: ${JSON.stringify(proven)}`);
    return undefined;
  }
  const link = rootFile(place, sha256, subject.program);
  const storePath = storeObjectOfRecord(record.file);
  const kept =
    storePath === undefined ? await add(context.nix, fingerprint) : { kind: 'added' as const, storePath };
  const root =
    record.file === link && storePath !== undefined
      ? { kind: 'kept' as const, file: link }
      : await keepAndPin(context.nix, kept, fingerprint, place, link);
  return root.kind === 'kept' ? finishPlan(subject, sha256, proven, root.file, context, place) : undefined;
}

async function planAfresh(
  subject: Dynamic,
  sha256: string,
  context: Context,
  place: Place,
): Promise<LaunchPlan> {
  const excluded = new Set<string>();
  let why = '';
  for (let round = 0; round < ROUNDS; round += 1) {
    const fingerprint = await solveFromStore(subject, sha256, context, place, excluded);
    // The two do not need each other; only the root comes before everything that relies on it.
    const [proven, kept] = await Promise.all([
      enact(fingerprint, subject.program.path, subject.libc, place.farms),
      add(context.nix, fingerprint),
    ]);
    if (proven.kind === 'rejected') throw rejection(subject, fingerprint.loader.storePath, proven.complaints);
    const link = rootFile(place, sha256, subject.program);
    const root =
      proven.kind === 'proven' ? await keepAndPin(context.nix, kept, fingerprint, place, link) : undefined;
    if (proven.kind === 'proven' && root?.kind === 'kept') {
      const plan = finishPlan(subject, sha256, proven, root.file, context, place);
      if (plan !== undefined) return plan;
    }
    why =
      proven.kind === 'vanished'
        ? `${proven.file} is gone`
        : root?.kind === 'vanished'
          ? root.why
          : 'a file is gone';
    const gone = /\/[^\s'"]+/.exec(why)?.[0];
    const object = gone === undefined ? undefined : storeObjectOf(context.location.storeDir, gone);
    if (object !== undefined) excluded.add(object);
    debug(`round ${round + 1}: a store path vanished (${why}); solving again`);
  }
  throw new ForeignError(
    `${subject.program.given}: libraries vanish from the store while they are chosen: ${why}`,
    {
      code: 'vanishing',
      hint: 'wait for the garbage collection that is running and try again',
      exitCode: 125,
    },
  );
}

function rejection(subject: Dynamic, loader: string, complaints: readonly string[]): ForeignError {
  const first = complaints[0] ?? 'no reason given';
  const more = complaints.length > 1 ? ` (and ${complaints.length - 1} more)` : '';
  return new ForeignError(
    `${subject.program.given}: the loader of ${loader} refuses the set: ${first}${more}`,
    {
      code: 'rejected',
      hint: `see the whole set with: nix-foreign explain ${subject.program.given}`,
      exitCode: 126,
    },
  );
}
