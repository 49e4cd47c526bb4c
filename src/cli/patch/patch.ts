// `nix-foreign patch PROGRAM...`: the libraries written into programs, or what would be written.
import { rmSync } from 'node:fs';
import type { Directories } from '../../host/directories.ts';
import { notice, printJson, printLine, reportFailure } from '../../host/output.ts';
import type { Context } from '../../resolve/context.ts';
import { inSystemDirectories, inWritableDirectories } from '../../resolve/writable-directories.ts';
import { jsonFailure } from '../command.ts';
import { namedProgram } from '../program-argument.ts';
import { usageError } from '../usage-error.ts';
import { isDryRun, type PatchOptions, type PatchOutcome, type PatchTask, patchOne } from './patch-one.ts';
import { appliedText, diffText, planJson, planText } from './patch-text.ts';
import { programsInTree } from './tree-programs.ts';

function say(outcome: PatchOutcome, { options, typedName }: PatchTask): void {
  const isJson = options.set.has('json');
  switch (outcome.kind) {
    case 'planned':
      if (isJson) printJson(planJson(outcome.plan, undefined));
      else
        printLine(
          [planText(outcome.plan), ...(options.set.has('diff') ? [diffText(outcome.plan)] : [])].join('\n'),
        );
      break;
    case 'patched':
      if (isJson) printJson(planJson(outcome.plan, outcome.applied));
      else printLine(appliedText(outcome.plan, outcome.applied));
      if (outcome.applied.unpinned !== undefined)
        notice(
          `the libraries of ${typedName} are not protected from garbage collection: ${outcome.applied.unpinned}`,
        );
      break;
    case 'unchanged':
      if (isJson) printJson({ ...planJson(outcome.plan, undefined), edits: [], unchanged: true });
      else printLine(`${typedName}: it is patched already, by the same choices; nothing is to be done`);
      break;
    case 'declined':
      printLine(`${typedName} is as it was`);
      break;
    case 'failed':
      if (isJson) printJson({ program: typedName, ...jsonFailure(outcome.error) });
  }
}

function statusOf(outcome: PatchOutcome, { set }: PatchOptions): number {
  if (outcome.kind === 'failed') return reportFailure(outcome.error);
  return outcome.kind === 'unchanged' && set.has('dryRun') ? 1 : 0;
}

function sayFailure(error: unknown, task: PatchTask): number {
  const outcome = { kind: 'failed', error } as const;
  say(outcome, task);
  return statusOf(outcome, task.options);
}

/** Several are done as far as they go; one alone fails as every command does. */
async function patchAll(tasks: readonly PatchTask[]): Promise<number> {
  let worst = 0;
  for (const task of tasks) {
    const outcome: PatchOutcome = await patchOne(task).catch((error: unknown) => {
      if (tasks.length === 1) throw error;
      return { kind: 'failed', error };
    });
    say(outcome, task);
    worst = Math.max(worst, statusOf(outcome, task.options));
  }
  return worst;
}

/** With `--strict` all of them or none: status 1 where one cannot be patched, and the tree is as it was. */
async function patchTree(all: readonly PatchTask[], { set }: PatchOptions): Promise<number> {
  const { isLeftOut, surveyTree, undoDone } = await import('./patch-tree.ts');
  const isStrict = set.has('strict');
  const { tasks, failures } = await surveyTree(all);
  if (isStrict && failures.length > 0) {
    for (const { task, error } of failures) sayFailure(error, task);
    return 1;
  }
  const done: { task: PatchTask; outcome: PatchOutcome }[] = [];
  let worst = 0;
  for (const task of tasks) {
    const outcome: PatchOutcome = await patchOne(task).catch((error: unknown) => ({ kind: 'failed', error }));
    if (outcome.kind === 'failed' && isLeftOut(outcome.error)) continue;
    if (outcome.kind === 'failed' && isStrict) {
      await undoDone(done);
      sayFailure(outcome.error, task);
      return 1;
    }
    done.push({ task, outcome });
    say(outcome, task);
    worst = Math.max(worst, statusOf(outcome, task.options));
  }
  return worst;
}

function filesOf(programs: readonly string[], options: PatchOptions, context: Context) {
  if (!options.set.has('tree'))
    return programs.map((each) => ({ file: namedProgram(each, context), others: [] as readonly string[] }));
  return programs.flatMap(programsInTree);
}

/** What the words of `choose` say, or the dialogue; it is kept with the program, as by `choose`. The exit status. */
async function chooseFirst(
  files: readonly string[],
  { words, set }: PatchOptions,
  context: Context,
): Promise<number> {
  const isSaid = [words.pin, words.exclude, words.prefer].some((each) => each.length > 0);
  if (!isSaid && !set.has('interactive')) return 0;
  if (set.has('dryRun') || set.has('diff'))
    throw usageError('a dry run keeps no choice', 'choose first, with nix-foreign choose, or leave -n out');
  const { chooseCommand } = await import('../choose/choose.ts');
  for (const file of files) {
    const status = await chooseCommand(file, words, set.has('json') ? 'none' : 'text', context);
    if (status !== 0) return status;
  }
  return 0;
}

/** `--tree DIR -o DIR2`: with `--strict` and a failure there is no copy. */
async function patchCopy(
  tree: string,
  output: string,
  options: PatchOptions,
  context: Context,
): Promise<number> {
  const { copyTree } = await import('./patch-tree.ts');
  const copy = copyTree(tree, output, context.env['PATH']);
  const status = await patchCommand([copy], { ...options, output: undefined }, context);
  if (status !== 0 && options.set.has('strict')) rmSync(copy, { recursive: true, force: true });
  return status;
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
  const files = filesOf(programs, options, context);
  const look = (['show', 'repair', 'check'] as const).find((each) => set.has(each));
  if (look !== undefined) {
    const { checkPatched } = await import('./check-patched.ts');
    return await checkPatched(
      files.map(({ file }) => file),
      look,
      set.has('json') ? 'json' : 'text',
      context,
    );
  }
  const status = await chooseFirst(
    files.map(({ file }) => file),
    options,
    context,
  );
  if (status !== 0) return status;
  const work = async (dirs: Directories): Promise<number> =>
    await patchTasks(files.map(({ file, others }) => ({ typedName: file, others, options, context, dirs })));
  const patchTasks = (tasks: PatchTask[]) => (set.has('tree') ? patchTree(tasks, options) : patchAll(tasks));
  const { uid } = context.host;
  return set.has('system') ? await inSystemDirectories(uid, work) : await inWritableDirectories(uid, work);
}
