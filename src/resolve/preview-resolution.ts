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

/** Does work with the index, ranked for the program as a start would; undefined where no index can be asked. */
async function withIndex<T>(
  { program, context, dirs, choices }: PreviewRequest,
  lacking: readonly LackingName[],
  work: (ranking: RankContext) => Promise<T> | T,
): Promise<T | undefined> {
  if (lacking.length === 0 || !areFetchable(lacking, program)) return undefined;
  const saved = choices === undefined ? await choicesOfProgram(program, context) : { choices, file: '' };
  const job = { program, context, dirs, choices: saved };
  const rounds = noFetches();
  const settings = await fetchSettings(job);
  const request = { lacking, lookedAt: Date.now(), excluded: new Set<string>(), rounds, isSolved: false };
  const asked = withWholeIndexes(indexPlace(dirs, context.location), async () => {
    const catalogue = await openLackIndex(settings, job, rounds);
    if (catalogue === undefined) return undefined;
    try {
      return await withRanking(job, request, catalogue, work);
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

/** What would be fetched; undefined where nothing is lacking, there is no index or no Nix, or fetching is off. */
export async function previewOfFetch(
  request: PreviewRequest,
  lacking: readonly LackingName[],
): Promise<FetchPlan | undefined> {
  const { nix } = request.context;
  if (nix === undefined || (await fetchSettings(request)).fetch === 'never') return undefined;
  const names = lacking.map(({ name }) => name);
  return await withIndex(request, lacking, (ranking) =>
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
  const names = lacking.map(({ name }) => name);
  const set = await withIndex(request, lacking, (ranking) => chooseSet(names, ranking));
  return set !== undefined && set.chosen.length > 0;
}

/** An attribute of nixpkgs for each name that an index has at its top, without asking any cache. */
export async function attributesByIndex(
  request: PreviewRequest,
  lacking: readonly LackingName[],
): Promise<ReadonlyMap<string, string>> {
  const names = lacking.map(({ name }) => name);
  const set = await withIndex(request, lacking, (ranking) => chooseSet(names, ranking));
  return new Map(
    (set?.chosen ?? []).flatMap(({ name, candidate }): [string, string][] => {
      const attribute = attributeOf(candidate.match.object);
      return attribute === '' ? [] : [[name, attribute]];
    }),
  );
}
