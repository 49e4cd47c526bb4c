// `nix-foreign patch PROGRAM...`: the libraries written into programs, or what would be written.
import { rmSync } from 'node:fs';
import { openFileSource } from '../../elf/open-elf.ts';
import type { Directories } from '../../host/directories.ts';
import { ForeignError } from '../../host/errors.ts';
import { notice, printJson, printLine, reportFailure } from '../../host/output.ts';
import { farmsNamedBy } from '../../integrations/patch/read-patched.ts';
import { isPatchedFarm } from '../../program/run-directories.ts';
import { proveProgram } from '../../resolve/apply-patch.ts';
import type { Context } from '../../resolve/context.ts';
import { cleanPatched } from '../../resolve/housekeeping.ts';
import { refuseOthersLink } from '../../resolve/patch-target.ts';
import { inSystemDirectories, inWritableDirectories } from '../../resolve/writable-directories.ts';
import { INTERRUPTED, jsonFailure } from '../command.ts';
import { namedProgram, programToChange } from '../program-argument.ts';
import { usageError } from '../usage-error.ts';
import type { LibraryTask, PatchedLibrary } from './patch-libraries.ts';
import {
  isDryRun,
  type PatchOptions,
  type PatchOutcome,
  type PatchTask,
  patchOne,
  replaceableTarget,
} from './patch-one.ts';
import {
  appliedText,
  diffText,
  documentOf,
  heldText,
  libraryJson,
  libraryText,
  planJson,
  planText,
} from './patch-text.ts';
import type { DoneInTree, FailedInTree, TreeOutline } from './patch-tree.ts';
import { filesInTree, type TreeFile, tellUnreadable } from './tree-programs.ts';

function sayUnpinned(typedName: string, why: string | undefined): void {
  if (why !== undefined)
    notice(`the libraries of ${typedName} are not protected from garbage collection: ${why}`);
}

function say(outcome: PatchOutcome, { options, typedName, tell }: PatchTask): void {
  const isJson = options.set.has('json');
  switch (outcome.kind) {
    case 'planned':
      if (isJson) tell(planJson(outcome.plan, undefined));
      else
        printLine(
          [planText(outcome.plan), ...(options.set.has('diff') ? [diffText(outcome.plan)] : [])].join('\n'),
        );
      break;
    case 'patched':
      if (isJson) tell(planJson(outcome.plan, outcome.applied));
      else printLine(appliedText(outcome.plan, outcome.applied));
      sayUnpinned(typedName, outcome.applied.unpinned);
      break;
    case 'unchanged':
      if (isJson) tell({ ...planJson(outcome.plan, undefined), edits: [], unchanged: true });
      else printLine(`${typedName}: it is patched already, by the same choices; ${heldText(outcome.held)}`);
      sayUnpinned(typedName, outcome.held?.unpinned);
      break;
    case 'declined':
    case 'cancelled':
      if (isJson) tell({ program: typedName, edits: [], answer: outcome.kind });
      else printLine(`${typedName} is as it was`);
      break;
    case 'failed':
      if (isJson) tell({ program: typedName, ...jsonFailure(outcome.error) });
  }
}

function sayLibrary(outcome: PatchedLibrary, { options, typedName, tell }: PatchTask): void {
  const isJson = options.set.has('json');
  if (isJson) tell(libraryJson(outcome));
  else printLine(libraryText(outcome, typedName));
  if (outcome.kind === 'unchanged') sayUnpinned(typedName, outcome.held?.unpinned);
  if (outcome.kind === 'patched') sayUnpinned(typedName, outcome.applied.unpinned);
  if (outcome.kind === 'planned' && options.set.has('diff') && !isJson) printLine(diffText(outcome.plan));
}

function statusOf(outcome: PatchOutcome, { set }: PatchOptions): number {
  if (outcome.kind === 'failed') return reportFailure(outcome.error);
  if (outcome.kind === 'cancelled') return INTERRUPTED;
  if (outcome.kind === 'declined') return 1;
  return outcome.kind === 'unchanged' && set.has('dryRun') ? 1 : 0;
}

function sayFailure(error: unknown, task: PatchTask): number {
  const outcome = { kind: 'failed', error } as const;
  say(outcome, task);
  return statusOf(outcome, task.options);
}

/** Several are done as far as they go, or until Ctrl-C; one alone fails as every command does. */
async function patchAll(tasks: readonly PatchTask[]): Promise<number> {
  let worst = 0;
  for (const task of tasks) {
    const outcome: PatchOutcome = await patchOne(task).catch((error: unknown) => {
      if (tasks.length === 1) throw error;
      return { kind: 'failed', error };
    });
    say(outcome, task);
    worst = Math.max(worst, statusOf(outcome, task.options));
    if (outcome.kind === 'cancelled') break;
  }
  return worst;
}

async function outcomeOf<T>(work: Promise<T>): Promise<T | { kind: 'failed'; error: unknown }> {
  return await work.catch((error: unknown) => ({ kind: 'failed' as const, error }));
}

/**
 * The loader is asked about the programs again; where a library led one elsewhere all libraries are as before, and no
 * longer in `done`. What is wrong.
 */
