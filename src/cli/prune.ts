// `nix-foreign prune`: drops the roots and unpacked AppImages of programs that are gone, changed, or unused for long.
import { rmSync } from 'node:fs';
import path from 'node:path';
import { unpin } from '../fingerprint/saved-fingerprints.ts';
import { removeLeftovers } from '../host/atomic-file.ts';
import { type Directories, trustedSystemDirectories } from '../host/directories.ts';
import { identityOf, sha256OfFile } from '../host/file-identity.ts';
import { DAY, isGone, namesIn } from '../host/files.ts';
import { notice, printJson, printOneLine } from '../host/output.ts';
import { fileWord } from '../host/shell-words.ts';
import { absenceWords, fateOf, LONGEST_ABSENCE, noteFate } from '../integrations/patch/gone-patched.ts';
import {
  type PatchedRecord,
  patchedRecords,
  patchedRoot,
  writePatchedRecord,
} from '../integrations/patch/patched-state.ts';
import { collectFarms } from '../plan/collect-farms.ts';
import { unpackedOf } from '../plan/copy-directories.ts';
import { lastUseOf, listPlans, planFile, removePlan } from '../plan/plan-files.ts';
import type { LaunchPlan } from '../plan/plan-format.ts';
import type { Context } from '../resolve/context.ts';
import { cleanBefore, cleanPatched, cleanRoots } from '../resolve/housekeeping.ts';
import { allDirectories, placesLeftOut } from '../resolve/writable-directories.ts';
import { patchedRootRows, type RootRow, runTimeRootRows, savedRoots, whyPrunable } from './roots.ts';
import { usageError } from './usage-error.ts';

interface PruneOptions {
  /** Days, as typed. */
  readonly unused: string | undefined;
  /** Whether patched files that are gone need not have been so for long. */
  readonly patched: boolean;
  readonly dryRun: boolean;
  readonly json: boolean;
}

function daysOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const days = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (days > 0) return days;
  throw usageError(`--unused takes a number of days from 1, and not '${text}'`);
}

/**
 * A plan goes with its root, if it is that root's: a later content may have a plan of its own by now. That of a program
 * of Nix names none. No start shall follow a plan without its root, so the plan goes first; but where the program is
 * gone or another, none does, and only the plan tells so of the root: there it goes last. Beside the roots of a program
 * of Nix it is written whose they are.
 */
function drop(dirs: Directories, { link, plan, patched, runTimeOf, expired }: RootRow): void {
  const isNamed = plan?.root === link || (plan?.root === undefined && runTimeOf !== undefined);
  const dropPlan = () => {
    if (plan !== undefined && isNamed) removePlan(dirs, plan.program);
  };
  const isToldByPlan = expired !== undefined && runTimeOf === undefined;
  if (!isToldByPlan) dropPlan();
  if (patched === undefined && runTimeOf === undefined) unpin(link);
  else rmSync(path.dirname(link), { recursive: true, force: true });
  if (isToldByPlan) dropPlan();
}

/**
 * Roots that a fetch left which was killed: they are in a directory, which stays while its process runs. Links directly
 * there are of versions before.
 */
export function dropFetching({ state }: Pick<Directories, 'state'>): void {
  const directory = path.join(state, 'fetching');
  removeLeftovers(directory);
  for (const name of namesIn(directory)) {
    try {
      rmSync(path.join(directory, name), { force: true });
    } catch {} // the directory of a fetch at work
  }
}

/**
 * The user's own places (`own`); root's also the one of the system. That tells nothing of use: the starts of those
 * whom it is for cannot touch what is root's.
 */
function placesOf(uid: number, own: readonly Directories[]): { dirs: Directories; tellsOfUse: boolean }[] {
  const places = own.map((dirs) => ({ dirs, tellsOfUse: true }));
  const system = uid === 0 ? trustedSystemDirectories() : undefined;
  return system === undefined ? places : [...places, { dirs: system, tellsOfUse: false }];
}

interface PatchedPruning {
  readonly record: PatchedRecord;
  readonly root: string;
  /** Why it may go; undefined while it is kept. */
  readonly why: string | undefined;
  /** One clause, of one that is kept although no file was found. */
  readonly kept: string | undefined;
}

