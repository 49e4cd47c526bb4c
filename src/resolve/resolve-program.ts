// A program → a launch plan that the launcher can follow. The steps of a miss, one after the other.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { addedFiles, digestOfChoices } from '../choices/choices.ts';
import { startRootAdders } from '../fingerprint/save-and-pin.ts';
import { type SavedFingerprint, savedFingerprintsOf } from '../fingerprint/saved-fingerprints.ts';
import { type Directories, trustedSystemDirectories } from '../host/directories.ts';
import { ForeignError } from '../host/errors.ts';
import { sha256OfProgram } from '../host/file-identity.ts';
import { withLock } from '../host/mutex.ts';
import { debug, notice } from '../host/output.ts';
import { hasDecisions } from '../plan/own-decisions.ts';
import { plannedContent, readPlan, readPlanFile, whyNotCurrent } from '../plan/plan-files.ts';
import { type LaunchPlan, planKey } from '../plan/plan-format.ts';
import { hasNews, learnedIn, runTimeDirectoryOf } from '../plan/run-time-record.ts';
import { inspectProgram, type ProgramFile } from '../program/inspect-program.ts';
import type { Context } from './context.ts';
import { freshBudget } from './fetch-rounds.ts';
import { cleanAfter, cleanRootsOf, dropEarlierCopy, forgetMoved } from './housekeeping.ts';
import {
  choicesOfProgram,
  type DynamicProgram,
  dynamicOf,
  hasChanged,
  type Job,
  type LastResort,
  type Resolution,
  type ResolveMode,
  rootOf,
} from './job.ts';
import { everyPlace } from './writable-directories.ts';

/** A program that changes is inspected anew; after so many times whatever writes it has not ended. */
const ROUNDS = 5;

/**
 * Makes, or finds, the launch plan of a program and leaves it where the launcher looks. A program that is replaced or
 * touched meanwhile is inspected and resolved again.
 * @throws ForeignError with the reason where no plan is possible; Node's errors where nothing can be written.
 */
export async function resolveProgram(
  file: ProgramFile,
  context: Context,
  dirs: Directories,
  mode: ResolveMode,
): Promise<LaunchPlan> {
  let program = file;
  for (let round = 1; round <= ROUNDS; round += 1) {
    const resolution = await planUnlessChanged(program, context, dirs, mode);
    if (resolution.kind === 'planned') {
      cleanAfter(dirs);
      return resolution.plan;
    }
    debug(`round ${round}: ${program.path} changed while it was resolved`);
    program = inspectProgram(file.typedName, context.host);
  }
  throw new ForeignError(`${file.typedName}: the file keeps changing while its libraries are looked for`, {
    code: 'changing',
    hint: 'start it again when the installer or update that writes it has ended',
    exitCode: 125,
  });
}

/** Whatever goes wrong with a program that changed meanwhile says nothing about the program of now. */
async function planUnlessChanged(
  file: ProgramFile,
  context: Context,
  dirs: Directories,
  mode: ResolveMode,
): Promise<Resolution> {
  const program = dynamicOf(file);
  try {
    const resolution: Resolution =
      program === undefined
        ? { kind: 'planned', plan: await planWithoutLibraries(file, context, dirs) }
        : await planDynamic(program, context, dirs, mode);
    return hasChanged(file) ? { kind: 'changed' } : resolution;
  } catch (error) {
    if (!hasChanged(file)) throw error;
    debug(`not said, since the program changed: ${String(error)}`);
    return { kind: 'changed' };
  }
}

/** Of a static program, a script, an AppImage, a program of Nix. */
async function planWithoutLibraries(
  file: ProgramFile,
  context: Context,
  dirs: Directories,
): Promise<LaunchPlan> {
  const { planDirect } = await import('./plan-direct.ts');
  return await planDirect(file, context, dirs);
}

/** One process at a time resolves a program; whoever waited finds the plan of the first. */
async function planDynamic(
  program: DynamicProgram,
  asked: Context,
  dirs: Directories,
  mode: ResolveMode,
): Promise<Resolution> {
  const { withRequestedStrategy } = await import('./choose-strategy.ts');
  const context = await withRequestedStrategy(program, asked);
  return await withLock(`${dirs.locks}/${planKey(program.path)}`, async () => {
    const current = mode === 'as-needed' ? await currentPlan(program, context, dirs) : undefined;
    if (current !== undefined) return { kind: 'planned', plan: current };
    const before = readPlanFile(path.join(dirs.plans, planKey(program.path)));
    const job = await openJob(program, context, dirs, mode);
    try {
      // The content that was hashed is the one that was inspected, or nothing is saved for it.
      const resolution = hasChanged(program) ? ({ kind: 'changed' } as const) : await carryOut(job);
      if (resolution.kind === 'planned') dropEarlierCopy(dirs, before, resolution.plan);
      return resolution;
    } finally {
      job.rootAdders.close();
    }
  });
}

/** The steps: a saved fingerprint? one that was found? else the store is searched. */
async function carryOut(job: Job): Promise<Resolution> {
  if (job.mode === 'refresh') return await fromStore(job);
  const saved = await fromSavedFingerprints(job);
  if (saved === undefined) return await fromFoundOrStore(job);
  return saved.kind === 'unserving' ? await servingOr(saved, job, fromFoundOrStore) : saved;
}

async function fromFoundOrStore(job: Job): Promise<Resolution> {
  const found = await fromFoundFingerprint(job);
  if (found !== undefined && found.kind !== 'unserving') return found;
  return found === undefined || job.unservedDrivers === 'refused'
    ? await fromStore(job)
    : await servingOr(found, job, fromStore);
}

