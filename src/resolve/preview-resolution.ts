// A program → what would be chosen for it, and what would be fetched; nothing is fetched, pinned or planned.
import { type Choices, NO_CHOICES } from '../choices/choices.ts';
import type { Directories } from '../host/directories.ts';
import type { ForeignError } from '../host/errors.ts';
import { notice } from '../host/output.ts';
import { noCacheAsked } from '../index/cache-closure.ts';
import { isUnreadableCatalogue } from '../index/catalogue-errors.ts';
import { chooseSet } from '../index/choose-set.ts';
import { copiesOf } from '../index/fetch-absent.ts';
import { attributeOf } from '../index/package-objects.ts';
import { type FetchPlan, planFetch } from '../index/plan-fetch.ts';
import type { RankContext } from '../index/rank-matches.ts';
import { unprovidedNames } from '../solver/explain-conflict.ts';
import type { Choice } from '../solver/solution.ts';
import { withStore } from '../store/open-catalogue.ts';
import { previewFetch } from '../store/preview-fetch.ts';
import { conflictError, hintForAround } from './conflict-error.ts';
import type { Context } from './context.ts';
import { areFetchable, fetchSettings, openLackIndex, withRanking } from './fetch-absent-libraries.ts';
import { noFetches } from './fetch-rounds.ts';
import { indexPlace, withWholeIndexes } from './file-indexes.ts';
import { choicesOfProgram, type DynamicProgram } from './job.ts';
import type { LackingName } from './lacking-names.ts';
import { withOptionalLibraries } from './optional-libraries.ts';
import { solveProgram } from './solve-program.ts';

export interface StorePreview {
  /** Everything from the store, libraries of another version included; empty where that makes no set. */
  readonly chosen: readonly Choice[];
  /** What it may open while it runs. */
  readonly optional: readonly Choice[];
  readonly lacking: readonly LackingName[];
  /** What would be said if nothing were fetched. */
  readonly error: ForeignError | undefined;
  /** Whether what is lacking lies around the program; the error says what to do. */
  readonly isBeside: boolean;
  /** Those of `chosen` that the program or what lies beside it needs; the others are needed by libraries. */
  readonly direct: readonly Choice[];
  /** Names of files that lie beside the program and are its own. */
  readonly bundled: readonly string[];
}

/** What is known of a program, and where. */
interface PreviewRequest {
  readonly program: DynamicProgram;
  readonly context: Context;
  readonly dirs: Directories;
  /** Those that are about to be saved; the saved ones where left out. */
  readonly choices?: Choices;
}

/** What the store alone gives. */
export async function previewFromStore({ program, context, dirs }: PreviewRequest): Promise<StorePreview> {
  const choices = (await choicesOfProgram(program, context))?.choices ?? NO_CHOICES;
  return await withStore(dirs.catalogues, context.location, (catalogue): StorePreview => {
    const { problem, outcome, lacking = [], closest } = solveProgram(program, catalogue, new Set(), choices);
    const bundled = problem.roots.slice(1).map(({ label }) => label);
    if (outcome.kind !== 'solution') {
      const missing = unprovidedNames(problem);
      const error = conflictError(program, outcome, { missing, catalogue, closest });
      const isBeside = hintForAround(program, missing, catalogue) !== undefined;
      return { chosen: [], direct: [], optional: [], lacking, error, isBeside, bundled };
    }
    const { added, solution } = withOptionalLibraries(program, { problem, solution: outcome }, undefined);
    const { choices: chosen } = solution;
    const roots = new Set(problem.roots.map(({ label }) => label));
    const direct = chosen.filter(({ neededBy }) => neededBy.some((label) => roots.has(label)));
    return { chosen, direct, optional: added, lacking, error: undefined, isBeside: false, bundled };
  });
}

/** What an index is asked for. */
interface AskedNames {
  readonly names: readonly string[];
  /** What the store was looked through for in vain. */
  readonly lacking: readonly LackingName[];
}

/** Does work with the index, ranked for the program as a start would; undefined where no index can be asked. */
async function withIndex<T>(
  { program, context, dirs, choices }: PreviewRequest,
  { names, lacking }: AskedNames,
  work: (names: readonly string[], ranking: RankContext) => Promise<T> | T,
): Promise<T | undefined> {
  const isFetchable = areFetchable(
    names.map((name) => ({ name })),
    program,
  );
  if (names.length === 0 || !isFetchable) return undefined;
  const saved = choices === undefined ? await choicesOfProgram(program, context) : { choices, file: '' };
  const job = { program, context, dirs, choices: saved };
  const rounds = noFetches();
  const settings = await fetchSettings(job);
  const request = { lacking, lookedAt: Date.now(), excluded: new Set<string>(), rounds, isSolved: false };
  const asked = withWholeIndexes(indexPlace(dirs, context.location), async () => {
    const catalogue = await openLackIndex(settings, job, rounds);
    if (catalogue === undefined) return undefined;
    try {
      return await withRanking(job, request, catalogue, (ranking) => work(names, ranking));
    } finally {
      catalogue.close();
    }
  });
  return await asked.catch((error: unknown) => {
    if (!isUnreadableCatalogue(error)) throw error;
    notice(`${error.message}; ${error.hint}`);
    return undefined;
  });
}

const allOf = (lacking: readonly LackingName[]): AskedNames => ({
  names: lacking.map(({ name }) => name),
  lacking,
});

/** What would be fetched; undefined where nothing is lacking, there is no index or no Nix, or fetching is off. */
export async function previewOfFetch(
  request: PreviewRequest,
  lacking: readonly LackingName[],
): Promise<FetchPlan | undefined> {
  const { nix } = request.context;
  if (nix === undefined || (await fetchSettings(request)).fetch === 'never') return undefined;
  return await withIndex(request, allOf(lacking), (names, ranking) =>
    planFetch(names, {
      ...ranking,
      preview: (paths) => previewFetch(nix, paths),
      copies: copiesOf(ranking, nix, noCacheAsked()),
    }),
  );
}

/** Whether fetching is off, and with it an index has something for the program. */
export async function isFetchOff(request: PreviewRequest, lacking: readonly LackingName[]): Promise<boolean> {
  const { nix } = request.context;
  if (nix === undefined || (await fetchSettings(request)).fetch !== 'never') return false;
  const set = await withIndex(request, allOf(lacking), chooseSet);
  return set !== undefined && set.chosen.length > 0;
}

/**
 * An attribute of nixpkgs for each name that an index has at its top, without asking any cache. Of a name that is not
 * lacking, what is in the store is as good as anything else.
 */
export async function attributesByIndex(
  request: PreviewRequest,
  asked: AskedNames,
): Promise<ReadonlyMap<string, string>> {
  const set = await withIndex(request, asked, chooseSet);
  return new Map(
    (set?.chosen ?? []).flatMap(({ name, candidate }): [string, string][] => {
      const attribute = attributeOf(candidate.match.object);
      return attribute === '' ? [] : [[name, attribute]];
    }),
  );
}
