// A program → a launch plan that the launcher can follow. The steps of a miss, one after the other.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { digestOfChoices } from '../choices/choices.ts';
import { startRootAdders } from '../fingerprint/save-and-pin.ts';
import { savedFingerprintsOf } from '../fingerprint/saved-fingerprints.ts';
import { type Directories, trustedSystemDirectories } from '../host/directories.ts';
import { sha256OfFile } from '../host/file-identity.ts';
import { withLock } from '../host/mutex.ts';
import { debug } from '../host/output.ts';
import { readPlan, whyNotCurrent } from '../plan/plan-files.ts';
import { type LaunchPlan, planKey } from '../plan/plan-format.ts';
import { hasNews, learnedIn, runTimeDirectoryOf } from '../plan/run-time-record.ts';
import type { ProgramFile } from '../program/inspect-program.ts';
import type { Context } from './context.ts';
import { cleanAfter, cleanBefore, cleanRootsOf, forgetMoved } from './housekeeping.ts';
import {
  choicesOfProgram,
  type DynamicProgram,
  dynamicOf,
  type Job,
  type ResolveMode,
  rootOf,
} from './job.ts';

/**
 * Makes, or finds, the launch plan of a program and leaves it where the launcher looks.
 * @throws ForeignError with the reason where no plan is possible; Node's errors where nothing can be written.
 */
export async function planProgram(
  file: ProgramFile,
  context: Context,
  dirs: Directories,
  mode: ResolveMode,
): Promise<LaunchPlan> {
  cleanBefore(dirs);
  const program = dynamicOf(file);
  const plan =
    program === undefined
      ? await planWithoutLibraries(file, context, dirs)
      : await planDynamic(program, context, dirs, mode);
  cleanAfter(dirs);
  return plan;
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
): Promise<LaunchPlan> {
  const { withRequestedStrategy } = await import('./choose-strategy.ts');
  const context = await withRequestedStrategy(program, asked);
  return await withLock(`${dirs.locks}/${planKey(program.path)}`, async () => {
    const current = mode === 'as-needed' ? await currentPlan(program, context, dirs) : undefined;
    if (current !== undefined) return current;
    const job = await openJob(program, context, dirs, mode);
    try {
      return await carryOut(job);
    } finally {
      job.rootAdders.close();
    }
  });
}

/** The steps: a saved fingerprint? one that was found? else the store is searched. */
async function carryOut(job: Job): Promise<LaunchPlan> {
  if (job.mode === 'refresh') return await fromStore(job);
  return (await fromSavedFingerprints(job)) ?? (await fromFoundFingerprint(job)) ?? (await fromStore(job));
}

async function currentPlan(
  program: DynamicProgram,
  context: Context,
  dirs: Directories,
): Promise<LaunchPlan | undefined> {
  // The system's is looked at only where there is none of the user's own, as the launcher does (plan/PLAN.md).
  const shared = dirs.shared ? undefined : trustedSystemDirectories();
  const plan = readPlan(dirs, program.path) ?? (shared && readPlan(shared, program.path));
  if (plan === undefined) return undefined;
  const why = whyNotCurrent(plan, context.host.uid);
  if (why !== undefined) debug(`the plan of ${program.path} does not hold: ${why}`);
  if (why !== undefined || !context.env['NIX_RUN_FOREIGN_STRATEGY'])
    return why === undefined ? plan : undefined;
  const { isAsRequested } = await import('./choose-strategy.ts');
  return isAsRequested(plan, program, context) ? plan : undefined;
}

/** Where nothing was saved a new root will be added, and Nix can start up while the libraries are found. */
async function openJob(
  program: DynamicProgram,
  context: Context,
  dirs: Directories,
  mode: ResolveMode,
): Promise<Job> {
  const sha256 = sha256OfFile(program.path);
  debug(`content ${sha256}`);
  const link = rootOf({ dirs, sha256, program });
  cleanRootsOf(link, dirs, context);
  const when = existsSync(path.dirname(link)) ? 'later' : 'now';
  const rootAdders = startRootAdders(context.nix, link, when);
  const choices = await choicesOfProgram(program, context);
  const learned = learnedOf(program, dirs);
  return { program, sha256, context, dirs, mode, choices, rootAdders, learned };
}

/** Remembered beside the plan that was followed last. */
function learnedOf(program: DynamicProgram, dirs: Directories): Job['learned'] {
  const directory = runTimeDirectoryOf(readPlan(dirs, program.path));
  return directory === undefined ? undefined : learnedIn(directory, new Date().toISOString());
}

/** A saved set does not count what was learned since it was solved. */
function learnedSince({ program, dirs }: Job): boolean {
  const directory = runTimeDirectoryOf(readPlan(dirs, program.path));
  return directory !== undefined && hasNews(directory);
}

async function fromSavedFingerprints(job: Job): Promise<LaunchPlan | undefined> {
  if (learnedSince(job)) return undefined;
  const { program, sha256, context, dirs, choices } = job;
  const digest = choices && digestOfChoices(choices.choices);
  const shared = dirs.shared ? undefined : trustedSystemDirectories();
  const all = [dirs, ...(shared === undefined ? [] : [shared])];
  const key = planKey(program.path);
  for (const saved of await savedFingerprintsOf(all, sha256, key, context.location.storeDir)) {
    // A set that was chosen under other choices, or under none, is not for this program.
    if (saved.fingerprint.choices !== digest) continue;
    const { planFromSavedFingerprint } = await import('./from-saved-fingerprint.ts');
    const plan = await planFromSavedFingerprint(saved, job);
    if (plan === undefined) continue;
    forgetMoved(dirs, sha256);
    return plan;
  }
  return undefined;
}

/** What somebody else chose gives way to what the user chose by hand. */
async function fromFoundFingerprint(job: Job): Promise<LaunchPlan | undefined> {
  if (job.choices !== undefined) return undefined;
  const { openSearch, planFromFoundFingerprint } = await import('./from-found-fingerprint.ts');
  return await planFromFoundFingerprint(await openSearch(job));
}

async function fromStore(job: Job): Promise<LaunchPlan> {
  const { resolveFromStore } = await import('./from-store.ts');
  return await resolveFromStore(job);
}
