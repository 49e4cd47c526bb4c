// `nix-foreign forget PROGRAM...`: removes plan and root, so that the collector may take the libraries.
import { existsSync } from 'node:fs';
import path from 'node:path';
import {
  allLinks,
  linksOfProgram,
  removePlainFingerprint,
  unpin,
} from '../fingerprint/saved-fingerprints.ts';
import type { Directories } from '../host/directories.ts';
import { ForeignError } from '../host/errors.ts';
import { isGone, realPath } from '../host/files.ts';
import { printJson, printOneLine } from '../host/output.ts';
import { fileWord } from '../host/shell-words.ts';
import { patchedRows } from '../integrations/patch/patched-rows.ts';
import { dropPatched, patchedRecords } from '../integrations/patch/patched-state.ts';
import { collectFarms } from '../plan/collect-farms.ts';
import { planFile, removePlan, removeUnreadPlans } from '../plan/plan-files.ts';
import { type LaunchPlan, planKey } from '../plan/plan-format.ts';
import { forgetLearned, runTimeDirectoryOf } from '../plan/run-time-record.ts';
import { listRunTimeRoots, removeRunTimeRoots } from '../plan/run-time-roots.ts';
import type { Context } from '../resolve/context.ts';
import { forgetFetched } from '../resolve/fetched-record.ts';
import { allDirectories } from '../resolve/writable-directories.ts';
import { jsonFailure } from './command.ts';
import { plansIn } from './list.ts';
import { namedProgram } from './program-argument.ts';

/** Something is kept for the program, by its path. */
function isKnown(known: readonly Directories[], program: string): boolean {
  return known.some(
    (dirs) =>
      existsSync(planFile(dirs, program)) ||
      linksOfProgram(dirs, planKey(program)).length > 0 ||
      listRunTimeRoots(dirs).some((roots) => roots.program === program) ||
      patchedRecords(dirs).some(({ files, former = [] }) => [...files, ...former].includes(program)),
  );
}

/** What other commands take the name for; else the path as typed, of a program that is gone already. */
function programOf(typedName: string, known: readonly Directories[], context: Context): string {
  const named = realPath(path.resolve(namedProgram(typedName, context)));
  if (isKnown(known, named)) return named;
  const typed = realPath(path.resolve(typedName));
  return isKnown(known, typed) ? typed : named;
}

function forgetPlan(dirs: Directories, plan: LaunchPlan): void {
  removePlan(dirs, plan.program);
  if (plan.sha256 !== undefined) forgetFetched(dirs, plan.sha256);
  if (plan.root?.startsWith(`${dirs.roots}/`)) unpin(plan.root);
  else if (plan.sha256 !== undefined) removePlainFingerprint(dirs, plan.sha256);
}

/** A plan that could not be read is passed over by `listPlans`. True where there was one. */
function removeUnread(dirs: Directories, program: string): boolean {
  const isLeft = !isGone(planFile(dirs, program));
  removePlan(dirs, program);
  return isLeft;
}

/** The plan no longer holds, and its set is no longer trusted. */
function forgetLearnedOf(plan: LaunchPlan): void {
  const directory = runTimeDirectoryOf(plan);
  if (directory !== undefined) forgetLearned(directory);
}

/** Roots outlive their plans when the cache is deleted. Returns the programs that had one. */
function forgetRoots(dirs: Directories, programs: Iterable<string>): string[] {
  return [...programs].filter((program) => {
    const links = linksOfProgram(dirs, planKey(program));
    for (const link of links) unpin(link);
    const found = listRunTimeRoots(dirs).filter((roots) => roots.program === program);
    for (const roots of found) removeRunTimeRoots(roots);
    return links.length + found.length > 0;
  });
}

function forgetAllRoots(dirs: Directories): void {
  for (const link of allLinks(dirs)) unpin(link);
  for (const roots of listRunTimeRoots(dirs)) removeRunTimeRoots(roots);
}

/** What is patched still needs its root. @throws ForeignError `patched`. */
function refusePatched(dirs: Directories, wanted: ReadonlySet<string>, context: Context): void {
  const there = patchedRows(dirs, context).find(
    ({ file, state }) => wanted.has(file) && (state === 'ready' || state === 'its libraries are gone'),
  );
  if (there === undefined) return;
  throw new ForeignError(`${there.file}: it is patched, and could not start without what its root holds`, {
    code: 'patched',
    hint: `make it what it was first: nix-foreign unpatch ${fileWord(there.file)}`,
    exitCode: 125,
  });
}

/** Of patched files that are gone, were replaced or made what they were, root and record go. Returns these files. */
async function forgetGone(dirs: Directories, wanted: ReadonlySet<string>): Promise<string[]> {
  const forgotten: string[] = [];
  for (const { farm, files, former = [] } of patchedRecords(dirs)) {
    const gone = [...files, ...former].filter((file) => wanted.has(file));
    if (gone.length > 0) await dropPatched(dirs, farm, gone);
    forgotten.push(...gone);
  }
  return forgotten;
}

function unknownPrograms(programs: readonly string[]): ForeignError | undefined {
  if (programs.length === 0) return undefined;
  return new ForeignError(`${programs.join(', ')}: no plan is kept for it`, {
    code: 'unknown-program',
    hint: 'see the programs that have one with: nix-foreign list',
    exitCode: 125,
  });
}

/** Says what it forgot; returns, unsaid on stderr, the failure for programs that have no plan. */
export async function forgetCommand(
  programs: readonly string[],
  options: { all?: boolean; learned?: boolean; json?: boolean },
  context: Context,
): Promise<ForeignError | undefined> {
  const known = await allDirectories(context.host.uid);
  const wanted = new Set(programs.map((each) => programOf(each, known, context)));
  const forgotten = new Set<string>();
  if (options.learned !== true) for (const dirs of known) refusePatched(dirs, wanted, context);
  for (const dirs of known) {
    for (const plan of plansIn(dirs)) {
      if (!options.all && !wanted.has(plan.program)) continue;
      if (options.learned) forgetLearnedOf(plan);
      else forgetPlan(dirs, plan);
      forgotten.add(plan.program);
    }
    if (options.learned) continue;
    for (const program of wanted) if (removeUnread(dirs, program)) forgotten.add(program);
    if (options.all) removeUnreadPlans(dirs);
    for (const program of [...forgetRoots(dirs, wanted), ...(await forgetGone(dirs, wanted))])
      forgotten.add(program);
    if (options.all) forgetAllRoots(dirs);
    collectFarms(dirs);
  }
  const failure = unknownPrograms([...wanted].filter((program) => !forgotten.has(program)));
  const done = [...forgotten];
  if (!options.json)
    for (const program of done)
      printOneLine(`forgot ${options.learned ? 'what was learned of ' : ''}${program}`);
  else printJson(failure === undefined ? done : { forgotten: done, ...jsonFailure(failure) });
  return failure;
}