/** The content decides: a record whose files were moved gets their new places. */
function prunePatched(dirs: Directories, { patched, dryRun }: PruneOptions, now: number): PatchedPruning[] {
  return patchedRecords(dirs).flatMap((record): PatchedPruning[] => {
    if (record.pending) return [];
    const fate = fateOf(dirs, record, now);
    if (!dryRun) noteFate(dirs, record.farm, fate);
    if (fate.kind === 'moved' && !dryRun) writePatchedRecord(dirs, { ...record, files: fate.files });
    if (fate.kind !== 'gone') return [];
    const root = patchedRoot(dirs, record.farm);
    const { why, kept } = absenceWords(record);
    const days = Math.floor((now - fate.since) / DAY);
    if (patched || days >= LONGEST_ABSENCE) return [{ record, root, why, kept: undefined }];
    const left = LONGEST_ABSENCE - days;
    return [{ record, root, why: undefined, kept: `${kept}; it is kept for ${left} days more` }];
  });
}

export async function pruneCommand(options: PruneOptions, context: Context): Promise<void> {
  const unused = daysOf(options.unused);
  const now = Date.now();
  const own = await allDirectories(context.host.uid);
  for (const directory of await placesLeftOut(context.host.uid, own))
    notice(
      `${directory} is left out: somebody else could change it, or it cannot be looked at; whose it is: ls -ld ${fileWord(directory)}`,
    );
  const pruned: { program: string | null; root: string | null; why: string }[] = [];
  // All is looked at before anything goes: where something cannot be, what went would not be told.
  const found = placesOf(context.host.uid, own).map(({ dirs, tellsOfUse }) => {
    const days = tellsOfUse ? unused : undefined;
    const roots = [...savedRoots(dirs), ...runTimeRootRows(dirs), ...patchedRootRows(dirs, now)];
    return { dirs, days, plans: plansToDrop(dirs, days, now), roots };
  });
  for (const { dirs, days, plans, roots } of found) {
    for (const { program, why } of plans) {
      pruned.push({ program, root: null, why });
      if (!options.dryRun) removePlan(dirs, program);
    }
    for (const row of roots) {
      const why = whyPrunable(row, days, now);
      if (why === undefined) continue;
      pruned.push({ program: row.plan?.program ?? row.runTimeOf ?? null, root: row.link, why });
      if (!options.dryRun) drop(dirs, row);
    }
    for (const { record, root, why, kept } of prunePatched(dirs, options, now)) {
      const names = [...record.files, ...(record.former ?? [])].join(', ');
      if (kept !== undefined && !options.json)
        printOneLine(`kept ${names}: ${kept}; or: nix-foreign prune --patched`);
      if (why === undefined) continue;
      pruned.push({ program: names, root, why });
      if (!options.dryRun) rmSync(path.dirname(root), { recursive: true, force: true });
    }
    if (options.dryRun) continue;
    cleanBefore(dirs);
    cleanPatched(dirs);
    cleanRoots(dirs);
    dropFetching(dirs);
    collectFarms(dirs);
  }
  if (options.json) return printJson(pruned);
  const verb = options.dryRun ? 'would prune' : 'pruned';
  // A program can have several roots.
  const lines = pruned.map(({ program, root, why }) => `${verb} ${program ?? root ?? ''}: ${why}`);
  for (const line of new Set(lines)) printOneLine(line);
  if (pruned.length === 0) printOneLine('nothing to prune');
}

interface PlanToDrop {
  readonly program: string;
  readonly why: string;
}

/** A touched AppImage of the same content needs its files still. */
function whyExpired({ program, identity, sha256 }: LaunchPlan): string | undefined {
  if (isGone(program)) return 'the program is gone';
  try {
    const changed = identityOf(program) !== identity && sha256OfFile(program) !== sha256;
    return changed ? 'the program changed' : undefined;
  } catch {
    return undefined; // it cannot be read now, which says nothing
  }
}

/**
 * Of AppImages, and those whose root is gone. `unused`: in days; `now` in milliseconds since 1970. Sorted by program.
 */
export function plansToDrop(dirs: Directories, unused: number | undefined, now: number): PlanToDrop[] {
  const ofNoRoot = listPlans(dirs).filter(
    ({ directories, root }) =>
      (root !== undefined && isGone(root)) ||
      directories.some((directory) => unpackedOf(dirs, directory) !== undefined),
  );
  return ofNoRoot.flatMap((plan) => {
    const days = Math.floor((now - lastUseOf(planFile(dirs, plan.program), plan.root)) / DAY);
    const idle = unused !== undefined && days >= unused ? `not started for ${days} days` : undefined;
    const why = whyExpired(plan) ?? idle;
    return why === undefined ? [] : [{ program: plan.program, why }];
  });
}
