// A proven and pinned set → the plan on disk, once everything it names was seen to be there.
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { VerifiedSet } from '../farm/verify-set.ts';
import type { SavedRoot } from '../fingerprint/save-and-pin.ts';
import { linksOfProgram, unpin } from '../fingerprint/saved-fingerprints.ts';
import type { Directories } from '../host/directories.ts';
import { identityOf } from '../host/file-identity.ts';
import { debug, notice } from '../host/output.ts';
import { type CopyOutcome, copyForPlan } from '../integrations/patch/patched-copy.ts';
import { makePlan, planOfCopy } from '../plan/make-plan.ts';
import { whyNotCurrent, writePlan } from '../plan/plan-files.ts';
import { type LaunchPlan, planKey } from '../plan/plan-format.ts';
import { inspectInterpreter, whyNoNamespace } from '../plan/strategy.ts';
import { strategyOf } from './choose-strategy.ts';
import type { Context } from './context.ts';
import type { Job } from './job.ts';

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
  const database = path.join(location.stateDir, 'db/db.sqlite');
  if (!existsSync(database)) return plan;
  return { ...plan, watched: [...plan.watched, { identity: identityOf(database), path: database }] };
}

/** A plan that was made under choices no longer holds when these change, or when they are taken away by hand. */
function watching(plan: LaunchPlan, choices: string | undefined): LaunchPlan {
  if (choices === undefined) return plan;
  return { ...plan, watched: [...plan.watched, { identity: identityOf(choices), path: choices }] };
}

/** The ways to keep /proc/self/exe, tried when they are asked for. */
function waysOf(set: VerifiedSet, { program, sha256, context, dirs }: Job) {
  const { launcher } = context;
  let copied: CopyOutcome | undefined;
  const makeCopy = (): CopyOutcome => {
    copied ??= copyForPlan({
      program,
      sha256,
      set,
      libc: program.libc.kind,
      launcher,
      dirs,
    });
    return copied;
  };
  const whyNo = {
    // Files of root look like nobody's in a user namespace, and so would the plans of everybody's place.
    namespace: () =>
      dirs.shared ? 'plans for everybody do not hold in one' : whyNoNamespace(launcher, program.interpreter),
    copy: () => {
      const outcome = makeCopy();
      return outcome.kind === 'impossible' ? outcome.why : undefined;
    },
  };
  return { whyNo, copy: () => (copied?.kind === 'copied' ? copied : undefined) };
}

/** A set that the loader accepted and Nix pinned. */
export interface PinnedSet {
  readonly set: VerifiedSet;
  readonly root: SavedRoot;
  /** Where the set came from, for people. */
  readonly origin: string;
}

/**
 * Makes and writes the plan. The root was made before; what vanished until then shows here.
 * @returns undefined when something the plan names is not there any more.
 */
export function finishPlan({ set, root, origin }: PinnedSet, job: Job): LaunchPlan | undefined {
  const { program, sha256, context, dirs } = job;
  const interpreter = inspectInterpreter(program.interpreter);
  const ways = waysOf(set, job);
  const { strategy, why } = strategyOf(program, set.loader, context, ways.whyNo);
  debug(`strategy ${strategy}: ${why}`);
  const { storeDir } = context.location;
  const made = makePlan({
    program,
    set,
    strategy,
    interpreter,
    copy: ways.copy(),
    libc: program.libc.kind,
    storeDir,
    sha256,
    root: root.file,
    origin,
  });
  // Others than its owner may not be able to see the file of choices.
  const choices = dirs.shared ? undefined : job.choices?.file;
  const plan = watching(root.unpinned === undefined ? made : watchingNix(made, context), choices);
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
    writePlan(dirs, planOfCopy(plan, plan.execute, program.interpreter));
  savePlan(dirs, plan);
  if (!plan.directories.every((directory) => existsSync(directory))) {
    debug('the farm or the copy was collected before the plan was written');
    return undefined;
  }
  debug('the plan is written');
  return plan;
}
