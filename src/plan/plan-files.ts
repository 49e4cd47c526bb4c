// Launch plans in the plans directory: written whole, read only if nobody else can have written them, listed, removed.
import { accessSync, lstatSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { writeFileAtomically } from '../host/atomic-file.ts';
import type { Directories } from '../host/directories.ts';
import { errnoOf, ForeignError } from '../host/errors.ts';
import { identityOf } from '../host/file-identity.ts';
import { allNamesIn } from '../host/files.ts';
import { entryBy } from '../host/registered-rule.ts';
import { fileWord } from '../host/shell-words.ts';
import { isTrustedDirectory, ownersFor, readTrusted } from '../host/trusted-file.ts';
import { copyOf } from './copy-directories.ts';
import { type LaunchPlan, parsePlan, planKey, serialisePlan } from './plan-format.ts';

/** The launcher reads no larger plan (PLAN.md). */
const MAXIMUM_SIZE = 1 << 20;

export function planFile(dirs: Directories, program: string): string {
  return path.join(dirs.plans, planKey(program));
}

/** @throws ForeignError `large-plan`: the launcher would ask for another one at each start. */
function bytesOf(plan: LaunchPlan): Uint8Array {
  const bytes = serialisePlan(plan);
  if (bytes.length <= MAXIMUM_SIZE) return bytes;
  throw new ForeignError(`${plan.program}: its plan has ${bytes.length} bytes, and 1 MiB is the most`, {
    code: 'large-plan',
    hint: `write the libraries into the file, which needs no plan: nix-foreign patch ${fileWord(plan.program)}`,
    exitCode: 125,
  });
}

/**
 * Writes a plan for the launcher.
 * @throws ForeignError `large-plan`; Node's errors when the place cannot be written.
 */
export function writePlan(dirs: Directories, plan: LaunchPlan): void {
  const file = planFile(dirs, plan.program);
  const bytes = bytesOf(plan);
  try {
    writeFileAtomically(file, bytes);
  } catch (error) {
    if (errnoOf(error) !== 'EISDIR') throw error;
    rmSync(file, { recursive: true, force: true }); // no plan can be read from there, so nothing is lost
    writeFileAtomically(file, bytes);
  }
}

function modifiedAt(file: string | undefined): number {
  try {
    return (file && lstatSync(file).mtimeMs) || 0;
  } catch {
    return 0;
  }
}

/**
 * When a plan was last made or followed: milliseconds since 1970, exact to a day (PLAN.md); 0 where nothing is there.
 * The launcher sets the times of the plan's file and of its root link. Times of access do not count: backups read the
 * one, and Nix the other.
 */
export function lastUseOf(file: string, root: string | undefined): number {
  return Math.max(modifiedAt(file), modifiedAt(root));
}

/** Hears of a plan that is there and cannot be read now: a failing disk, too many open files. */
type OnUnreadable = (error: unknown) => void;

/** The launcher cannot read it either. */
const NO_PLAN = ['EACCES', 'EPERM', 'ELOOP'];

/** The plan in a file; undefined when there is none, when it is damaged, or when others could have written it. */
export function readPlanFile(file: string, onUnreadable: OnUnreadable = () => {}): LaunchPlan | undefined {
  const owners = ownersFor(process.geteuid?.() ?? 0, file);
  const content = readTrusted(file, { owners, follow: false, limit: MAXIMUM_SIZE });
  if (content.kind === 'unreadable' && !NO_PLAN.includes(errnoOf(content.error) ?? ''))
    onUnreadable(content.error);
  return content.kind === 'read' ? parsePlan(content.bytes) : undefined;
}

/** The plan of a program, whether or not it still holds. */
export function readPlan(dirs: Directories, program: string): LaunchPlan | undefined {
  const plan = readPlanFile(planFile(dirs, program));
  return plan?.program === program ? plan : undefined;
}

/** A plan that has a loader: the plan itself or, where it starts a copy and has none, that of the copy. */
export function planWithLoader(all: readonly Directories[], plan: LaunchPlan): LaunchPlan {
  const { loader, execute } = plan;
  if (loader !== undefined || execute === undefined) return plan;
  return all.map((dirs) => readPlan(dirs, execute)).find((each) => each?.loader !== undefined) ?? plan;
}

function allPlanFiles(dirs: Directories): string[] {
  return allNamesIn(dirs.plans)
    .filter((name) => /^[0-9a-f]{16}$/.test(name))
    .map((name) => path.join(dirs.plans, name));
}

function allPlans(dirs: Directories, onUnreadable?: OnUnreadable): LaunchPlan[] {
  return allPlanFiles(dirs)
    .map((file) => readPlanFile(file, onUnreadable))
    .filter((plan) => plan !== undefined);
}

/**
 * All plans of a place but those of patched copies, sorted by program. Files that are no plan are passed over.
 * @throws Node's errors where the directory cannot be read.
 */
export function listPlans(dirs: Directories, onUnreadable?: OnUnreadable): LaunchPlan[] {
  return allPlans(dirs, onUnreadable)
    .filter(({ program }) => copyOf(dirs, program) === undefined)
    .sort((a, b) => (a.program < b.program ? -1 : 1));
}

/** Removes, and returns, the plans of programs that lie below a directory. */
export function removePlansBelow(dirs: Directories, directory: string): LaunchPlan[] {
  const below = allPlans(dirs).filter(({ program }) => program.startsWith(`${directory}/`));
  for (const { program } of below) removePlan(dirs, program);
  return below;
}

/** Removes what is called like a plan and cannot be read as one. */
export function removeUnreadPlans(dirs: Directories): void {
  for (const file of allPlanFiles(dirs)) if (readPlanFile(file) === undefined) rmSync(file, { force: true });
}

export function removePlan(dirs: Directories, program: string): void {
  rmSync(planFile(dirs, program), { force: true });
}

/** Of no file: a device and an inode have numbers. */
const NO_IDENTITY = '0:0:0:0.0:0.0';

/**
 * No start follows the plan from now on, nor the one for everybody while it is there (another place of the user's is
 * followed), and the next one goes on with what was learned. `changed`: the file that is the reason.
 * @throws Node's errors when the place cannot be written.
 */
export function outdatePlan(dirs: Directories, program: string, changed: string): void {
  const plan = readPlan(dirs, program);
  if (plan === undefined) removePlan(dirs, program);
  else writePlan(dirs, { ...plan, watched: [...plan.watched, { identity: NO_IDENTITY, path: changed }] });
}

function exists(file: string): boolean {
  try {
    accessSync(file);
    return true;
  } catch {
    return false;
  }
}

/**
 * The SHA-256 of the very file that was planned; undefined for another one, which may have the same content, and for a
 * patched copy: its plan has that of the original.
 */
export function plannedContent(
  dirs: Directories,
  plan: LaunchPlan | undefined,
  { identity }: Pick<LaunchPlan, 'identity'>,
): string | undefined {
  if (plan?.identity !== identity || copyOf(dirs, plan.program) !== undefined) return undefined;
  return plan.sha256;
}

function isIdentical(file: string, identity: string): boolean {
  try {
    return identityOf(file) === identity;
  } catch {
    return false;
  }
}

/** Only ENOENT and ENOTDIR say that nothing is there (PLAN.md). */
function isAbsent(file: string): boolean {
  try {
    statSync(file);
    return false;
  } catch (error) {
    return ['ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? '');
  }
}

/**
 * Why a plan does not hold now, as one clause; undefined when it does (PLAN.md). The launcher follows one all the same
 * whose rule of binfmt_misc is there and turned off.
 */
export function whyNotCurrent(plan: LaunchPlan, uid: number): string | undefined {
  if (!isIdentical(plan.program, plan.identity)) return 'the program changed';
  const { interpreterPath, rule, watchedOutside = [], absentOutside = [] } = plan;
  const missing = [...plan.files, ...(rule === undefined ? [] : [rule])].find((file) => !exists(file));
  if (missing !== undefined) return `${missing} is gone`;
  if (rule !== undefined && entryBy(rule) !== 'with-program') return `${rule} is off, or another now`;
  const outside = [...(interpreterPath === undefined ? [] : [interpreterPath]), ...watchedOutside];
  const watched = [...plan.watched, ...outside];
  const changed = watched.find(({ identity, path }) => !isIdentical(path, identity));
  if (changed !== undefined) return `${changed.path} changed`;
  const appeared = [...plan.absent, ...absentOutside].find((file) => !isAbsent(file));
  if (appeared !== undefined) return `${appeared} is there now`;
  const open = plan.directories.find((directory) => !isTrustedDirectory(directory, uid));
  return open === undefined ? undefined : `${open} can be written by others`;
}
