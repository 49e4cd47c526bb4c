// A program and the options of `nix-foreign patch` → the program patched, or what would be written.
import path from 'node:path';
import type { Directories } from '../../host/directories.ts';
import { ForeignError } from '../../host/errors.ts';
import { withLock } from '../../host/mutex.ts';
import { notice } from '../../host/output.ts';
import { fileWord } from '../../host/shell-words.ts';
import { METHODS, type Method } from '../../integrations/patch/choose-edits.ts';
import { planKey } from '../../plan/plan-format.ts';
import {
  type Applied,
  applyPatch,
  FARM_REFUSED,
  type Held,
  holdAgain,
  isAlreadySo,
  proveProgram,
} from '../../resolve/apply-patch.ts';
import type { Context } from '../../resolve/context.ts';
import { withStartable } from '../../resolve/original-of.ts';
import {
  findTarget,
  type HardLinks,
  namesOfTarget,
  type PatchTarget,
  patchRefusal,
  refuseOthersDirectory,
  refuseOutputInPlace,
  refuseUnreplaceable,
} from '../../resolve/patch-target.ts';
import {
  type EditPlan,
  outlinePatch,
  type PatchManner,
  type PatchOutline,
  type PatchPlan,
  planPatch,
  type SharedFarm,
} from '../../resolve/plan-patch.ts';
import type { ChooseWords } from '../choose/session.ts';
import { programOutput } from '../output-file.ts';
import { usageError } from '../usage-error.ts';

export interface PatchOptions {
  readonly output: string | undefined;
  readonly method: string | undefined;
  readonly hardLinks: string | undefined;
  readonly trial: string | undefined;
  /** Of `choose`. */
  readonly words: ChooseWords;
  /** Names of the options without a value that were given: `dryRun`, `noLift` ... */
  readonly set: ReadonlySet<string>;
  /** The tree was copied for it, and the copy goes as a whole where a file fails. */
  readonly isCopy?: true;
}

/** One program and what became of it. */
export type PatchOutcome =
  | { readonly kind: 'planned'; readonly plan: PatchPlan }
  /** `held`: but for a dry run. */
  | { readonly kind: 'unchanged'; readonly plan: PatchPlan; readonly held?: Held }
  | { readonly kind: 'patched'; readonly plan: PatchPlan; readonly applied: Applied }
  /** The question was answered with no, or left with Ctrl-C. */
  | { readonly kind: 'declined' | 'cancelled' }
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

export function mannerOf({ method, set }: PatchOptions): PatchManner {
  return {
    method: oneOf<Method | 'auto'>(method, ['auto', ...METHODS], '--method', 'auto'),
    rename: !set.has('noRename'),
    lift: !set.has('noLift'),
    plain: set.has('plain'),
    usersFirst: set.has('userLibrariesFirst'),
  };
}

async function askedFor(
  plan: PatchPlan,
  { set }: PatchOptions,
): Promise<'agreed' | 'declined' | 'cancelled'> {
  const isAsked = process.stdin.isTTY === true && process.stderr.isTTY === true;
  if (!isAsked || set.has('yes')) return 'agreed';
  const { agree } = await import('../choose/prompts.ts');
  const grows = plan.chosen.changes.added?.bytes.length ?? 0;
  const answer = await agree(
    `Patch ${plan.target.typedName} (${plan.undo.ranges.length} edits, ${grows} bytes larger, undo by nix-foreign unpatch)?`,
    process.stderr,
  );
  if (answer.kind === 'cancelled') return 'cancelled';
  return answer.value ? 'agreed' : 'declined';
}

export interface PatchTask {
  readonly typedName: string;
  readonly others: readonly string[];
  readonly options: PatchOptions;
  readonly context: Context;
  readonly dirs: Directories;
  /** Takes what `--json` says of it. */
  tell(row: unknown): void;
  /** Of a tree, by the programs' real paths. */
  readonly farms?: ReadonlyMap<string, SharedFarm>;
}

/** Whether nothing is to be written. */
export function isDryRun({ set }: PatchOptions): boolean {
  return set.has('dryRun') || set.has('diff');
}

