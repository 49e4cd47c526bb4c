// `nix-foreign roots`: every root → the program that it is for, its last start, and how much of the store only it
// holds.
import { lstatSync } from 'node:fs';
import path from 'node:path';
import { allLinks } from '../fingerprint/saved-fingerprints.ts';
import { type Directories, trustedSystemDirectories } from '../host/directories.ts';
import { ForeignError } from '../host/errors.ts';
import { identityOf, sha256OfFile } from '../host/file-identity.ts';
import { DAY, isGone } from '../host/files.ts';
import { debug, printableLine, printJson, printLine } from '../host/output.ts';
import { whyMissed } from '../integrations/patch/gone-patched.ts';
import { abandonedRoots } from '../integrations/patch/patched-rows.ts';
import { type PatchedRecord, patchedRecords, patchedRoot } from '../integrations/patch/patched-state.ts';
import { lastUseOf, planFile, readPlan, readPlanFile } from '../plan/plan-files.ts';
import type { LaunchPlan } from '../plan/plan-format.ts';
import { listRunTimeRoots } from '../plan/run-time-roots.ts';
import type { Context } from '../resolve/context.ts';
import { allDirectories } from '../resolve/writable-directories.ts';
import { readRoot } from '../store/root-link.ts';
import { sizeText, type Weights, weighRoots } from '../store/sizes.ts';

interface PrintedRoot {
  readonly program: string | null;
  readonly root: string;
  readonly storePath: string;
  readonly lastUse: string;
  readonly prunable: string | null;
  /** Whether it is the root of a patched file: that starts without us, so no day of a last start tells of its use. */
  readonly patched: boolean;
  /** Bytes; null where no Nix answers. */
  readonly closure: number | null;
  readonly onlyThis: number | null;
}

/** Null where it cannot be told. */
function programsOf({ plan, patched, runTimeOf }: RootRow): string | null {
  return plan?.program ?? patched?.join(', ') ?? runTimeOf ?? null;
}

function rowOf(row: RootRow, weights: Weights | undefined): PrintedRoot {
  const weight = weights?.byLink.get(row.link);
  return {
    program: programsOf(row),
    root: row.link,
    storePath: row.storePath,
    lastUse: new Date(row.lastUse).toISOString().slice(0, 10),
    prunable: whyPrunable(row, undefined, Date.now()) ?? row.missed ?? null,
    patched: row.patched !== undefined,
    closure: weight?.closure ?? null,
    onlyThis: weight?.alone ?? null,
  };
}

function size(bytes: number | null): string {
  return bytes === null ? '?' : bytes === 0 ? '0' : sizeText(bytes);
}

function tableOf(rows: readonly PrintedRoot[]): string[] {
  const cells = rows.map(({ closure, onlyThis, lastUse, program, patched, prunable, root }) => [
    size(closure),
    size(onlyThis),
    lastUse,
    `${program ?? `(no plan) ${root}`}${patched ? '  (patched file)' : ''}${prunable === null ? '' : `  (${prunable})`}`,
  ]);
  const lines = [['closure', 'only this', 'last use', 'program'], ...cells];
  const width = (column: number) => Math.max(...lines.map((cell) => (cell[column] ?? '').length));
  const [first, second, third] = [width(0), width(1), width(2)];
  return lines.map(([a = '', b = '', c = '', d = '']) =>
    printableLine(`${a.padStart(first)}  ${b.padStart(second)}  ${c.padEnd(third)}  ${d}`),
  );
}

/** Undefined where no Nix answers: without a daemon a user may not ask which roots there are. */
async function weightsOf(
  saved: readonly RootRow[],
  { location, nix }: Context,
): Promise<Weights | undefined> {
  if (nix === undefined) return undefined;
  try {
    return await weighRoots(location, nix, saved);
  } catch (error) {
    if (!(error instanceof ForeignError)) throw error;
    debug(`roots have no sizes: ${error.message}`);
    return undefined;
  }
}

export async function rootsCommand(options: { json: boolean }, context: Context): Promise<void> {
  const system = trustedSystemDirectories();
  const all = [...(await allDirectories(context.host.uid)), ...(system === undefined ? [] : [system])];
  const now = Date.now();
  const saved = all.flatMap((dirs) => [
    ...savedRoots(dirs),
    ...runTimeRootRows(dirs),
    ...patchedRootRows(dirs, now).filter(({ storePath }) => storePath !== ''),
  ]);
  const weights = saved.length === 0 ? undefined : await weightsOf(saved, context);
  const rows = saved.map((row) => rowOf(row, weights));
  if (options.json) {
    const { closure = null, ours = null } = weights ?? {};
    return printJson({ roots: rows, closure, onlyOurs: ours });
  }
  if (rows.length === 0)
    return printLine('nothing is pinned; the first start of a program pins its libraries');
  const total =
    weights === undefined
      ? []
      : ['', `${size(weights.closure)} in all, of which ${size(weights.ours)} would go without us`];
  printLine([...tableOf(rows), ...total].join('\n'));
}

