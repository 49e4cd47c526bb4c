// `nix-foreign patch PROGRAM...`: the libraries written into programs, or what would be written.
import { statSync } from 'node:fs';
import path from 'node:path';
import type { Directories } from '../../host/directories.ts';
import { ForeignError } from '../../host/errors.ts';
import { withLock } from '../../host/mutex.ts';
import { notice, printJson, printLine, reportFailure } from '../../host/output.ts';
import { METHODS, type Method } from '../../integrations/patch/choose-edits.ts';
import { planKey } from '../../plan/plan-format.ts';
import { type Applied, applyPatch, FARM_REFUSED, isAlreadySo } from '../../resolve/apply-patch.ts';
import type { Context } from '../../resolve/context.ts';
import { withOriginal } from '../../resolve/original-of.ts';
import {
  findTarget,
  type HardLinks,
  namesOfTarget,
  refuseUnreplaceable,
} from '../../resolve/patch-target.ts';
import { type PatchPlan, type PatchWish, planPatch } from '../../resolve/plan-patch.ts';
import { inSystemDirectories, inWritableDirectories } from '../../resolve/writable-directories.ts';
import type { ChooseWords } from '../choose/session.ts';
import { jsonFailure } from '../command.ts';
import { namedProgram } from '../program-argument.ts';
import { usageError } from '../usage-error.ts';
import { appliedText, diffText, planJson, planText } from './patch-text.ts';
import { programsInTree } from './tree-programs.ts';

export interface PatchOptions {
  readonly output: string | undefined;
  readonly method: string | undefined;
  readonly hardLinks: string | undefined;
  readonly trial: string | undefined;
  /** Of `choose`. */
  readonly words: ChooseWords;
  /** Names of the options without a value that were given. */
  readonly set: ReadonlySet<string>;
  /** Those that begin with `--no-`, without it. */
  readonly without: ReadonlySet<string>;
}

/** One program and what became of it. */
type Outcome =
  | { readonly kind: 'planned' | 'unchanged'; readonly plan: PatchPlan }
  | { readonly kind: 'patched'; readonly plan: PatchPlan; readonly applied: Applied }
  | { readonly kind: 'declined' }
  | { readonly kind: 'failed'; readonly error: unknown };

const HARD_LINKS: readonly HardLinks[] = ['refuse', 'all', 'one'];

function oneOf<T extends string>(
  value: string | undefined,
  names: readonly T[],
  option: string,
  fallback: T,
): T {
  if (value === undefined) return fallback;
  const found = names.find((each) => each === value);
  if (found !== undefined) return found;
  throw usageError(`${option}: there is no ${value}`, `name one of: ${names.join(', ')}`);
}

function wishOf({ method, set, without }: PatchOptions): PatchWish {
  return {
    method: oneOf<Method | 'auto'>(method, ['auto', ...METHODS], '--method', 'auto'),
    rename: !without.has('rename'),
    lift: !without.has('lift'),
    plain: set.has('plain'),
    usersFirst: set.has('userLibrariesFirst'),
  };
}

function outputFor(typedName: string, output: string | undefined): string | undefined {
  if (output === undefined) return undefined;
  const isDirectory = statSync(output, { throwIfNoEntry: false })?.isDirectory() ?? false;
  return path.resolve(isDirectory ? path.join(output, path.basename(typedName)) : output);
}

async function agrees(plan: PatchPlan, { set }: PatchOptions): Promise<boolean> {
  const isAsked = process.stdin.isTTY === true && process.stderr.isTTY === true;
  if (!isAsked || set.has('yes') || set.has('json')) return true;
  const { agree } = await import('../choose/prompts.ts');
  const grows = plan.chosen.changes.added?.bytes.length ?? 0;
  const answer = await agree(
    `Patch ${plan.target.typedName} (${plan.undo.ranges.length} edits, ${grows} bytes larger, undo by nix-foreign unpatch)?`,
    process.stderr,
  );
  return answer.kind === 'answered' && answer.value;
}