async function spoiledProgram(done: DoneInTree[]): Promise<FailedInTree[]> {
  const libraries = done.filter(({ outcome }) => 'outline' in outcome && outcome.kind === 'patched');
  if (libraries.length === 0) return [];
  for (const { task, outcome } of done) {
    if ('outline' in outcome || (outcome.kind !== 'patched' && outcome.kind !== 'unchanged')) continue;
    try {
      await proveProgram(outcome.plan, outcome.plan.target.path, task.dirs);
    } catch (error) {
      const { undoDone } = await import('./patch-tree.ts');
      const left = await undoDone(libraries);
      for (const each of libraries) done.splice(done.indexOf(each), 1);
      return [{ task, error }, ...left];
    }
  }
  return [];
}

/** Whether an answer of the user's ends the work on a tree. */
function isRefusal({ kind }: PatchOutcome, { options }: PatchTask): boolean {
  return kind === 'cancelled' || (kind === 'declined' && options.set.has('strict'));
}

/** The exit status of the programs, then of the libraries; `done` gets what can be undone. */
async function patchOutlined(
  { tasks, libraries, farms }: TreeOutline,
  ofLibraries: readonly LibraryTask[],
  done: DoneInTree[],
): Promise<{ worst: number; failed: FailedInTree[] }> {
  const { isLeftOut } = await import('./patch-tree.ts');
  const { patchLibrary } = await import('./patch-libraries.ts');
  const failed: FailedInTree[] = [];
  let worst = 0;
  for (const task of tasks) {
    const outcome = await outcomeOf(patchOne(task));
    if (outcome.kind === 'failed') {
      if (!isLeftOut(outcome.error)) failed.push({ task, error: outcome.error });
      if (failed.length > 0 && task.options.set.has('strict')) return { worst, failed };
      continue;
    }
    done.push({ task, outcome });
    say(outcome, task);
    worst = Math.max(worst, statusOf(outcome, task.options));
    if (isRefusal(outcome, task)) return { worst, failed };
  }
  for (const outline of libraries) {
    const task = ofLibraries.find(({ typedName }) => typedName === outline.target.typedName);
    const shared = farms.get(outline.target.path);
    if (task === undefined || shared === undefined) continue;
    const outcome = await outcomeOf(patchLibrary(outline, shared, task));
    if (outcome.kind === 'failed') {
      failed.push({ task, error: outcome.error });
      if (task.options.set.has('strict')) return { worst, failed };
      continue;
    }
    done.push({ task, outcome });
    sayLibrary(outcome, task);
  }
  return { worst, failed: [...failed, ...(await spoiledProgram(done))] };
}

/** Libraries for which nobody has what they need, or that have no room: named at the end, and no failure by itself. */
function isLeftAsItWas(error: unknown): boolean {
  return error instanceof ForeignError && (error.code === 'lacking' || error.code === 'no-room');
}

/** With `--strict` all of them or none: status 1 where one cannot be patched, and the tree is as it was. */
async function patchTree(
  all: readonly PatchTask[],
  ofLibraries: readonly LibraryTask[],
  { set }: PatchOptions,
): Promise<number> {
  const { outlineTree, undoDone } = await import('./patch-tree.ts');
  const isStrict = set.has('strict');
  const outline = await outlineTree(all, ofLibraries);
  const isLibrary = ({ task }: { task: PatchTask }) => ofLibraries.some((each) => each === task);
  if (isStrict && outline.failures.length > 0) {
    for (const { task, error } of outline.failures) sayFailure(error, task);
    return 1;
  }
  const done: DoneInTree[] = [];
  const { worst, failed } = await patchOutlined(outline, ofLibraries, done);
  const isRefused = done.some(({ task, outcome }) => !('outline' in outcome) && isRefusal(outcome, task));
  const left = isStrict && (failed.length > 0 || isRefused) ? await undoDone(done) : [];
  // A program that could not be outlined failed again by itself.
  const failures = [...failed, ...left, ...outline.failures.filter(isLibrary)];
  if (done.length === 0 && failures.length === 0 && !set.has('json')) printLine('nothing to patch');
  const statuses = failures.map(({ task, error }) => {
    const status = sayFailure(error, task);
    return isLibrary({ task }) && isLeftAsItWas(error) ? 0 : status;
  });
  return isStrict && failures.length > 0 && !isRefused ? 1 : Math.max(worst, ...statuses);
}

interface NamedFiles {
  readonly programs: readonly TreeFile[];
  readonly libraries: readonly (TreeFile & { readonly names: ReadonlySet<string> })[];
  readonly unreadable: readonly string[];
}

/** What leaves the files as they are. */
function lookOf({ set }: PatchOptions): 'show' | 'repair' | 'check' | undefined {
  return (['show', 'repair', 'check'] as const).find((each) => set.has(each));
}

