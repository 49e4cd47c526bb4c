// A program → a launch plan that the launcher can follow: the stages, one after the other.
// A content that was planned at several paths → only those paths where a program still is.
import { existsSync, lstatSync, rmSync } from 'node:fs';
import path from 'node:path';
import { digestOfChoices } from '../choices/choices.ts';
import type { AppImage } from '../elf/app-image.ts';
import { type RootAdders, startRootAdders } from '../fingerprint/save-and-pin.ts';
import {
  clearRootPlace,
  keysPinning,
  savedFingerprintsOf,
  rootLink,
  unpin,
} from '../fingerprint/saved-fingerprints.ts';
import { removeLeftovers } from '../host/atomic-file.ts';
import { trustedSystemDirectories, type Place } from '../host/directories.ts';
import { sha256OfFile } from '../host/file-identity.ts';
import { withLock } from '../host/mutex.ts';
import { debug } from '../host/output.ts';
import { collectFarmsDaily } from '../plan/collect-farms.ts';
import { copiesDirectory, unpackedDirectory } from '../plan/copy-directories.ts';
import { readPlan, readPlanFile, whyNotCurrent } from '../plan/plan-files.ts';
import { type LaunchPlan, planKey } from '../plan/plan-format.ts';
import type { Program } from '../program/inspect-program.ts';
import type { Context } from './context.ts';
import { choicesOfProgram, type Dynamic, dynamicOf, rootFile } from './dynamic-program.ts';

/** `as-needed` takes a plan that still holds; `rehash` reads the content again; `refresh` solves again. */
export type ResolveMode = 'as-needed' | 'rehash' | 'refresh';

/**
 * Makes, or finds, the launch plan of a program and leaves it where the launcher looks.
 * @throws ForeignError with the reason where no plan is possible; Node's errors where the place cannot be written.
 */
export async function planProgram(
  program: Program,
  given: Context,
  place: Place,
  mode: ResolveMode,
): Promise<LaunchPlan> {
  for (const directory of [place.plans, place.farms, copiesDirectory(place)]) removeLeftovers(directory);
  const subject = dynamicOf(program);
  if (subject === undefined) return await planUnaided(program, given, place);
  const { withRequestedStrategy } = await import('./choose-strategy.ts');
  const context = await withRequestedStrategy(program, given);
  const plan = await withLock(`${place.locks}/${planKey(program.path)}`, async () => {
    const current = mode === 'as-needed' ? await currentPlan(subject, context, place) : undefined;
    return current ?? (await planDynamic(subject, context, place, mode));
  });
  collectFarmsDaily(place);
  return plan;
}

/** A collector that looked before the plan was there may have taken the files: then they are unpacked again. */
async function planImage(
  program: Program,
  image: AppImage,
  context: Context,
  place: Place,
): Promise<LaunchPlan> {
  const { planAppImage } = await import('./plan-app-image.ts');
  const { savePlan } = await import('./write-plan.ts');
  removeLeftovers(unpackedDirectory(place));
  const plan = savePlan(place, await planAppImage(program, image, context, place));
  if (!plan.files.every((file) => existsSync(file))) return await planImage(program, image, context, place);
  collectFarmsDaily(place);
  return plan;
}

/** Of a program that needs no library of ours. */
async function planUnaided(program: Program, context: Context, place: Place): Promise<LaunchPlan> {
  const { byBinfmt } = context;
  if (program.appImage !== undefined) return await planImage(program, program.appImage, context, place);
  const { copyPlan, directPlan } = await import('../plan/make-plan.ts');
  const { savePlan } = await import('./write-plan.ts');
  if (program.kind.kind === 'script') {
    const { planScript } = await import('./plan-script.ts');
    return savePlan(place, await planScript(program, program.kind, context));
  }
  if (byBinfmt !== true || program.elf === undefined) return savePlan(place, directPlan(program));
  const { copyOfAppImage } = await import('../integrations/patch/patched-copy.ts');
  const copy = copyOfAppImage(program, sha256OfFile(program.path), place);
  return savePlan(place, copy === undefined ? directPlan(program) : copyPlan(program, copy));
}