/** What can be known before the farms are. @throws ForeignError for what cannot be patched. */
export async function outlineOne({
  typedName,
  others,
  options,
  context,
  dirs,
}: PatchTask): Promise<PatchOutline> {
  const target = findTarget(typedName, context.location.storeDir);
  const names = namesOfTarget(target, hardLinksOf(options), others);
  if (!isDryRun(options)) refuseUnreplaceable(target, names, context.host.uid);
  return await withStartable(target, context, 'in the cache', (original) =>
    outlinePatch({ target, original, manner: mannerOf(options), context, dirs }),
  );
}

export function hardLinksOf({ hardLinks, set }: PatchOptions): HardLinks {
  return oneOf(hardLinks, HARD_LINKS, '--hard-links', set.has('tree') ? 'all' : 'refuse');
}

/**
 * With `--strict` what is done may have to be undone, which gives what a file was before its first patch.
 * @throws ForeignError.
 */
export function refuseSecondPatch({ target, original }: EditPlan, { set, isCopy }: PatchOptions): void {
  if (!set.has('strict') || isCopy === true || original.patched === undefined) return;
  const { typedName } = target;
  throw patchRefusal(
    typedName,
    'it is patched already by other choices, and could not be put back if another file fails',
    `take it back first: nix-foreign unpatch ${fileWord(typedName)}; or leave --strict out`,
    'patched-before',
  );
}

/** What is to be patched, and under which names it is written. @throws ForeignError where that cannot be. */
export function replaceableTarget({
  typedName,
  others,
  options,
  context,
}: Pick<PatchTask, 'typedName' | 'others' | 'options' | 'context'>): {
  readonly target: PatchTarget;
  readonly output: string | undefined;
  readonly names: readonly string[];
} {
  const target = findTarget(typedName, context.location.storeDir);
  const { uid } = context.host;
  const output = options.output === undefined ? undefined : programOutput(typedName, options.output, uid);
  if (output !== undefined) refuseOutputInPlace(target, output, 'patch');
  const names = output === undefined ? namesOfTarget(target, hardLinksOf(options), others) : [output];
  if (!isDryRun(options)) {
    if (output === undefined) refuseUnreplaceable(target, names, uid);
    else refuseOthersDirectory(target, names, uid, { command: 'patch', output });
  }
  return { target, output, names };
}

export async function patchOne(task: PatchTask): Promise<PatchOutcome> {
  const { typedName, options, context, dirs, farms } = task;
  const { trial } = options;
  const isDry = isDryRun(options);
  const { target, output, names } = replaceableTarget(task);
  if (path.resolve(typedName) !== target.path && !isDry) notice(`${typedName} leads to ${target.path}`);
  const work = () =>
    withStartable(
      target,
      context,
      isDry || output !== undefined ? 'in the cache' : 'beside',
      async (original): Promise<PatchOutcome> => {
        const inputs = { target, original, manner: mannerOf(options), context, dirs };
        const planned = (kind?: 'directory') =>
          planPatch(inputs, kind === undefined ? { shared: farms?.get(target.path) } : { kind });
        const isSame = (each: PatchPlan) => output === undefined && isAlreadySo(each);
        const consent = async (each: PatchPlan) => {
          refuseSecondPatch(each, options);
          return isDry ? 'agreed' : await askedFor(each, options);
        };
        const plan = await planned();
        const wasSame = isSame(plan);
        const answer = wasSame ? 'agreed' : await consent(plan);
        if (answer !== 'agreed') return { kind: answer };
        if (isDry) return { kind: wasSame ? 'unchanged' : 'planned', plan };
        const words = trial?.split(/\s+/).filter((word) => word !== '');
        const apply = async (each: PatchPlan): Promise<PatchOutcome> => {
          if (isSame(each))
            return { kind: 'unchanged', plan: each, held: await holdAgain(each, names, context, dirs) };
          const applying = { names, trial: words, prove: (copy: string) => proveProgram(each, copy, dirs) };
          return { kind: 'patched', plan: each, applied: await applyPatch(each, applying, context, dirs) };
        };
        try {
          return await apply(plan);
        } catch (error) {
          if (!(error instanceof ForeignError) || error.code !== FARM_REFUSED) throw error;
          notice(`${error.message}; a directory of ours in ${dirs.state} stands in for it`);
          const other = await planned('directory');
          // Nobody was asked about a file that was to stay as it is.
          const late = wasSame && !isSame(other) ? await consent(other) : 'agreed';
          return late === 'agreed' ? await apply(other) : { kind: late };
        }
      },
    );
  return await withLock(path.join(dirs.locks, `patch-${planKey(target.path)}`), work);
}
