// `nix-foreign prune`: drops the roots of programs that are gone, changed, or unused for long, and what was left behind.
import { readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { collectFarms } from '../launch/collect-farms.ts';
import { removePlan } from '../launch/plan-files.ts';
import type { Context } from '../pipeline/context.ts';
import { keptRoots, type RootRow, whyPrunable } from '../pipeline/kept-roots.ts';
import { unusedImages } from '../pipeline/unused-images.ts';
import { places } from '../pipeline/usable-place.ts';
import { believedSystemPlace, type Place } from '../platform/places.ts';
import { printJson, printOneLine } from '../platform/print.ts';
import { unpin } from '../roots/pin.ts';
import { usageError } from './usage-error.ts';

export interface PruneOptions {
  /** Days, as typed. */
  readonly unused: string | undefined;
  readonly dryRun: boolean;
  readonly json: boolean;
}

function daysOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const days = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (days > 0) return days;
  throw usageError(`--unused takes a number of days from 1, and not '${text}'`);
}

/** A plan goes with its root, if it is that root's: a later content may have a plan of its own by now. */
function drop(place: Place, { link, plan }: RootRow): void {
  if (plan?.root === link) removePlan(place, plan.program);
  unpin(link);
}

/** Roots that a fetch left which was killed; one at work makes its own anew before it relies on them. */
function dropFetching(place: Place): void {
  const directory = path.join(place.state, 'fetching');
  try {
    for (const name of readdirSync(directory)) rmSync(path.join(directory, name), { force: true });
  } catch {} // nothing was ever fetched
}

/**
 * The user's own places; root's also the one of the system. That tells nothing of use: the starts of those whom it is for
 * cannot touch what is root's.
 */
async function placesOf(uid: number): Promise<{ place: Place; tellsOfUse: boolean }[]> {
  const own = (await places(uid)).map((place) => ({ place, tellsOfUse: true }));
  const system = uid === 0 ? believedSystemPlace() : undefined;
  return system === undefined ? own : [...own, { place: system, tellsOfUse: false }];
}

export async function pruneCommand(options: PruneOptions, context: Context): Promise<void> {
  const unused = daysOf(options.unused);
  const now = Date.now();
  const pruned: { program: string | null; root: string | null; why: string }[] = [];
  for (const { place, tellsOfUse } of await placesOf(context.surroundings.uid)) {
    const days = tellsOfUse ? unused : undefined;
    for (const { program, why } of unusedImages(place, days, now)) {
      pruned.push({ program, root: null, why });
      if (!options.dryRun) removePlan(place, program);
    }
    for (const row of keptRoots(place)) {
      const why = whyPrunable(row, days, now);
      if (why === undefined) continue;
      pruned.push({ program: row.plan?.program ?? null, root: row.link, why });
      if (!options.dryRun) drop(place, row);
    }
    if (options.dryRun) continue;
    dropFetching(place);
    collectFarms(place);
  }
  if (options.json) return printJson(pruned);
  const verb = options.dryRun ? 'would prune' : 'pruned';
  for (const { program, root, why } of pruned) printOneLine(`${verb} ${program ?? root ?? ''}: ${why}`);
  if (pruned.length === 0) printOneLine('nothing to prune');
}
