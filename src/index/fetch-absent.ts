// Names that the store lacks → fetched and rooted, or why not; one round of a resolution.
import path from 'node:path';
import { fileWord } from '../host/shell-words.ts';
import type { Realised } from '../store/fetch.ts';
import { copyFrom, type FetchWatch, fetchPaths } from '../store/fetch-paths.ts';
import type { Nix } from '../store/nix.ts';
import type { FetchProgress } from '../store/nix-log.ts';
import { type FetchPreview, previewFetch } from '../store/preview-fetch.ts';
import { askOnTerminal, canAskOnTerminal } from './ask-on-terminal.ts';
import { type AskedCaches, type CopiesFound, copiesFrom } from './cache-closure.ts';
import type { NotFound } from './choose-set.ts';
import { allowing, decideFetch, type FetchPolicy, freeSpace, policyAfter } from './fetch-policy.ts';
import { type PlannedFetch, planFetch } from './plan-fetch.ts';
import type { RankContext } from './rank-matches.ts';

type AskingWatch = (address: string, done: number, known: number) => void;

export interface FetchRequest {
  readonly nix: Nix;
  /** How the program is called in messages. */
  readonly program: string;
  /** Name of the first root link (store/realise.ts, realise). */
  readonly link: string;
  readonly policy: FetchPolicy;
  /** What caches said in earlier rounds of this resolution. */
  readonly caches: AskedCaches;
  /** Gets how far a cache is asked that is an index. */
  readonly onAsking: AskingWatch;
  /** Gets the plan and how far it is. */
  readonly onProgress: (plan: PlannedFetch, progress: FetchProgress) => void;
  /** Wipes what the watches show, before a question. */
  readonly endLine: () => void;
  /** For a Nix without a log. */
  readonly show: FetchWatch['show'];
}

/** One line of cause, one of remedy. `user`: who was asked said no; else the settings or the disk are against it. */
export interface FetchRefusal {
  readonly by: 'user' | 'settings';
  readonly why: string;
  readonly remedy: string;
}

type FetchOutcome =
  | {
      readonly kind: 'fetched';
      readonly plan: PlannedFetch;
      /** Root links, to be released when something else roots the paths (store/realise.ts, releaseLinks). */
      readonly links: readonly string[];
      /** Where the last path came from, as Nix has it; empty where it does not say. */
      readonly from: string;
    }
  /** The index has none of the names, or no cache has what it names. */
  | {
      readonly kind: 'nothing';
      readonly absent: readonly NotFound[];
      readonly unavailable: readonly string[];
    }
  | ({ readonly kind: 'refused'; readonly plan: PlannedFetch } & FetchRefusal)
  /** Nix cannot; one clause. */
  | { readonly kind: 'failed'; readonly why: string };

/** `spent`: bytes that were downloaded, also by attempts that lacked something. */
export type FetchedAbsent = FetchOutcome & { readonly spent: number };

/** A cache may lack a file that it told of: then what else is there is taken, some times. */
const MOST_TRIES = 3;

/** What speaks against a fetch: the settings, the disk, or who sits at the terminal and is asked. */
export function refusalOf(
  preview: FetchPreview,
  { program, policy, endLine }: Pick<FetchRequest, 'program' | 'policy' | 'endLine'>,
  storeDir: string,
): FetchRefusal | undefined {
  const around = { room: freeSpace(storeDir), canAsk: canAskOnTerminal() };
  const decision = decideFetch(program, preview, policy, around);
  if (decision.kind === 'go') return undefined;
  if (decision.kind === 'refuse') return { by: 'settings', why: decision.why, remedy: decision.remedy };
  endLine();
  if (askOnTerminal(decision.question) === 'yes') return undefined;
  const remedy = `allow it: ${allowing(program, policy)}, or choose other libraries: nix-foreign choose ${fileWord(program)}`;
  return { by: 'user', why: `what ${program} lacks was not to be fetched`, remedy };
}