interface Task {
  readonly typedName: string;
  readonly others: readonly string[];
  readonly options: PatchOptions;
  readonly context: Context;
  readonly dirs: Directories;
}

async function patchOne({ typedName, others, options, context, dirs }: Task): Promise<Outcome> {
  const { set, trial } = options;
  const isDry = set.has('dryRun') || set.has('diff');
  const target = findTarget(typedName, context.location.storeDir);
  if (path.resolve(typedName) !== target.path && !isDry) notice(`${typedName} leads to ${target.path}`);
  const output = outputFor(typedName, options.output);
  const hardLinks = oneOf(options.hardLinks, HARD_LINKS, '--hard-links', set.has('tree') ? 'all' : 'refuse');
  const names = output === undefined ? namesOfTarget(target, hardLinks, others) : [output];
  if (!isDry && output === undefined) refuseUnreplaceable(target, context.host.uid);
  const work = () =>
    withOriginal(target, context, isDry ? 'in the cache' : 'beside', async (original): Promise<Outcome> => {
      const inputs = { target, original, wish: wishOf(options), context, dirs };
      const planned = (kind?: 'directory') => planPatch(inputs, kind);
      const plan = await planned();
      if (output === undefined && isAlreadySo(plan)) return { kind: 'unchanged', plan };
      if (isDry) return { kind: 'planned', plan };
      if (!(await agrees(plan, options))) return { kind: 'declined' };
      const words = trial?.split(/\s+/).filter((word) => word !== '');
      const apply = async (each: PatchPlan): Promise<Outcome> => ({
        kind: 'patched',
        plan: each,
        applied: await applyPatch(each, { names, trial: words }, context, dirs),
      });
      try {
        return await apply(plan);
      } catch (error) {
        if (!(error instanceof ForeignError) || error.code !== FARM_REFUSED) throw error;
        notice(`${error.message}; a directory of ours in ${dirs.state} stands in for it`);
        const other = await planned('directory');
        if (output === undefined && isAlreadySo(other)) return { kind: 'unchanged', plan: other };
        return await apply(other);
      }
    });
  return await withLock(path.join(dirs.locks, `patch-${planKey(target.path)}`), work);
}

function say(outcome: Outcome, { options, typedName }: Task): void {
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

function statusOf(outcome: Outcome, { set }: PatchOptions): number {
  if (outcome.kind === 'failed') return reportFailure(outcome.error);
  return outcome.kind === 'unchanged' && set.has('dryRun') ? 1 : 0;
}

const SKIPPED_IN_TREE = new Set(['static', 'already-nix', 'script', 'appimage', 'library']);

/** Several are done as far as they go; one alone fails as every command does. */
async function patchAll(tasks: readonly Task[], options: PatchOptions): Promise<number> {
  let worst = 0;
  for (const task of tasks) {
    const outcome: Outcome = await patchOne(task).catch((error: unknown) => {
      if (tasks.length === 1 && !options.set.has('tree')) throw error;
      return { kind: 'failed', error };
    });
    const isNothing =
      outcome.kind === 'failed' &&
      outcome.error instanceof ForeignError &&
      SKIPPED_IN_TREE.has(outcome.error.code);
    if (isNothing && options.set.has('tree')) continue;
    say(outcome, task);
    worst = Math.max(worst, statusOf(outcome, options));
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

/** The exit status. @throws ForeignError. */
export async function patchCommand(
  programs: readonly string[],
  options: PatchOptions,
  context: Context,
): Promise<number> {
  const { set } = options;
  if (options.output !== undefined && (programs.length > 1 || set.has('tree')))
    throw usageError('-o takes one program', 'patch them one by one, or copy the tree first');
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
    await patchAll(
      files.map(({ file, others }) => ({ typedName: file, others, options, context, dirs })),
      options,
    );
  const { uid } = context.host;
  return set.has('system') ? await inSystemDirectories(uid, work) : await inWritableDirectories(uid, work);
}
