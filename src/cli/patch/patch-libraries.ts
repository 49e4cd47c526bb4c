// The libraries of a tree and the farms of its programs → each library patched, or what would be written.
import path from 'node:path';
import { withLock } from '../../host/mutex.ts';
import { planKey } from '../../plan/plan-format.ts';
import { type Applied, applyPatch, type Held, holdAgain, isAlreadySo } from '../../resolve/apply-patch.ts';
import type { OutlineGroup } from '../../resolve/farm-of-tree.ts';
import { withOriginal } from '../../resolve/original-of.ts';
import {
  type LibraryOutline,
  outlineLibrary,
  planLibrary,
  proveLibrary,
} from '../../resolve/patch-library.ts';
import { findTarget, namesOfTarget, patchRefusal, refuseUnreplaceable } from '../../resolve/patch-target.ts';
import type { EditPlan, SharedFarm } from '../../resolve/plan-patch.ts';
import { patchPlaces } from '../../resolve/writable-directories.ts';
import { hardLinksOf, isDryRun, mannerOf, type PatchTask, refuseSecondPatch } from './patch-one.ts';

/** A library of a tree, as it is named. */
export interface LibraryTask extends PatchTask {
  /** Names of the tree's files, and sonames of its libraries. */
  readonly names: ReadonlySet<string>;
}

export type PatchedLibrary =
  | { readonly kind: 'planned'; readonly plan: EditPlan; readonly outline: LibraryOutline }
  /** `held`: but for a dry run. */
  | {
      readonly kind: 'unchanged';
      readonly plan: EditPlan;
      readonly outline: LibraryOutline;
      readonly held?: Held;
    }
  | {
      readonly kind: 'patched';
      readonly plan: EditPlan;
      readonly outline: LibraryOutline;
      readonly applied: Applied;
    };

interface LibraryOutlines {
  readonly outlines: readonly LibraryOutline[];
  readonly failures: readonly { readonly task: PatchTask; readonly error: unknown }[];
}

function lackingError(typedName: string, names: readonly string[]): Error {
  return patchRefusal(
    typedName,
    `the library is as it was: it needs ${names.join(', ')}, which neither the tree nor the set of a program has`,
    'add to the store what has it, and say it again',
    'lacking',
  );
}

/** A program that names the launcher only has no farm that a library could name. */
export async function outlineLibraries(
  tasks: readonly LibraryTask[],
  groups: readonly OutlineGroup[],
): Promise<LibraryOutlines> {
  const outlines: LibraryOutline[] = [];
  const failures: { task: PatchTask; error: unknown }[] = [];
  for (const task of tasks) {
    const { typedName, others, options, context } = task;
    if (groups.length === 0 || mannerOf(options).method === 'interpreter') break;
    try {
      const target = findTarget(typedName, context.location.storeDir);
      const known = await patchPlaces(context.host.uid);
      const outlook = outlineLibrary(target, { groups, names: task.names, known });
      if (outlook.kind === 'whole') continue;
      if (outlook.kind === 'lacking') throw lackingError(typedName, outlook.names);
      const names = namesOfTarget(target, hardLinksOf(options), others);
      if (!isDryRun(options)) refuseUnreplaceable(target, names, context.host.uid);
      outlines.push(outlook.outline);
    } catch (error) {
      failures.push({ task, error });
    }
  }
  return { outlines, failures };
}

/** @throws ForeignError; the library is as it was then. */
export async function patchLibrary(
  outline: LibraryOutline,
  shared: SharedFarm,
  { others, options, context, dirs }: PatchTask,
): Promise<PatchedLibrary> {
  const isDry = isDryRun(options);
  const { target } = outline;
  const names = namesOfTarget(target, hardLinksOf(options), others);
  const work = () =>
    withOriginal(
      target,
      context,
      isDry ? 'in the cache' : 'beside',
      async (original): Promise<PatchedLibrary> => {
        const plan = planLibrary(outline, shared, original);
        if (isAlreadySo(plan)) {
          if (isDry) return { kind: 'unchanged', plan, outline };
          return { kind: 'unchanged', plan, outline, held: await holdAgain(plan, names, context, dirs) };
        }
        refuseSecondPatch(plan, options);
        if (isDry) return { kind: 'planned', plan, outline };
        const prove = (copy: string) => proveLibrary(plan, outline, copy);
        const applied = await applyPatch(plan, { names, trial: undefined, prove }, context, dirs);
        return { kind: 'patched', plan, outline, applied };
      },
    );
  return await withLock(path.join(dirs.locks, `patch-${planKey(target.path)}`), work);
}
