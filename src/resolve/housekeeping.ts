// Our directories, before and after a program is planned → the same without leftovers.
import { rmdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { clearRootDirectory, keysPinning, rootLink, unpin } from '../fingerprint/saved-fingerprints.ts';
import { removeLeftovers } from '../host/atomic-file.ts';
import type { Directories } from '../host/directories.ts';
import { isGone, namesIn } from '../host/files.ts';
import { removeStaleLocks } from '../host/mutex.ts';
import { debug } from '../host/output.ts';
import { patchedDirectory } from '../integrations/patch/patched-state.ts';
import { collectFarmsDaily } from '../plan/collect-farms.ts';
import { copyOf } from '../plan/copy-directories.ts';
import { readPlanFile, removePlan } from '../plan/plan-files.ts';
import type { LaunchPlan } from '../plan/plan-format.ts';
import { runTimeRootsDirectory } from '../plan/run-time-roots.ts';
import { removeAbandonedHalves, removeHalfMade } from '../store/root-link.ts';
import type { Context } from './context.ts';

/** Removes what killed processes left behind; of roots: `cleanRootsOf`, `cleanRoots`, of patches: `cleanPatched`. */
export function cleanBefore(dirs: Directories): void {
  for (const top of [dirs.cache, dirs.state]) {
    removeLeftovers(top);
    for (const name of namesIn(top)) removeLeftovers(path.join(top, name));
  }
  removeStaleLocks(dirs.locks);
}

/** The same of patches, for commands of theirs: there can be hundreds of these directories. */
export function cleanPatched(dirs: Pick<Directories, 'state'>): void {
  const patched = patchedDirectory(dirs);
  for (const name of namesIn(patched)) {
    removeLeftovers(path.join(patched, name));
    removeAbandonedHalves(path.join(patched, name));
  }
}

/** The same of roots, also of programs that nobody starts again. */
export function cleanRoots(dirs: Directories): void {
  for (const top of [dirs.roots, runTimeRootsDirectory(dirs)])
    for (const name of namesIn(top)) removeAbandonedHalves(path.join(top, name));
  for (const name of namesIn(dirs.roots)) {
    try {
      rmdirSync(path.join(dirs.roots, name)); // only where nothing is in it; Nix makes it anew
    } catch {}
  }
}

/** Once a day removes the farms that no plan names. */
export function cleanAfter(dirs: Directories): void {
  collectFarmsDaily(dirs);
}

/** Makes room for a root link, under its program's lock: removes what is no root link, and leftovers beside it. */
export function cleanRootsOf(link: string, dirs: Directories, context: Context): void {
  clearRootDirectory(link, context.location.storeDir);
  removeHalfMade(link);
  for (const directory of [path.dirname(link), dirs.fingerprints]) removeLeftovers(directory);
}

/** Forgets plan and root of every path of this content at which nothing is any more: it was moved or renamed. */
export function forgetMoved(dirs: Directories, sha256: string): void {
  for (const key of keysPinning(dirs, sha256)) {
    const file = path.join(dirs.plans, key);
    const plan = readPlanFile(file);
    if (plan === undefined || !isGone(plan.program)) continue;
    debug(`${plan.program} is gone; its plan and its root go too`);
    rmSync(file, { force: true });
    unpin(rootLink(dirs, sha256, key));
  }
}

/** A patched copy of an earlier content goes with its plan as soon as a plan of the new content does without it. */
export function dropEarlierCopy(dirs: Directories, before: LaunchPlan | undefined, now: LaunchPlan): void {
  // A copy of a loader is other programs' too.
  const copy = before?.strategy === 'patched' ? before.execute : undefined;
  const directory = copy === undefined ? undefined : copyOf(dirs, copy);
  if (copy === undefined || directory === undefined || now.directories.includes(directory)) return;
  debug(`${directory} was a copy of what ${now.program} was before`);
  removePlan(dirs, copy);
  rmSync(directory, { recursive: true, force: true });
}
