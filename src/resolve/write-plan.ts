// A proven and pinned set → the plan on disk, once everything it names was seen to be there.
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { VerifiedSet } from '../farm/verify-set.ts';
import type { SavedRoot } from '../fingerprint/save-and-pin.ts';
import { linksOfProgram, unpin } from '../fingerprint/saved-fingerprints.ts';
import type { Place } from '../host/directories.ts';
import { identityOf } from '../host/file-identity.ts';
import { debug, notice } from '../host/output.ts';
import { type CopyOutcome, copyForPlan } from '../integrations/patch/patched-copy.ts';
import { makePlan, planOfCopy } from '../plan/make-plan.ts';
import { whyNotCurrent, writePlan } from '../plan/plan-files.ts';
import { type LaunchPlan, planKey } from '../plan/plan-format.ts';
import { inspectInterpreter, whyNoNamespace } from '../plan/strategy.ts';
import { strategyOf } from './choose-strategy.ts';
import type { Context } from './context.ts';
import type { Dynamic } from './dynamic-program.ts';

/** Writes a plan; roots that earlier contents of the program had go, also those of a cache that was deleted. */
export function savePlan(place: Place, plan: LaunchPlan): LaunchPlan {
  writePlan(place, plan);
  const links = linksOfProgram(place, planKey(plan.program));
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
function waysOf({ subject, sha256, proven }: Finished, context: Context, place: Place) {
  const { launcher, env } = context;
  let copied: CopyOutcome | undefined;
  const makeCopy = (): CopyOutcome => {
    copied ??= copyForPlan({
      program: subject.program,
      sha256,
      proven,
      libc: subject.libc.kind,
      launcher,
      place,
      searchPath: env['PATH'],
    });
    return copied;
  };
  const whyNo = {
    // Files of root look like nobody's in a user namespace, and so would the plans of everybody's place.
    namespace: () =>
      place.shared ? 'plans for everybody do not hold in one' : whyNoNamespace(launcher, subject.interpreter),
    copy: () => {
      const outcome = makeCopy();
      return outcome.kind === 'impossible' ? outcome.why : undefined;
    },
  };
  return { whyNo, copy: () => (copied?.kind === 'copied' ? copied : undefined) };
}

/** A set that the loader accepted and Nix pinned. */
export interface Finished {
  readonly subject: Dynamic;
  readonly sha256: string;
  readonly proven: VerifiedSet;
  readonly root: SavedRoot;
  /** The file of the user's choices that the set was chosen under. */
  readonly choices: string | undefined;
  /** Where the set came from, for people. */
  readonly origin: string;
}

/**
 * Makes and writes the plan. The root was made before; what vanished until then shows here.
 * @returns undefined when something the plan names is not there any more.
 */
export function finishPlan(finished: Finished, context: Context, place: Place): LaunchPlan | undefined {
  const { subject, sha256, proven, root, origin } = finished;
  const interpreter = inspectInterpreter(subject.interpreter);
  const ways = waysOf(finished, context, place);
  const { strategy, why } = strategyOf(subject, proven.loader, context, ways.whyNo);
  debug(`strategy ${strategy}: ${why}`);
  const { program, libc } = subject;
  const { storeDir } = context.location;
  const made = makePlan({
    program,
    proven,
    strategy,
    interpreter,
    copy: ways.copy(),
    libc: libc.kind,
    storeDir,
    sha256,
    root: root.file,
    origin,
  });
  // Others than its owner may not be able to see the file of choices.
  const choices = place.shared ? undefined : finished.choices;
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
    writePlan(place, planOfCopy(plan, plan.execute, subject.interpreter));
  savePlan(place, plan);
  if (!plan.directories.every((directory) => existsSync(directory))) {
    debug('the farm or the copy was collected before the plan was written');
    return undefined;
  }
  debug('the plan is written');
  return plan;
}
