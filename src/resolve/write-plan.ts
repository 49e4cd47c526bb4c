// A verified and pinned set → the plan on disk, once everything it names was seen to be there.
import { existsSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { refusalOfName } from '../candidates/searched-names.ts';
import { libraryOrder } from '../farm/library-order.ts';
import type { VerifiedSet } from '../farm/verify-set.ts';
import type { SavedRoot } from '../fingerprint/save-and-pin.ts';
import { linksOfProgram, unpin } from '../fingerprint/saved-fingerprints.ts';
import type { Directories } from '../host/directories.ts';
import { identityOf } from '../host/file-identity.ts';
import { debug, notice } from '../host/output.ts';
import { ruleTaking } from '../integrations/binfmt/binfmt-registry.ts';
import {
  type CopyOutcome,
  type CopyTarget,
  copyForPlan,
  whyNoCopy,
} from '../integrations/patch/patched-copy.ts';
import { listObjects } from '../ldso/list-objects.ts';
import { loaderCopy } from '../plan/loader-copy.ts';
import {
  handedOver,
  makePlan,
  type PreparedStart,
  planOfCopy,
  type RunTimePlace,
  withoutLoader,
} from '../plan/make-plan.ts';
import { readPlan, whyNotCurrent, writePlan } from '../plan/plan-files.ts';
import { type LaunchPlan, planKey } from '../plan/plan-format.ts';
import { type LearnedPlugIn, runTimeDirectoryOf } from '../plan/run-time-record.ts';
import { inspectInterpreter, type Situation, type StrategyChoice, whyNoNamespace } from '../plan/strategy.ts';
import type { PlainNames } from '../program/needed-paths.ts';
import { pathOfElfString } from '../program/run-directories.ts';
import { nixDatabaseFile } from '../store/nix-state.ts';
import { makeView } from '../view/make-view.ts';
import { strategyOf } from './choose-strategy.ts';
import type { Context } from './context.ts';
import type { DynamicProgram, Job } from './job.ts';
import { launcherForMachine } from './own-package.ts';
import { openRunTime } from './run-time.ts';
import { type FoundView, viewFor, whatIsMissed } from './view-for.ts';

/** Writes a plan; roots that earlier contents of the program had go, also those of a cache that was deleted. */
export function savePlan(dirs: Directories, plan: LaunchPlan): LaunchPlan {
  writePlan(dirs, plan);
  const links = linksOfProgram(dirs, planKey(plan.program));
  // A set that could not be pinned takes the root from none that is.
  const isPinned = plan.root === undefined || links.includes(plan.root);
  for (const link of isPinned ? links : []) if (link !== plan.root) unpin(link);
  return plan;
}

/** A set that Nix could not pin is tried again when its database changed: before a collection can have ended. */
function watchingNix(plan: LaunchPlan, { location }: Context): LaunchPlan {
  const database = nixDatabaseFile(location);
  if (!existsSync(database)) return plan;
  return { ...plan, watched: [...plan.watched, { identity: identityOf(database), path: database }] };
}

/** A plan that was made under choices no longer holds when these change, or when they are taken away by hand. */
function watching(plan: LaunchPlan, choices: string | undefined): LaunchPlan {
  if (choices === undefined) return plan;
  return { ...plan, watched: [...plan.watched, { identity: identityOf(choices), path: choices }] };
}

/** An upgrade of the driver is looked at when the program starts the next time. */
function watchingDrivers(plan: LaunchPlan, files: readonly string[]): LaunchPlan {
  const drivers = files.map((file) => ({ identity: identityOf(file), path: file }));
  if (plan.view === undefined) return { ...plan, watched: [...plan.watched, ...drivers] };
  return { ...plan, watchedOutside: [...(plan.watchedOutside ?? []), ...drivers] };
}

/** Only what starts another file than the program does not come back to us by the rule. */
function notingRule(plan: LaunchPlan, program: DynamicProgram, context: Context): LaunchPlan {
  const rule = ruleTaking(program.path, program.elf);
  const isHandedOver = context.byBinfmt === true || rule !== undefined;
  return isHandedOver && plan.execute !== undefined ? handedOver(plan, rule) : plan;
}

function copyTargetOf(set: VerifiedSet, { program, sha256, context, dirs }: Job): CopyTarget {
  const launcher = launcherForMachine(context, program.elf);
  return { program, sha256, set, libc: program.libc, launcher, dirs };
}

/** What is to be found at needed paths where nothing is: the loader looks for the plain names in the farm. */
export function filesByPath(
  plainNames: PlainNames | undefined,
  { objects }: Pick<VerifiedSet, 'objects'>,
): ReadonlyMap<string, string> {
  const files = new Map(objects.map(({ name, path: file }) => [name, file]));
  return new Map(
    [...(plainNames ?? [])].flatMap(([name, plain]) => {
      const file = files.get(plain);
      return file === undefined ? [] : [[pathOfElfString(name), realpathSync(file)] as const];
    }),
  );
}

/** Found once, when it is asked for. */
function viewOnce(set: VerifiedSet, { program, context, dirs }: Job): () => FoundView {
  const { interpreter } = program;
  const farm = { directory: set.farm, names: [...set.links.keys()] };
  const byPath = filesByPath(program.plainNames, set);
  let found: FoundView | undefined;
  return () => {
    found ??= dirs.shared
      ? { kind: 'none', why: 'plans for everybody do not hold in one' }
      : viewFor(context, dirs, { interpreter, farm, byPath });
    return found;
  };
}

/** Why /proc/self/exe cannot be kept, each asked when it matters. */
function whyNoOf(
  { program, context, dirs }: Job,
  target: CopyTarget,
  findView: () => FoundView,
): NonNullable<Situation['whyNo']> {
  const { launcher } = context;
  return {
    view: () => {
      const found = findView();
      return found.kind === 'view' ? undefined : found.why;
    },
    // Files of root look like nobody's in a user namespace, and so would the plans of everybody's place.
    namespace: () =>
      dirs.shared ? 'plans for everybody do not hold in one' : whyNoNamespace(launcher, program.interpreter),
    copy: () => whyNoCopy(target),
  };
}

type ProgramCopy = Extract<CopyOutcome, { kind: 'copied' }>;

interface ChosenStart extends PreparedStart {
  /** Why a way that keeps /proc/self/exe or its children was not taken, where one was called for. */
  readonly misses?: string | undefined;
  readonly copy?: ProgramCopy;
}

/** Writes what the chosen way needs beside the plan. @throws Node's errors when the cache cannot be written. */
function prepareChosen(
  { strategy, why, misses }: StrategyChoice,
  set: VerifiedSet,
  { dirs }: Job,
  findView: () => FoundView,
): ChosenStart {
  debug(`strategy ${strategy}: ${why}`);
  if (strategy === 'loader') return { strategy, misses, loaderCopy: loaderCopy(dirs, set.loader) };
  const found = strategy === 'view' ? findView() : undefined;
  return { strategy, misses, view: found?.kind === 'view' ? makeView(found.view) : undefined };
}

/** @throws ForeignError `odd-name` where nothing leads from a needed path to the library that was chosen. */
function refuseUnserved({ path: file, plainNames }: Job['program'], { unserved }: StrategyChoice): void {
  const [name] = plainNames?.keys() ?? [];
  if (unserved === undefined || name === undefined) return;
  const why = `it is a path, which the loader opens as it is (${unserved})`;
  throw refusalOfName(file, { label: path.basename(file), path: file }, name, why);
}

/** Chooses the strategy, and makes the copy where it is `patched`; where that fails, it is chosen again without. */
async function prepareStart(set: VerifiedSet, job: Job): Promise<ChosenStart> {
  const { program, context } = job;
  const target = copyTargetOf(set, job);
  const findView = viewOnce(set, job);
  const whyNo = whyNoOf(job, target, findView);
  const chosen = strategyOf(program, set, context, whyNo);
  refuseUnserved(program, chosen);
  if (chosen.strategy !== 'patched') return prepareChosen(chosen, set, job, findView);
  debug(`strategy ${chosen.strategy}: ${chosen.why}`);
  const copy = await copyForPlan(target);
  if (copy.kind === 'copied') return { strategy: 'patched', copy };
  const other = strategyOf(program, set, context, { ...whyNo, copy: () => copy.why });
  refuseUnserved(program, other);
  return prepareChosen(other, set, job, findView);
}

/** The user's LD_LIBRARY_PATH comes first at a start by the loader: says so where that ends the start. */
async function noticeLibraryPath(set: VerifiedSet, { program, context }: Job): Promise<void> {
  const { libraryPathDirs = [], libc, typedName } = program;
  if (context.isStart !== true || libraryPathDirs.length === 0 || set.askedPath !== set.libraryPath) return;
  const { first, last } = libraryOrder(libraryPathDirs, set);
  const libraryPath = [...first, set.libraryPath, ...last].join(':');
  const request = { loader: set.loader, libc: libc.kind, libraryPath, program: program.path };
  const [complaint] = (await listObjects(request, libc, set.verdict)).complaints;
  if (complaint === undefined) return;
  notice(
    `${typedName}: LD_LIBRARY_PATH comes before the chosen set, and does not fit it: ${complaint}; ` +
      'start it without: env -u LD_LIBRARY_PATH',
  );
}

/** A set that the loader accepted and Nix pinned. */
interface PinnedSet {
  readonly set: VerifiedSet;
  readonly root: SavedRoot;
  /** Where the set came from, for people. */
  readonly origin: string;
  /** Plug-ins that the set was solved with. */
  readonly plugIns?: readonly LearnedPlugIn[];
  /** Files of drivers that it will open; others may need another set. */
  readonly drivers?: readonly string[];
  /** Made already, while Nix pinned the set. */
  readonly prepared?: PreparedPlan | undefined;
}

/** What a plan needs beside it, and does not depend on the root. */
export interface PreparedPlan {
  readonly start: ChosenStart;
  readonly runTime: RunTimePlace | undefined;
}

/** What a new solution knows of the program goes on in a new directory. */
function runTimeOf(
  { set, plugIns = [] }: Pick<PinnedSet, 'set' | 'plugIns'>,
  copy: ProgramCopy | undefined,
  job: Job,
): RunTimePlace | undefined {
  const { program, context, dirs } = job;
  const { kind: libc, isFamily } = program.libc;
  const objects = set.objects
    .filter(({ name }) => !isFamily(path.basename(name)))
    .flatMap(({ path: file }) => file ?? []);
  const before = runTimeDirectoryOf(readPlan(dirs, program.path));
  return openRunTime(
    { program, libc, loader: set.loader, objects },
    { set: [set.farm, set.loader], before, plugIns, copy: copy?.file },
    context,
    dirs,
  );
}

/** Takes long, and can be done before the root is made. @throws Node's errors when the cache cannot be written. */
export async function preparePlan(
  accepted: Pick<PinnedSet, 'set' | 'plugIns'>,
  job: Job,
): Promise<PreparedPlan> {
  const start = await prepareStart(accepted.set, job);
  return { start, runTime: runTimeOf(accepted, start.copy, job) };
}

/**
 * Makes and writes the plan. The root was made before; what vanished until then shows here.
 * @returns undefined when something the plan names is not there any more.
 */
export async function finishPlan(pinnedSet: PinnedSet, job: Job): Promise<LaunchPlan | undefined> {
  const { set, root, origin, drivers = [] } = pinnedSet;
  const { program, sha256, context, dirs } = job;
  const interpreter = inspectInterpreter(program.interpreter);
  const prepared = pinnedSet.prepared ?? (await preparePlan(pinnedSet, job));
  const { misses, ...start } = prepared.start;
  if (misses !== undefined)
    notice(whatIsMissed(program.typedName, 'that it starts, itself among them,', misses));
  const { storeDir } = context.location;
  const launcher = launcherForMachine(context, program.elf);
  const made = makePlan({
    program,
    set,
    start,
    machine: { interpreter, storeDir, otherLauncher: launcher === context.launcher ? undefined : launcher },
    runTime: prepared.runTime,
    names: { root: root.file, sha256, origin },
  });
  // Others than its owner may not be able to see the file of choices.
  const choices = dirs.shared ? undefined : job.choices?.file;
  const noted = notingRule(made, program, context);
  const pinned = root.unpinned === undefined ? noted : watchingNix(noted, context);
  const plan = watchingDrivers(watching(pinned, choices), drivers);
  const problem = whyNotCurrent(plan, context.host.uid);
  if (problem !== undefined) {
    debug(`the plan was out of date before it was written: ${problem}`);
    return undefined;
  }
  if (root.unpinned !== undefined)
    notice(
      `the libraries are not protected from garbage collection: ${root.unpinned}; see nix-foreign doctor`,
    );
  // First that of the copy: whoever starts the program finds both.
  if (plan.strategy === 'patched' && plan.execute !== undefined)
    writePlan(dirs, planOfCopy(plan, plan.execute));
  savePlan(
    dirs,
    plan.strategy === 'patched' && program.plainNames !== undefined ? withoutLoader(plan) : plan,
  );
  if (!plan.directories.every((directory) => existsSync(directory))) {
    debug('the farm or the copy was collected before the plan was written');
    return undefined;
  }
  debug('the plan is written');
  if (plan.strategy === 'loader') await noticeLibraryPath(set, job);
  return plan;
}