/** Bytes that came by an attempt which lacked something: Nix says what is still to come. */
async function broughtBy(
  { preview, paths, copies }: PlannedFetch,
  { isLocal }: RankContext,
  nix: Nix,
): Promise<number> {
  const again = await previewFetch(nix, paths);
  if (again.kind === 'failed') return preview.download;
  const toCopy = new Map(copies.flatMap(({ all }) => [...all]));
  for (const each of again.preview.paths) toCopy.delete(each);
  const left = [...toCopy].map(([storePath, { download }]) => (isLocal(storePath) ? 0 : download));
  return Math.max(
    0,
    left.reduce((sum, each) => sum - each, preview.download - again.preview.download),
  );
}

/** What comes of caches that are no substituters; why not, where it does not come. */
async function copyAll(
  plan: PlannedFetch,
  { nix, link, show, onProgress }: FetchRequest,
): Promise<Realised | undefined> {
  const watch = { show, onProgress: (progress: FetchProgress) => onProgress(plan, progress) };
  for (const copy of plan.copies) {
    const copied = await copyFrom(nix, copy, path.dirname(link), watch);
    if (copied.kind === 'refused') return { kind: 'unavailable', paths: copy.storePaths, why: copied.why };
  }
  return undefined;
}

async function fetchPlan(
  plan: PlannedFetch,
  request: FetchRequest,
): Promise<{ realised: Realised; from: string }> {
  const refused = await copyAll(plan, request);
  if (refused !== undefined) return { realised: refused, from: '' };
  let from = plan.copies[0]?.address ?? '';
  const onProgress = (progress: FetchProgress): void => {
    from = progress.from;
    request.onProgress(plan, progress);
  };
  const realised = await fetchPaths(request.nix, plan.paths, request.link, {
    onProgress,
    show: request.show,
  });
  return { realised, from };
}

function withRefused(context: RankContext, refused: ReadonlySet<string>): RankContext {
  const { opinion } = context;
  return { ...context, opinion: (each, file) => (refused.has(each) ? 'unavailable' : opinion(each, file)) };
}

/** Looks in the caches whose listings are among the indexes; one that does not answer is not asked again. */
export function copiesOf(
  { catalogue, isLocal }: RankContext,
  { env }: Nix,
  caches: AskedCaches,
  onAsking: AskingWatch = () => {},
): (storePaths: readonly string[]) => Promise<CopiesFound> {
  const addresses = catalogue.cacheAddresses();
  const context = { storeDir: catalogue.storeDir, isLocal, env, ...caches, onAsking };
  return (storePaths) => copiesFrom(addresses, storePaths, context);
}

/**
 * Plans, weighs, asks where that is needed, and fetches. Whether the libraries serve is for the caller to see; it calls
 * again with what did not serve excluded, and with what was downloaded, `spent`, added to `policy.spent`.
 * @throws Node's errors when the directory of the links cannot be made.
 */
export async function fetchAbsent(
  names: readonly string[],
  context: RankContext,
  request: FetchRequest,
): Promise<FetchedAbsent> {
  const refused = new Set<string>();
  const copies = copiesOf(context, request.nix, request.caches, request.onAsking);
  const allowed = new Set<string>();
  let [why, spent] = ['', 0];
  for (let attempt = 0; attempt < MOST_TRIES; attempt += 1) {
    const preview = (paths: readonly string[]) => previewFetch(request.nix, paths);
    const plan = await planFetch(names, { ...withRefused(context, refused), preview, copies });
    if (plan.kind === 'nothing' && why !== '') return { kind: 'failed', why, spent };
    if (plan.kind !== 'planned') return { ...plan, spent };
    const policy = policyAfter(request.policy, { allowed, spent }, plan.preview);
    const refusal = refusalOf(plan.preview, { ...request, policy }, context.catalogue.storeDir);
    if (refusal !== undefined) return { kind: 'refused', plan, ...refusal, spent };
    for (const each of plan.preview.paths) allowed.add(each);
    const { realised, from } = await fetchPlan(plan, request);
    const isShort = realised.kind === 'unavailable';
    spent += isShort ? await broughtBy(plan, context, request.nix) : plan.preview.download;
    if (realised.kind === 'realised') return { kind: 'fetched', plan, links: realised.links, from, spent };
    if (realised.kind === 'failed') return { ...realised, spent };
    why = realised.why;
    if (realised.kind === 'unavailable') for (const each of realised.paths) refused.add(each);
  }
  return { kind: 'failed', why, spent };
}
