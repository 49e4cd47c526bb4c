// A trusted fingerprint from elsewhere → the program's plan by it: fetched, checked against the store and by the
// loader, pinned; or why it cannot serve here.
import { existsSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { elfFileAt } from '../elf/open-elf.ts';
import { whyVanished } from '../farm/vanished.ts';
import { layOutAndVerify, pathOfStoreFile, type VerifiedSet } from '../farm/verify-set.ts';
import { checkInStore, realFileOf, type StoreCause } from '../fingerprint/check-store.ts';
import { type Fingerprint, type FingerprintLibrary, storePathsOf } from '../fingerprint/fingerprint.ts';
import { type Root, saveAndPin } from '../fingerprint/save-and-pin.ts';
import { restore, savedBefore } from '../fingerprint/saved-fingerprints.ts';
import { temporaryName } from '../host/atomic-file.ts';
import { debug, listText } from '../host/output.ts';
import { allowing, type FetchPolicy, policyBy } from '../index/fetch-policy.ts';
import { simulateStart } from '../ldso/simulate-start.ts';
import { complaintsOf } from '../ldso/trace-text.ts';
import { whyNoLoaderFile } from '../program/libc.ts';
import { firstDisturbed, type Identities, identitiesOf, realise, releaseLinks } from '../store/fetch.ts';
import { type Nix, showOnStderr } from '../store/nix.ts';
import { hasNixDatabase } from '../store/nix-state.ts';
import { pathFacts } from '../store/path-info.ts';
import { previewFetch } from '../store/preview-fetch.ts';
import type { Context } from './context.ts';
import type { FingerprintSearch, TrustedFound } from './find-fingerprint.ts';
import { servedBeside } from './from-saved-fingerprint.ts';
import { hasChanged, type Job, type Resolution, rootOf, type Unserving, verdictOf } from './job.ts';
import { finishPlan } from './write-plan.ts';

interface UnusedFingerprint {
  readonly kind: 'refused';
  readonly why: string;
  /** `not-allowed`: it could be fetched, and the settings, a limit or the user are against it. */
  readonly cause?: 'not-allowed';
}

export type UsedFingerprint = Resolution | Unserving | UnusedFingerprint;

/** A store path was taken by a collector. */
interface Gone {
  readonly kind: 'vanished';
  readonly why: string;
}

const refused = (why: string): UnusedFingerprint => ({ kind: 'refused', why });

const notAllowed = (why: string): UnusedFingerprint => ({ kind: 'refused', why, cause: 'not-allowed' });

const gone = (why: string): Gone => ({ kind: 'vanished', why });

type Fetched = { readonly kind: 'there'; readonly links: readonly string[] } | UnusedFingerprint | Gone;

async function missingOf(fingerprint: Fingerprint, { context }: FingerprintSearch): Promise<string[]> {
  const paths = storePathsOf(fingerprint);
  const valid = await validPaths(context, paths);
  return paths.filter((each) => !valid.has(each));
}

function lackOf(missing: readonly string[]): string {
  return missing.length === 0 ? 'the set cannot be held' : `the store has no ${listText(missing, 1)}`;
}

/** A refusal that comes of what a collector did meanwhile is none. */
function unlessDisturbed(outcome: UsedFingerprint | Gone, before: Identities): UsedFingerprint | Gone {
  if (outcome.kind !== 'refused') return outcome;
  const disturbed = firstDisturbed(before);
  return disturbed === undefined ? outcome : gone(`${disturbed} was taken by a collector; ${outcome.why}`);
}

function policyOf({ settings, allow, budget }: FingerprintSearch): FetchPolicy {
  return { ...policyBy(settings, budget.spent), ...(allow === undefined ? {} : { allow }) };
}

/** What a fetch would bring, or what speaks against it: a document of a few lines can name many GiB. */
async function weigh(
  missing: readonly string[],
  nix: Nix,
  search: FingerprintSearch,
): Promise<UnusedFingerprint | { readonly kind: 'go'; readonly download: number }> {
  if (missing.length === 0) return { kind: 'go', download: 0 };
  const previewed = await previewFetch(nix, missing);
  if (previewed.kind === 'failed') return refused(`${lackOf(missing)}: ${previewed.why}`);
  const { preview, unreachable } = previewed;
  // Nix would wait for that cache once more, and what others have would come in vain.
  if (unreachable !== undefined && preview.unknown.length > 0)
    return refused(`${lackOf(missing)}: ${unreachable}`);
  // It came meanwhile, or no cache has it, and then Nix says why.
  if (preview.paths.length === 0) return { kind: 'go', download: 0 };
  const { refusalOf } = await import('../index/fetch-absent.ts');
  const asking = { program: search.program.typedName, policy: policyOf(search), endLine: () => {} };
  const { budget, context } = search;
  const refusal = budget.refusal ?? refusalOf(preview, asking, context.location.storeDir);
  if (refusal === undefined) return { kind: 'go', download: preview.download };
  if (refusal.by === 'user') budget.refusal = refusal;
  return notAllowed(`${refusal.why}; ${refusal.remedy}`);
}

/** Bytes that are still to come of a fetch that failed: Nix says it. */
async function leftOf(missing: readonly string[], nix: Nix): Promise<number> {
  const again = await previewFetch(nix, missing);
  return again.kind === 'failed' ? 0 : again.preview.download;
}

/** Has Nix fetch what is missing, by the settings, and hold all of the set from then on. */
async function fetchMissing(
  fingerprint: Fingerprint,
  missing: readonly string[],
  search: FingerprintSearch,
): Promise<Fetched> {
  const { context, dirs, settings, program, budget } = search;
  const { nix } = context;
  const lack = lackOf(missing);
  if (settings.fetch === 'never') {
    if (!settings.substitute) return notAllowed(`${lack}, and substitute is off`);
    const allow = allowing(program.typedName, policyOf(search));
    return notAllowed(`${lack}, and fetching is off; allow it once: ${allow}`);
  }
  if (nix === undefined) return refused(`${lack}, and there is no Nix to fetch it`);
  const weighed = await weigh(missing, nix, search);
  if (weighed.kind === 'refused') return weighed;
  // A name that `removeLeftovers` knows, so that a kill leaves no roots for good.
  const directory = temporaryName(path.join(dirs.state, 'fetching', 'fingerprint'));
  const link = path.join(directory, 'link');
  const realised = await realise(nix, storePathsOf(fingerprint), link, showOnStderr);
  const isAllHere = realised.kind === 'realised' || realised.kind === 'undone';
  const left = isAllHere || weighed.download === 0 ? 0 : await leftOf(missing, nix);
  budget.spent += Math.max(0, weighed.download - left);
  if (realised.kind === 'realised') return { kind: 'there', links: [...realised.links, directory] };
  releaseLinks([directory]);
  if (realised.kind === 'undone') return gone(realised.why);
  return refused(`${lack}: ${realised.why}`);
}

/** The identity of no store object. */
const NOT_THERE = '';

/**
 * A path can vanish although a link holds it: a collector that began before the link was made may not know of it. And
 * two rounds pass until a path is missing that Nix holds valid without its file.
 */
const ROUNDS = 4;

/**
 * Makes the plan, or says in one clause why the fingerprint cannot serve here. What the maker of the fingerprint chose
 * by hand is no choice of this user's: it is used as it is.
 * @throws Node's errors when the place cannot be written.
 */
export async function useFingerprint(
  found: TrustedFound,
  search: FingerprintSearch,
): Promise<UsedFingerprint> {
  const { choices: _, ...fingerprint } = found.fingerprint;
  const before = savedBefore(search.dirs, search.sha256, rootOf(search));
  const tried: Fingerprint[] = [];
  let used: UsedFingerprint | undefined;
  try {
    used = await useInRounds({ ...found, fingerprint }, search, () => tried.push(fingerprint));
    return used;
  } finally {
    // Not after each round: what is pinned may keep the others of the set. Nor where the program changed meanwhile.
    if (used?.kind !== 'planned' && used?.kind !== 'changed')
      await restore(search.context.nix, before, tried);
  }
}

async function useInRounds(
  found: TrustedFound,
  search: FingerprintSearch,
  onPin: () => void,
): Promise<UsedFingerprint> {
  const { fingerprint } = found;
  for (let round = 1; ; round += 1) {
    const paths = storePathsOf(fingerprint);
    const there = identitiesOf(paths);
    const missing = await missingOf(fingerprint, search);
    // What came while Nix was asked counts, also where it is gone by now. What is there and not valid was left behind,
    // and is replaced.
    const valid = paths.filter((each) => !missing.includes(each));
    const before = new Map(valid.map((each) => [each, there.get(each) ?? NOT_THERE]));
    // Nothing holds a set that is all there until it is pinned; from the second round on it is held.
    const isHeld = missing.length > 0 || (round > 1 && canFetch(search));
    const outcome = isHeld
      ? await fetchAndUse(found, missing, search, onPin)
      : await checkAndPin(found, search, onPin);
    const used = unlessDisturbed(outcome, before);
    if (used.kind !== 'vanished') return used;
    if (hasChanged(search.program)) return { kind: 'changed' };
    if (round === ROUNDS) return refused(used.why);
    debug(`round ${round}: ${used.why}`);
  }
}

function canFetch({ context, settings }: FingerprintSearch): boolean {
  return context.nix !== undefined && settings.fetch !== 'never';
}

async function fetchAndUse(
  found: TrustedFound,
  missing: readonly string[],
  search: FingerprintSearch,
  onPin: () => void,
): Promise<UsedFingerprint | Gone> {
  const { fingerprint } = found;
  const fetched = await fetchMissing(fingerprint, missing, search);
  if (fetched.kind !== 'there') return fetched;
  const before = identitiesOf(storePathsOf(fingerprint));
  try {
    return unlessDisturbed(await checkAndPin(found, search, onPin), before);
  } finally {
    releaseLinks(fetched.links);
  }
}

type Checked =
  | { readonly kind: 'sound'; readonly set: VerifiedSet }
  | { readonly kind: 'refused'; readonly cause: StoreCause; readonly why: string };

/**
 * Whether the set could start the program here as the store is now. Nothing is fetched or pinned. `beforeLoading` is
 * called when only the loader is left to be asked.
 */
export async function check(
  fingerprint: Fingerprint,
  search: FingerprintSearch,
  beforeLoading: () => void = () => {},
): Promise<Checked> {
  const { location } = search.context;
  let set: VerifiedSet | undefined;
  const answer = await checkInStore(fingerprint, realpathSync(location.storeDir), {
    validPaths: (paths) => validPaths(search.context, paths),
    realFileOf,
    whyNotLoaded: async () => {
      beforeLoading();
      const result = await verifyHere(fingerprint, search);
      if (typeof result === 'string') return result;
      set = result;
      return undefined;
    },
  });
  if (answer.kind === 'refused') return answer;
  return set === undefined
    ? { kind: 'refused', cause: 'loader', why: 'nobody asked the loader' }
    : { kind: 'sound', set };
}

async function checkAndPin(
  { fingerprint, where, signedBy }: TrustedFound,
  search: FingerprintSearch,
  onPin: () => void,
): Promise<UsedFingerprint | Gone> {
  const { dirs, rootAdders } = search;
  const { judgeDrivers, noticeUnserved } = await import('./opened-drivers.ts');
  const drivers = judgeDrivers(fingerprint, search);
  if ('why' in drivers) return drivers;
  const link = rootOf(search);
  let pinning: Promise<Root> | undefined;
  // Nix pins while the loader is asked, and has ended before anything is taken back.
  const checked = await check(fingerprint, search, () => {
    onPin();
    pinning = saveAndPin(rootAdders.current(), fingerprint, dirs, link);
    pinning.catch(() => {}); // it is awaited below
  }).finally(() => pinning?.catch(() => {}));
  const root = await pinning;
  if (checked.kind === 'refused') {
    const isGone = checked.cause === 'missing' || root?.kind === 'vanished';
    return isGone ? gone(checked.why) : refused(checked.why);
  }
  if (root === undefined) return refused('nobody pinned it');
  if (root.kind === 'vanished') return gone(`a library vanished while it was pinned: ${root.why}`);
  const origin = signedBy === undefined ? where : `${where}, signed by ${signedBy}`;
  const plan = await finishPlan({ set: checked.set, root, origin, drivers: drivers.files }, search);
  if (plan === undefined) return gone('a library vanished while it was checked');
  noticeUnserved(search.program.typedName, drivers.unserved);
  return { kind: 'planned', plan };
}

function isLinkTo(link: string, file: string): boolean {
  try {
    return realpathSync.native(link) === realpathSync.native(file);
  } catch {
    return false;
  }
}

/**
 * An exact match has the name itself, as its soname, its file's name, or that of a link beside it
 * (store/scan-object.ts).
 */
function isNamed(library: FingerprintLibrary): boolean {
  const { soname } = library;
  const file = pathOfStoreFile(library);
  // The file itself is read last: that takes the longest.
  if (path.basename(file) === soname || isLinkTo(path.join(path.dirname(file), soname), file)) return true;
  return elfFileAt(file)?.soname === soname;
}

/** The verified set, its farm on disk; or why the program would not start with it, in a clause. */
async function verifyHere(
  fingerprint: Fingerprint,
  { program, dirs, context }: Pick<Job, 'program' | 'dirs' | 'context'>,
): Promise<VerifiedSet | string> {
  const { elf, libc } = program;
  // Before anything of the document is run: whoever may add to the store could have called any program so.
  const noLoader = whyNoLoaderFile(pathOfStoreFile(fingerprint.loader), elf, libc);
  if (noLoader !== undefined) return noLoader;
  const beside = servedBeside(fingerprint, program);
  if (beside !== undefined) return `it serves ${beside}, which lies beside the program`;
  const misnamed = fingerprint.libraries.find((each) => each.match === 'exact' && !isNamed(each));
  if (misnamed !== undefined) {
    return `${pathOfStoreFile(misnamed)} is not called ${misnamed.soname}, as an exact match is`;
  }
  const asking = { binding: 'start', verdict: verdictOf(program, context) } as const;
  const set = await layOutAndVerify(fingerprint, program, dirs.farms, asking);
  if (set.kind === 'vanished') return whyVanished(set);
  if (set.kind === 'rejected') return set.complaints[0] ?? 'no reason given';
  return complaintsOf(simulateStart(program, libc, set.loader, set.libraryPath))[0] ?? set;
}

/**
 * Where there is a store and nothing of Nix (mounted into a container), what is there counts, without a hash.
 * @throws ForeignError `nix-failed`.
 */
async function validPaths(
  { location, nix }: Pick<Context, 'location' | 'nix'>,
  storePaths: readonly string[],
): Promise<ReadonlyMap<string, string | undefined>> {
  const facts = await pathFacts(location, nix, storePaths);
  if (nix === undefined && !hasNixDatabase(location)) {
    return new Map(storePaths.filter(existsSync).map((each) => [each, undefined]));
  }
  return new Map([...facts].map(([storePath, { narHash }]) => [storePath, narHash]));
}