export interface RootRow {
  /** The link. */
  readonly link: string;
  /** The store object that is the fingerprint. */
  readonly storePath: string;
  readonly sha256: string;
  /** Undefined where the plan is gone: a cache was deleted. The next start makes it anew. */
  readonly plan: LaunchPlan | undefined;
  /** Milliseconds since 1970; exact to a day (plan/PLAN.md). */
  readonly lastUse: number;
  /** Why nobody needs it any more, whenever it was used. */
  readonly expired:
    | 'the program is gone'
    | 'the program changed'
    | 'patching was ended before it was done'
    | undefined;
  /** Where patched files were seen that name what the root holds. */
  readonly patched?: readonly string[];
  /** The program of Nix that found it while it ran. */
  readonly runTimeOf?: string | undefined;
  /** Why `prune` drops it, if it does not find such a file elsewhere. */
  readonly missed?: string | undefined;
}

/** A touched program of the same content needs its root still. */
function hasChanged(plan: LaunchPlan, sha256: string): boolean {
  try {
    return identityOf(plan.program) !== plan.identity && sha256OfFile(plan.program) !== sha256;
  } catch {
    return false; // it cannot be read now, which says nothing
  }
}

function expiryOf(plan: LaunchPlan | undefined, sha256: string): RootRow['expired'] {
  if (plan === undefined) return undefined;
  if (isGone(plan.program)) return 'the program is gone';
  return hasChanged(plan, sha256) ? 'the program changed' : undefined;
}

/** Sorted by program, those without a plan last. */
export function savedRoots(dirs: Directories): RootRow[] {
  const rows = allLinks(dirs).map((link): RootRow | undefined => {
    const storePath = readRoot(link);
    if (storePath === undefined) return undefined;
    const sha256 = path.basename(path.dirname(link));
    const file = path.join(dirs.plans, path.basename(link));
    const plan = readPlanFile(file);
    const lastUse = lastUseOf(file, link);
    return { link, storePath, sha256, plan, lastUse, expired: expiryOf(plan, sha256) };
  });
  const nameOf = ({ plan, link }: RootRow) => plan?.program ?? `\uffff${link}`;
  return rows.filter((row) => row !== undefined).sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
}

/** The roots of what programs of Nix found while they ran: none has a record, and the plan names no root. */
export function runTimeRootRows(dirs: Directories): RootRow[] {
  return listRunTimeRoots(dirs).flatMap(({ program, links }) => {
    const plan = program === undefined ? undefined : readPlan(dirs, program);
    const isOver = program !== undefined && plan?.root === undefined && isGone(program);
    return links.map((link): RootRow => {
      const lastUse =
        program === undefined ? lastUseOf(link, undefined) : lastUseOf(planFile(dirs, program), link);
      const expired = isOver ? 'the program is gone' : undefined;
      return {
        link,
        storePath: readRoot(link) ?? '',
        sha256: '',
        plan,
        lastUse,
        expired,
        runTimeOf: program,
      };
    });
  });
}

/** The roots of patched files, which follow the content and not the path: no age of a last start takes them. */
export function patchedRootRows(dirs: Directories, now: number): RootRow[] {
  const abandoned = abandonedRoots(dirs, now);
  const rootAndRecord = (record: PatchedRecord) => [patchedRoot(dirs, record.farm), record] as const;
  const links = new Map<string, PatchedRecord | undefined>(patchedRecords(dirs).map(rootAndRecord));
  for (const directory of abandoned) {
    const link = path.join(directory, 'root');
    links.set(link, links.get(link));
  }
  return [...links].map(([link, record]): RootRow => {
    const isAbandoned = abandoned.includes(path.dirname(link));
    const { files = [], former = [] } = record ?? {};
    return {
      link,
      storePath: readRoot(link) ?? '',
      sha256: '',
      plan: undefined,
      lastUse: lstatSync(link, { throwIfNoEntry: false })?.mtimeMs ?? 0,
      expired: isAbandoned ? 'patching was ended before it was done' : undefined,
      patched: files.length > 0 ? files : former,
      missed: record && whyMissed(dirs, record, now),
    };
  });
}

/** Why a root may go; undefined for one that is needed. `unused`: in days; `now` in milliseconds since 1970. */
export function whyPrunable(row: RootRow, unused: number | undefined, now: number): string | undefined {
  if (row.expired !== undefined) return row.expired;
  // A patched file starts without us, and is looked at by nobody.
  if (row.patched !== undefined) return undefined;
  const days = Math.floor((now - row.lastUse) / DAY);
  return unused !== undefined && days >= unused ? `not started for ${days} days` : undefined;
}
