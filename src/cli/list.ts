// `nix-foreign list`: every program that has a launch plan, whether the plan still holds, and whether its libraries are
// pinned.
import { lstatSync } from 'node:fs';
import { type Directories, trustedSystemDirectories } from '../host/directories.ts';
import { errnoOf, reasonOf, remedyOf } from '../host/errors.ts';
import { notice, printableLine, printJson, printLine } from '../host/output.ts';
import type { Environment } from '../host/tool-environment.ts';
import { patchedRows } from '../integrations/patch/patched-rows.ts';
import { hasDecisions } from '../plan/own-decisions.ts';
import { listPlans, whyNotCurrent } from '../plan/plan-files.ts';
import type { LaunchPlan } from '../plan/plan-format.ts';
import type { Context } from '../resolve/context.ts';
import { allDirectories, everyPlace, patchPlaces } from '../resolve/writable-directories.ts';
import { isRegistered } from '../store/spare-from-collector.ts';

interface PlanRow {
  readonly program: string;
  readonly strategy: string;
  /** `ready`, or why the next start plans again. */
  readonly state: string;
  readonly root: string | null;
  /** Whether a GC root keeps the libraries; null where the program needs none of the store. */
  readonly pinned: boolean | null;
  readonly sha256: string | null;
  /** Of a patched file: what it names. */
  readonly farm?: string;
  /** Root made the plan, and no user's own comes before it. */
  readonly forEverybody?: true;
}

/** Who asks, and which Nix there is. */
interface Asking {
  readonly uid: number;
  readonly env: Environment;
}

/** A root is a link below `roots/` that Nix knows; without Nix a plan names a plain record instead. */
function isPinned(root: string, all: readonly Directories[], asking: Asking): boolean {
  if (!all.some((dirs) => root.startsWith(`${dirs.roots}/`))) return false;
  const isLink = lstatSync(root, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
  return isLink && isRegistered(asking, root);
}

function rowOf(plan: LaunchPlan, all: readonly Directories[], asking: Asking): PlanRow {
  const { program, strategy, root, sha256 } = plan;
  return {
    program,
    strategy,
    state: whyNotCurrent(plan, asking.uid) ?? 'ready',
    root: root ?? null,
    pinned: root === undefined ? null : isPinned(root, all, asking),
    sha256: sha256 ?? null,
  };
}

/** One place that cannot be read does not hide the others. */
export function plansIn(dirs: Directories): LaunchPlan[] {
  try {
    return listPlans(dirs);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === undefined) throw error;
    notice(`${dirs.plans}: ${reasonOf(error)}; what is planned there is left out; ${remedyOf(errno)}`);
    return [];
  }
}

/** One row for each program: that of the plan which the launcher would follow, else of the first place that has one. */
export function rowsOf(all: readonly Directories[], asking: Asking): PlanRow[] {
  const rows = new Map<string, PlanRow>();
  for (const plan of all.flatMap(plansIn)) {
    if (rows.get(plan.program)?.state === 'ready') continue;
    const row = rowOf(plan, all, asking);
    if (row.state === 'ready' || !rows.has(plan.program)) rows.set(plan.program, row);
  }
  return [...rows.values()].sort((a, b) => (a.program < b.program ? -1 : 1));
}

/** A strategy of its own for people: such a file needs no plan. What is not patched any more is no row. */
const PATCHED_FILE = 'patched file';

function patchedFiles(all: readonly Directories[], asking: Asking): PlanRow[] {
  const found = all.flatMap((dirs) => patchedRows(dirs, asking));
  const rows = found.filter(({ state }) => state !== 'not patched any more');
  return rows.map(({ file, state, root, farm }) => ({
    program: file,
    strategy: PATCHED_FILE,
    state,
    root: root ?? null,
    pinned: root !== undefined,
    sha256: null,
    farm,
  }));
}

/** Patched files start without a plan, so the row of one that there is from before says nothing. */
async function rowsWithPatched(all: readonly Directories[], asking: Asking): Promise<PlanRow[]> {
  const patched = patchedFiles(await patchPlaces(asking.uid), asking);
  const files = new Set(patched.map(({ program }) => program));
  const rows = [...rowsOf(all, asking).filter(({ program }) => !files.has(program)), ...patched];
  return rows.sort((a, b) => (a.program < b.program ? -1 : 1));
}

/** Plans that root made for everybody, where the user has none and decided nothing (plan/PLAN.md). */
async function rowsForEverybody(own: readonly PlanRow[], asking: Asking): Promise<PlanRow[]> {
  const system = trustedSystemDirectories();
  if (system === undefined) return [];
  const listed = new Set(own.map(({ program }) => program));
  const places = await everyPlace(asking.uid);
  const isOwn = (program: string) =>
    listed.has(program) || places.some((each) => hasDecisions(each, program));
  const shared = plansIn(system).filter(({ program }) => !isOwn(program));
  return shared.map((plan) => ({ ...rowOf(plan, [system], asking), forEverybody: true }));
}

export async function listCommand(options: { json?: boolean }, context: Context): Promise<void> {
  const asking = { uid: context.host.uid, env: context.env };
  const own = await rowsWithPatched(await allDirectories(asking.uid), asking);
  const rows = [...own, ...(await rowsForEverybody(own, asking))];
  if (options.json) printJson(rows);
  else printLine(tableOf(rows));
}

export function tableOf(rows: readonly PlanRow[]): string {
  if (rows.length === 0)
    return 'there is no launch plan; the start of a program makes one: nix-run-foreign PROGRAM';
  const width = Math.max(...rows.map(({ strategy }) => strategy.length));
  return rows
    .map(({ program, strategy, state, pinned, farm, forEverybody }) => {
      const whose = forEverybody ? '  (for everybody)' : '';
      const notPinned = pinned === false ? '  (not pinned)' : '';
      const why = farm === undefined ? `the next start plans again: ${state}` : state;
      const again = state === 'ready' ? '' : `  (${why})`;
      return printableLine(`${strategy.padEnd(width)}  ${program}${whose}${notPinned}${again}`);
    })
    .join('\n');
}