function filesOf(programs: readonly string[], options: PatchOptions, context: Context): NamedFiles {
  const isHarmless = isDryRun(options) || options.output !== undefined || lookOf(options) !== undefined;
  const named = (each: string) =>
    isHarmless ? namedProgram(each, context) : programToChange(each, context, 'patch');
  if (!options.set.has('tree'))
    return {
      programs: programs.map((each) => ({ file: named(each), others: [] })),
      libraries: [],
      unreadable: [],
    };
  const judge = (typedName: string, real: string) =>
    isHarmless ? undefined : refuseOthersLink(typedName, real, context.host.uid, 'patch');
  const trees = programs.map((each) => filesInTree(each, judge));
  return {
    programs: trees.flatMap((tree) => tree.programs),
    libraries: trees.flatMap(({ libraries, names }) => libraries.map((each) => ({ ...each, names }))),
    unreadable: trees.flatMap((tree) => tree.unreadable),
  };
}

function isNamingFarm(file: string): boolean {
  const source = openFileSource(file);
  try {
    return farmsNamedBy(source).some(isPatchedFarm);
  } finally {
    source.close();
  }
}

/** Whether nothing can be written; the patch says why. @throws what is no ForeignError. */
function isRefused(file: TreeFile, options: PatchOptions, context: Context): boolean {
  try {
    replaceableTarget({ typedName: file.file, others: file.others, options, context });
    return false;
  } catch (error) {
    if (error instanceof ForeignError) return true;
    throw error;
  }
}

/** What the words of `choose` say, or the dialogue; it is kept with the program, as by `choose`. The exit status. */
async function chooseFirst(
  files: readonly TreeFile[],
  options: PatchOptions,
  context: Context,
): Promise<number> {
  const { words, set } = options;
  const isSaid = [words.pin, words.exclude, words.prefer].some((each) => each.length > 0);
  if (!isSaid && !set.has('interactive')) return 0;
  if (set.has('dryRun') || set.has('diff'))
    throw usageError('a dry run keeps no choice', 'choose first, with nix-foreign choose, or leave -n out');
  const { chooseCommand } = await import('../choose/choose.ts');
  for (const file of files.filter((each) => !isRefused(each, options, context))) {
    const status = await chooseCommand(file.file, words, set.has('json') ? 'none' : 'text', context);
    if (status !== 0) return status;
  }
  return 0;
}

/** `--tree DIR -o DIR2`: where it ends by an error, and with `--strict` and a failure, there is no copy. */
async function patchCopy(
  tree: string,
  output: string,
  options: PatchOptions,
  context: Context,
): Promise<number> {
  const { copyTree } = await import('./patch-tree.ts');
  const copy = copyTree(tree, output, context);
  const remove = () => rmSync(copy, { recursive: true, force: true });
  try {
    const status = await patchCommand([copy], { ...options, output: undefined, isCopy: true }, context);
    if (status !== 0 && options.set.has('strict')) remove();
    return status;
  } catch (error) {
    remove();
    throw error;
  }
}

/** The exit status. @throws ForeignError. */
export async function patchCommand(
  programs: readonly string[],
  options: PatchOptions,
  context: Context,
): Promise<number> {
  const { set } = options;
  if (options.output !== undefined && programs.length > 1)
    throw usageError('-o takes one program or one tree', 'patch them one by one');
  if (set.has('strict') && !set.has('tree'))
    throw usageError('--strict is for a tree', 'leave it out, or name a directory: --tree');
  const [tree = ''] = programs;
  if (set.has('tree') && options.output !== undefined && !isDryRun(options))
    return await patchCopy(tree, options.output, options, context);
  const rows: unknown[] = [];
  const status = await patchNamed(programs, options, context, (row) => void rows.push(row));
  if (set.has('json'))
    printJson(documentOf(rows, programs.length > 1 || set.has('tree') ? 'several' : 'one'));
  return status;
}

/** The exit status; `tell` gets what `--json` says of each file. */
async function patchNamed(
  programs: readonly string[],
  options: PatchOptions,
  context: Context,
  tell: (row: unknown) => void,
): Promise<number> {
  const { set } = options;
  const { programs: files, libraries, unreadable } = filesOf(programs, options, context);
  const look = lookOf(options);
  if (look !== undefined) {
    const { checkPatched } = await import('./check-patched.ts');
    return await checkPatched(
      [...files, ...libraries.filter(({ file }) => isNamingFarm(file))].map(({ file }) => file),
      look,
      set.has('json') ? tell : undefined,
      context,
    );
  }
  tellUnreadable(unreadable);
  const status = await chooseFirst(files, options, context);
  if (status !== 0) return status;
  const work = async (dirs: Directories): Promise<number> => {
    cleanPatched(dirs);
    const taskOf = ({ file, others }: TreeFile) => ({
      typedName: file,
      others,
      options,
      context,
      dirs,
      tell,
    });
    const tasks = files.map(taskOf);
    if (!set.has('tree')) return await patchAll(tasks);
    const ofLibraries = libraries.map((each) => ({ ...taskOf(each), names: each.names }));
    return await patchTree(tasks, ofLibraries, options);
  };
  const { uid } = context.host;
  return set.has('system') ? await inSystemDirectories(uid, work) : await inWritableDirectories(uid, work);
}