async function currentPlan(
  subject: Dynamic,
  context: Context,
  place: Place,
): Promise<LaunchPlan | undefined> {
  const { program } = subject;
  // The system's is looked at only where there is none of the user's own, as the launcher does (PLAN.md).
  const shared = place.shared ? undefined : trustedSystemDirectories();
  const plan = readPlan(place, program.path) ?? (shared && readPlan(shared, program.path));
  if (plan === undefined) return undefined;
  const why = whyNotCurrent(plan, context.host.uid);
  if (why !== undefined) debug(`the plan of ${program.path} does not hold: ${why}`);
  if (why !== undefined || !context.env['NIX_RUN_FOREIGN_STRATEGY'])
    return why === undefined ? plan : undefined;
  const { isAsWanted } = await import('./choose-strategy.ts');
  return isAsWanted(plan, subject, context) ? plan : undefined;
}

/** Without a record a new one will be pinned, and Nix can start up while it is found. */
function supplyFor(link: string, context: Context): RootAdders {
  return startRootAdders(context.nix, link, existsSync(path.dirname(link)) ? 'later' : 'now');
}

async function planDynamic(subject: Dynamic, context: Context, place: Place, mode: ResolveMode): Promise<LaunchPlan> {
  const sha256 = sha256OfFile(subject.program.path);
  debug(`content ${sha256}`);
  const link = rootFile(place, sha256, subject.program);
  clearRootPlace(link, context.location.storeDir);
  const rootAdders = supplyFor(link, context);
  try {
    for (const directory of [path.dirname(link), place.fingerprints]) removeLeftovers(directory);
    return await planContent({ subject, sha256, context, place, mode, rootAdders });
  } finally {
    rootAdders.close();
  }
}

interface Content {
  readonly subject: Dynamic;
  readonly sha256: string;
  readonly context: Context;
  readonly place: Place;
  readonly mode: ResolveMode;
  readonly rootAdders: RootAdders;
}

async function planContent(content: Content): Promise<LaunchPlan> {
  const { subject, sha256, context, place, mode, rootAdders } = content;
  const savedChoices = await choicesOfProgram(subject.program, context);
  const digest = savedChoices && digestOfChoices(savedChoices.choices);
  const key = planKey(subject.program.path);
  const shared = place.shared ? undefined : trustedSystemDirectories();
  const keepers = [place, ...(shared === undefined ? [] : [shared])];
  const fingerprints = mode === 'refresh' ? [] : await savedFingerprintsOf(keepers, sha256, key, context.location.storeDir);
  for (const fingerprint of fingerprints) {
    // A set that was made under other choices, or under none, is another program's for this purpose.
    if (fingerprint.fingerprint.choices !== digest) continue;
    const { planFromSavedFingerprint } = await import('./from-saved-fingerprint.ts');
    const plan = await planFromSavedFingerprint(subject, sha256, fingerprint, context, place, savedChoices?.file);
    if (plan === undefined) continue;
    forgetMoved(place, sha256);
    return plan;
  }
  // What somebody else chose gives way to what the user chose by hand.
  if (mode !== 'refresh' && savedChoices === undefined) {
    const { openSearch, planFromElsewhere } = await import('./from-found-fingerprint.ts');
    const plan = await planFromElsewhere(await openSearch(subject, sha256, context, place, rootAdders));
    if (plan !== undefined) return plan;
  }
  const { resolveFromStore } = await import('./from-store.ts');
  return await resolveFromStore({ subject, sha256, context, place, savedChoices, rootAdders });
}

/** Forgets plan and root of every path of this content at which nothing is any more: it was moved or renamed. */
export function forgetMoved(place: Place, sha256: string): void {
  for (const key of keysPinning(place, sha256)) {
    const file = path.join(place.plans, key);
    const plan = readPlanFile(file);
    if (plan === undefined || lstatSync(plan.program, { throwIfNoEntry: false }) !== undefined) continue;
    debug(`${plan.program} is gone; its plan and its root go too`);
    rmSync(file, { force: true });
    unpin(rootLink(place, sha256, key));
  }
}