/** Nothing about a driver ends a start, nor lets a set give way to another that does not serve it either. */
async function servingOr(
  { why, anyway, farewell }: LastResort,
  job: Job,
  search: (job: Job) => Promise<Resolution>,
): Promise<Resolution> {
  debug(`another set is looked for: ${why}`);
  try {
    const other = await search({ ...job, unservedDrivers: 'refused' });
    if (farewell !== undefined) notice(farewell);
    return other;
  } catch (error) {
    if (!(error instanceof ForeignError)) throw error;
    debug(`there is no other set: ${error.message}`);
  }
  return (await anyway()) ?? (await search(job));
}

async function currentPlan(
  program: DynamicProgram,
  context: Context,
  dirs: Directories,
): Promise<LaunchPlan | undefined> {
  const plan = readPlan(dirs, program.path) ?? (await sharedPlan(program, context, dirs));
  if (plan === undefined) return undefined;
  const why = whyNotCurrent(plan, context.host.uid);
  if (why !== undefined) debug(`the plan of ${program.path} does not hold: ${why}`);
  if (why !== undefined || !context.env['NIX_RUN_FOREIGN_STRATEGY'])
    return why === undefined ? plan : undefined;
  const { isAsRequested } = await import('./choose-strategy.ts');
  return isAsRequested(plan, program, context) ? plan : undefined;
}

/** The system's, only where the user has none and decided nothing, as the launcher does (plan/PLAN.md). */
async function sharedPlan(
  program: DynamicProgram,
  { host }: Context,
  dirs: Directories,
): Promise<LaunchPlan | undefined> {
  const shared = dirs.shared ? undefined : trustedSystemDirectories();
  const plan = shared && readPlan(shared, program.path);
  if (plan === undefined) return undefined;
  const places = await everyPlace(host.uid);
  return places.some((each) => hasDecisions(each, program.path)) ? undefined : plan;
}

/** Where nothing was saved a new root will be added, and Nix can start up while the libraries are found. */
async function openJob(
  program: DynamicProgram,
  context: Context,
  dirs: Directories,
  mode: ResolveMode,
): Promise<Job> {
  const plan = mode === 'as-needed' ? readPlan(dirs, program.path) : undefined;
  const known = plannedContent(dirs, plan, program);
  const sha256 = known ?? (await sha256OfProgram(program.path));
  debug(`content ${sha256}${known === undefined ? '' : ', as planned'}`);
  const link = rootOf({ dirs, sha256, program });
  cleanRootsOf(link, dirs, context);
  const when = existsSync(path.dirname(link)) ? 'later' : 'now';
  const rootAdders = startRootAdders(context.nix, link, when);
  const choices = await choicesOfProgram(program, context);
  const added = choices && addedFiles(choices.choices, context.location.storeDir);
  return {
    program: { ...program, ...(added && { added }) },
    sha256,
    context,
    dirs,
    mode,
    choices,
    rootAdders,
    budget: freshBudget(),
    learned: learnedOf(program, dirs),
  };
}

/** Remembered beside the plan that was followed last. */
function learnedOf(program: DynamicProgram, dirs: Directories): Job['learned'] {
  const directory = runTimeDirectoryOf(readPlan(dirs, program.path));
  return directory === undefined ? undefined : learnedIn(directory, new Date().toISOString());
}

/**
 * A saved set does not count what was learned since it was solved. Whether it serves another driver is asked of the
 * set: one that came from elsewhere is not to be had again.
 */
function learnedSince({ program, dirs }: Job): boolean {
  const directory = runTimeDirectoryOf(readPlan(dirs, program.path));
  return directory !== undefined && hasNews(directory);
}

/** @returns undefined where it does not serve. */
async function planBySaved(saved: SavedFingerprint, job: Job): Promise<Resolution | LastResort | undefined> {
  const { planFromSavedFingerprint } = await import('./from-saved-fingerprint.ts');
  const planned = async (asked: Job) => {
    const outcome = await planFromSavedFingerprint(saved, asked);
    if (outcome?.kind === 'planned') forgetMoved(job.dirs, job.sha256);
    return outcome;
  };
  const outcome = await planned({ ...job, unservedDrivers: 'refused' });
  if (outcome?.kind !== 'unserving') return outcome;
  const anyway = async () => {
    const last = await planned(job);
    return last?.kind === 'planned' ? last : undefined;
  };
  return { ...outcome, anyway };
}

async function fromSavedFingerprints(job: Job): Promise<Resolution | LastResort | undefined> {
  if (learnedSince(job)) return undefined;
  const { program, sha256, context, dirs, choices } = job;
  const digest = choices && digestOfChoices(choices.choices);
  const shared = dirs.shared ? undefined : trustedSystemDirectories();
  const all = [dirs, ...(shared === undefined ? [] : [shared])];
  const key = planKey(program.path);
  let resort: LastResort | undefined;
  for (const saved of await savedFingerprintsOf(all, sha256, key, context.location.storeDir)) {
    // A set that was chosen under other choices, or under none, is not for this program.
    if (saved.fingerprint.choices !== digest) continue;
    const outcome = await planBySaved(saved, job);
    if (outcome?.kind === 'unserving') resort ??= outcome;
    else if (outcome !== undefined) return outcome;
  }
  return resort;
}

/** What somebody else chose gives way to what the user chose by hand. */
async function fromFoundFingerprint(job: Job): Promise<Resolution | LastResort | undefined> {
  if (job.choices !== undefined) return undefined;
  const { openSearch, planFromFoundFingerprint } = await import('./from-found-fingerprint.ts');
  return await planFromFoundFingerprint(await openSearch(job));
}

async function fromStore(job: Job): Promise<Resolution> {
  const { resolveFromStore } = await import('./from-store.ts');
  return await resolveFromStore(job);
}
