// The files of a directory → each with the farm that it shares with others, or why the tree stays as it is.
import { lstatSync, rmSync } from 'node:fs';
import path from 'node:path';
import { ForeignError, reasonOf } from '../../host/errors.ts';
import { isGone } from '../../host/files.ts';
import { fileWord } from '../../host/shell-words.ts';
import { isTrustedAndThere } from '../../host/trusted-way.ts';
import { copyDirectory } from '../../integrations/patch/copy-with-changes.ts';
import type { Context } from '../../resolve/context.ts';
import { groupsOf, sharedFarms } from '../../resolve/farm-of-tree.ts';
import type { LibraryOutline } from '../../resolve/patch-library.ts';
import type { PatchOutline, SharedFarm } from '../../resolve/plan-patch.ts';
import { unpatchFile } from '../../resolve/unpatch-file.ts';
import { usageError } from '../usage-error.ts';
import { type LibraryTask, outlineLibraries, type PatchedLibrary } from './patch-libraries.ts';
import { outlineOne, type PatchOutcome, type PatchTask } from './patch-one.ts';
import { treeAt } from './tree-programs.ts';

/** Codes of what needs no patch. */
const SKIPPED_IN_TREE = new Set(['static', 'already-nix', 'script', 'appimage', 'library']);

/** Whether a file of a tree is left out without a word. */
export function isLeftOut(error: unknown): boolean {
  return error instanceof ForeignError && SKIPPED_IN_TREE.has(error.code);
}

export interface TreeOutline {
  /** With the farms that they share. */
  readonly tasks: readonly PatchTask[];
  readonly libraries: readonly LibraryOutline[];
  readonly farms: ReadonlyMap<string, SharedFarm>;
  /** What cannot be patched, each with its task. */
  readonly failures: readonly FailedInTree[];
}

/** Looks at every file first: which of them can share a farm is known then, and which cannot be patched. */
export async function outlineTree(
  tasks: readonly PatchTask[],
  libraries: readonly LibraryTask[],
): Promise<TreeOutline> {
  const outlines: PatchOutline[] = [];
  const failures: FailedInTree[] = [];
  for (const task of tasks) {
    try {
      outlines.push(await outlineOne(task));
    } catch (error) {
      if (!isLeftOut(error)) failures.push({ task, error });
    }
  }
  const groups = groupsOf(outlines);
  const found = await outlineLibraries(libraries, groups);
  const farms = await sharedFarms(groups, found.outlines);
  return {
    tasks: tasks.map((task) => ({ ...task, farms })),
    libraries: found.outlines,
    farms,
    failures: [...failures, ...found.failures],
  };
}

export interface DoneInTree {
  readonly task: PatchTask;
  readonly outcome: PatchOutcome | PatchedLibrary;
}

/** What is wrong with one file of a tree. */
export interface FailedInTree {
  readonly task: PatchTask;
  readonly error: unknown;
}

/** What was done already is undone when a later file fails. Returns what could not be. */
export async function undoDone(done: readonly DoneInTree[]): Promise<FailedInTree[]> {
  const failed: FailedInTree[] = [];
  for (const { task, outcome } of done) {
    if (outcome.kind !== 'patched' || outcome.plan.original.patched !== undefined) continue;
    const request = { output: undefined, hardLinks: 'all', known: task.others, isDry: false } as const;
    try {
      await unpatchFile(outcome.applied.file, request, task.context);
    } catch (error) {
      failed.push({ task, error });
    }
  }
  return failed;
}

/** The tree itself stays as it is. @throws ForeignError. */
export function copyTree(directory: string, output: string, { env, host }: Context): string {
  const to = path.resolve(output);
  // cp(1) copies a link as one, and what is patched behind it would be the tree itself.
  const tree = treeAt(directory);
  if (isGone(path.dirname(to)))
    throw usageError(
      `there is no directory ${path.dirname(to)}`,
      `make it first: mkdir -p ${fileWord(path.dirname(to))}`,
    );
  if (host.uid === 0 && !isTrustedAndThere(path.dirname(to), 0))
    throw usageError(
      `others may rename files in ${path.dirname(to)}`,
      'name an output where only root may write',
    );
  if (lstatSync(to, { throwIfNoEntry: false }) !== undefined)
    throw usageError(`${output} is there already`, 'name a directory that is not there yet');
  try {
    copyDirectory(tree, to, env['PATH']);
    return to;
  } catch (error) {
    rmSync(to, { recursive: true, force: true });
    throw new ForeignError(`${output}: the tree cannot be copied to it: ${reasonOf(error)}`, {
      code: 'unwritable',
      hint: 'make room, or name another directory',
      exitCode: 125,
      cause: error,
    });
  }
}
