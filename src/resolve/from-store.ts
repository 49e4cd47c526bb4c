// A program without a fingerprint that serves → its plan, by choosing libraries from the store as it is now; or the
// refusal of the loader or of the simulation, with what the user can do about it.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { type Choices, hasChoices, NO_CHOICES } from '../choices/choices.ts';
import { hintOfVanished, whyVanished } from '../farm/vanished.ts';
import { layOutAndVerify, type Rejected, refusedWhenOpened, type VerifiedSet } from '../farm/verify-set.ts';
import type { Fingerprint } from '../fingerprint/fingerprint.ts';
import { type SavedRoot, saveAndPin } from '../fingerprint/save-and-pin.ts';
import { restore, type SavedBefore, savedBefore } from '../fingerprint/saved-fingerprints.ts';
import { ForeignError } from '../host/errors.ts';
import { debug, listText, moreText, notice } from '../host/output.ts';
import { fileWord } from '../host/shell-words.ts';
import { bringing, type Demand } from '../index/bring-packages.ts';
import { type RootAdder, refusingRootAdder } from '../store/add-and-pin.ts';
import { touchSonameTables } from '../store/soname-table.ts';
import { nameOfStoreObject, objectNameIn, storeObjectOf } from '../store/store-location.ts';
import type { ClosestSentence } from './conflict-error.ts';
import { type FetchRounds, noFetches, releaseFetched } from './fetch-rounds.ts';
import { noteFetched } from './fetched-record.ts';
import { type DynamicProgram, hasChanged, type Job, type Resolution, rootOf, verdictOf } from './job.ts';
import { noticeUnserved } from './opened-drivers.ts';
import { chooseLibraries, type Excluded, type SolvedSet } from './solve-program.ts';
import { finishPlan, type PreparedPlan, preparePlan } from './write-plan.ts';

/** A store object can vanish between two steps; after this many rounds something else is wrong. */
const ROUNDS = 3;

/** Each round leaves out one more store object; a set that cannot be laid out after so many is not worth more. */
const MOST_EXCLUDED = 8;

/** A collector took a store path between two steps; `file` is in it, where it is known. */
interface VanishedAttempt {
  readonly kind: 'vanished';
  readonly why: string;
  readonly file?: string | undefined;
}

type LoadedAttempt = Resolution | VanishedAttempt;

type ResolveAttempt =
  | LoadedAttempt
  /** The loader would take another file than the chosen one. `instead`: the store object of the chosen one. */
  | { readonly kind: 'mismatch'; readonly instead: string; readonly error: ForeignError }
  /** The loader refuses libraries that the program may open; the set is to be had without them. */
  | { readonly kind: 'optional-refused'; readonly names: readonly string[] };

/**
 * Solves, verifies, pins and plans. When a store path vanishes in between, solves again; likewise when no layout makes
 * the loader take what was chosen, as where an rpath in the store names another file: then without that.
 * @throws ForeignError where there is no coherent set, none that serves the drivers, or the loader refuses it.
 */
export async function resolveFromStore(job: Job): Promise<Resolution> {
  const retries: ExcludedRetries = {
    avoided: new Set(),
    optional: new Set(),
    refusal: undefined,
    fetches: noFetches(),
    before: savedBefore(job.dirs, job.sha256, rootOf(job)),
    tried: [],
  };
  let resolution: Resolution | undefined;
  try {
    resolution = await resolveInRounds(job, retries);
    return resolution;
  } finally {
    releaseFetched(retries.fetches);
    // Where the program changed meanwhile, what was taken is the fingerprint of the content that it had: it serves the
    // next try.
    if (resolution === undefined) await restore(job.context.nix, retries.before, retries.tried);
  }
}

async function resolveInRounds(job: Job, retries: ExcludedRetries): Promise<Resolution> {
  const { program, context } = job;
  const excluded = new Set<string>();
  const unread = new Map<string, string>();
  let [why, hint] = ['', ''];
  for (let round = 1; round <= ROUNDS; round += 1) {
    const attempt = await attemptWithout(excluded, job, retries);
    if (attempt === undefined) break;
    if (attempt.kind !== 'vanished') {
      noticeUnread(program.typedName, excluded, unread);
      return attempt;
    }
    const { file = '' } = attempt;
    why = attempt.why;
    debug(`round ${round}: a store path vanished (${why}); solving again`);
    const object = storeObjectOf(context.location.storeDir, file);
    // A file that is there could not be read, by a failing disk or for want of descriptors: that may pass, and a set
    // without it would be kept for good. Of an object that Nix does not know the object itself is named.
    const isUnread = object !== file && existsSync(file);
    if (object && isUnread && !unread.has(object)) unread.set(object, file);
    else if (object) excluded.add(object);
    hint = hintOfVanished({ file: isUnread ? file : '' });
  }
  if (excluded.size > 0 && [...excluded].every((object) => existsSync(object) && !unread.has(object))) {
    // Nothing vanished: the database lost it, or is of another store than the directory, as in a container.
    const rootAdder = refusingRootAdder(`Nix does not know ${[...excluded].sort()[0]}, which is there`);
    const attempt = await attemptWhatLoads(job, new Set(), () => rootAdder, retries);
    if (attempt.kind !== 'vanished') return attempt;
  }
  throw new ForeignError(
    `${program.typedName}: libraries vanish from the store while they are chosen: ${why}`,
    { code: 'vanishing', hint, exitCode: 125 },
  );
}

/** The set is kept until `--refresh`, and whoever makes the disk whole should know that. */
function noticeUnread(
  typedName: string,
  excluded: ReadonlySet<string>,
  unread: ReadonlyMap<string, string>,
): void {
  for (const [object, file] of unread)
    if (excluded.has(object))
      notice(`${typedName}: ${whyVanished({ file })}; until --refresh it starts without ${object}`);
}

interface ExcludedRetries {
  /** Store objects that the loader does not come to. */
  readonly avoided: Set<string>;
  /** Names that the program may open and the loader refuses. */
  readonly optional: Set<string>;
  /** The error of the first set that the loader did not take: what is said when no other serves. */
  refusal: ForeignError | undefined;
  /** What came of a file index, and how much of it. */
  readonly fetches: FetchRounds;
  /** What comes back where no set is taken. Not after each round: what is pinned may keep the others of a set. */
  readonly before: SavedBefore;
  /** Sets that were pinned, or saved without Nix. */
  readonly tried: Fingerprint[];
}

/** Undefined where there is no set without what is left out and is there: the error would call that a choice. */
async function attemptWithout(
  excluded: ReadonlySet<string>,
  job: Job,
  retries: ExcludedRetries,
): Promise<LoadedAttempt | undefined> {
  const isOneThere = [...excluded].some((each) => existsSync(each));
  const attempt = attemptWhatLoads(job, excluded, () => job.rootAdders.current(), retries);
  return await attempt.catch((error: unknown) => {
    if (isOneThere && error instanceof ForeignError) return undefined;
    throw error;
  });
}

async function attemptWhatLoads(
  job: Job,
  gone: ReadonlySet<string>,
  rootAdder: () => RootAdder | undefined,
  retries: ExcludedRetries,
): Promise<LoadedAttempt> {
  for (;;) {
    const excluded = { objects: new Set([...gone, ...retries.avoided]), optional: retries.optional };
    const attempt = await attemptOnce(job, excluded, rootAdder(), retries).catch((error: unknown) => {
      throw retries.refusal !== undefined && error instanceof ForeignError ? retries.refusal : error;
    });
    if (attempt.kind === 'optional-refused') {
      for (const name of attempt.names) retries.optional.add(name);
      debug(`the loader refuses optional libraries: ${attempt.names.join(', ')}; solving again without`);
      continue;
    }
    if (attempt.kind !== 'mismatch') return attempt;
    retries.refusal ??= attempt.error;
    if (retries.avoided.has(attempt.instead) || retries.avoided.size === MOST_EXCLUDED) throw retries.refusal;
    debug(`the loader does not take ${attempt.instead}; solving again`);
    retries.avoided.add(attempt.instead);
  }
}

/** What the user pinned, and the libc family, have no substitute. */
function replaceable({ mismatches }: Rejected, { libraries }: Fingerprint): string | undefined {
  const names = new Set(mismatches.map(({ name }) => name));
  return libraries.find(({ soname, match }) => names.has(soname) && match !== 'pinned')?.storePath;
}

async function attemptOnce(
  job: Job,
  excluded: Excluded,
  rootAdder: RootAdder | undefined,
  { fetches, before, tried }: ExcludedRetries,
): Promise<ResolveAttempt> {
  const solved = await chooseLibraries(job, excluded, fetches);
  if (job.unservedDrivers === 'refused') refuseUnserved(job.program.typedName, solved.drivers.unserved);
  tried.push(solved.fingerprint);
  const held = await pinAndVerify(job, solved, rootAdder);
  if (held.kind === 'vanished') return held;
  const { root, set, prepared } = held;
  const objection = await objectionTo(set, solved, job);
  if (objection !== undefined) await restore(job.context.nix, before, tried);
  if (objection?.kind === 'optional-refused') return objection;
  if (objection !== undefined || set.kind === 'rejected')
    return mismatchOr(objection?.error, set, solved.fingerprint);
  const { plugIns, drivers } = solved;
  const pinnedSet = { set, root, origin: 'resolved here', plugIns, drivers: drivers.files, prepared };
  const plan = await finishPlan(pinnedSet, job);
  touchSonameTables(job.dirs.catalogues, job.context.location.storeDir);
  noteFetched(job.dirs, job.sha256, fetches.came);
  if (plan === undefined)
    return hasChanged(job.program) ? { kind: 'changed' } : { kind: 'vanished', why: 'a file of the plan' };
  noticeCompromises(job.program.typedName, solved);
  return { kind: 'planned', plan };
}

type PinnedAndVerified =
  | VanishedAttempt
  | {
      readonly kind: 'held';
      readonly root: SavedRoot;
      readonly set: VerifiedSet | Rejected;
      readonly prepared?: PreparedPlan | undefined;
    };

/**
 * Pinning and verifying do not need each other, nor does what a plan has beside it need a root. The plan relies on all;
 * it comes after, and so does the last look at the files it names.
 */
async function pinAndVerify(
  job: Job,
  solved: SolvedSet,
  rootAdder: RootAdder | undefined,
): Promise<PinnedAndVerified> {
  const { program, dirs, context } = job;
  const { fingerprint, libraries, plugIns } = solved;
  const verdict = verdictOf(program, context);
  const request = { known: libraries, libraryPathDirs: program.libraryPathDirs, verdict };
  const verify = () => layOutAndVerify(fingerprint, program, dirs.farms, request);
  const verifyAndPrepare = async () => {
    const set = await verify();
    if (set.kind !== 'verified') return { set, prepared: undefined };
    return { set, prepared: await preparePlan({ set, plugIns }, job) };
  };
  // Nix has ended when this goes on, whatever came of the other: the caller may pin again. What failed while nothing
  // held the set is no error where the set vanished.
  const [pinning, verified] = await Promise.allSettled([
    saveAndPin(rootAdder, fingerprint, dirs, rootOf(job)),
    verifyAndPrepare(),
  ]);
  if (pinning.status === 'rejected') throw pinning.reason;
  const root = pinning.value;
  if (root.kind === 'vanished') return root;
  if (verified.status === 'rejected') throw verified.reason;
  // What the loader missed may have been taken just then; by now all is held.
  const { set, prepared } =
    verified.value.set.kind === 'rejected' ? { set: await verify(), prepared: undefined } : verified.value;
  if (set.kind === 'vanished') return { kind: 'vanished', why: whyVanished(set), file: set.file };
  return { kind: 'held', root, set, prepared };
}

type Objection =
  | Extract<ResolveAttempt, { kind: 'optional-refused' }>
  | { readonly kind: 'refused'; readonly error: ForeignError };

/** What the loader has against a set, at the start or when an optional library of it is opened. */
async function objectionTo(
  set: VerifiedSet | Rejected,
  solved: SolvedSet,
  job: Job,
): Promise<Objection | undefined> {
  const optional = optionalNamesOf(solved.fingerprint);
  const names = set.kind === 'rejected' ? optional : await refusedWhenOpened(set, job.program, optional);
  if (names.length > 0) return { kind: 'optional-refused', names };
  const error = await refusalOf(set, solved, job);
  return error && { kind: 'refused', error };
}

/** @throws ForeignError `driver-unserved`. */
function refuseUnserved(typedName: string, driver: string | undefined): void {
  if (driver === undefined) return;
  throw new ForeignError(`${typedName}: no set of the store serves the driver ${driver}`, {
    code: 'driver-unserved',
    hint: 'bring a newer glibc into the store, with libraries that were built for it',
    exitCode: 126,
  });
}

function noticeCompromises(typedName: string, { closest, wanting, drivers }: SolvedSet): void {
  for (const { what, why } of closest) notice(`${typedName}: ${what}: ${why}`);
  noticeWanting(typedName, wanting);
  noticeUnserved(typedName, drivers.unserved);
}

/** In one line, however many a note names. */
function noticeWanting(typedName: string, wanting: SolvedSet['wanting']): void {
  const [first] = wanting;
  if (first === undefined) return;
  const names = wanting.map(({ name }) => name);
  const all = names.length > 2 ? listText(names, 2) : names.join(' and ');
  const why = wanting.length === 1 ? first.why : 'they cannot be had; nix-foreign explain says why';
  notice(
    `${typedName}: ${path.basename(first.readIn)} says that it requires ${all}, and starts without: ${why}`,
  );
}

function optionalNamesOf({ libraries }: Fingerprint): string[] {
  return libraries.filter(({ match }) => match === 'dlopen').map(({ soname }) => soname);
}

/** @throws the refusal, where no other library can take the place of one that the loader does not come to. */
function mismatchOr(
  error: ForeignError | undefined,
  set: VerifiedSet | Rejected,
  fingerprint: Fingerprint,
): ResolveAttempt {
  const instead = set.kind === 'rejected' ? replaceable(set, fingerprint) : undefined;
  if (instead === undefined || error === undefined) throw error;
  return { kind: 'mismatch', instead, error };
}

/** Why the program would not start with a set; undefined where it would. */
async function refusalOf(
  set: VerifiedSet | Rejected,
  { fingerprint, closest, listTells }: SolvedSet,
  { program, choices }: Job,
): Promise<ForeignError | undefined> {
  const chosen = choices?.choices ?? NO_CHOICES;
  const loader = fingerprint.loader.storePath;
  if (set.kind === 'rejected') {
    const complaints = await withSimulatedReasons(program, set);
    const hint = remedyOfRejection(program, complaints, closest, chosen);
    return rejection(program, { loader, complaints, closest, hint });
  }
  const complaints = listTells === 'all' ? [] : await startComplaints(program, set);
  if (complaints.length === 0) return undefined;
  return rejection(program, { loader, complaints, closest, hint: remedyOfEnd(program, chosen) });
}

/** The loader says what is wrong; the simulation knows for whom, and where it was looked for. */
async function withSimulatedReasons(program: DynamicProgram, rejected: Rejected): Promise<string[]> {
  // Loaded when there is something to tell: an ordinary first start asks the loader alone.
  const { simulateStart } = await import('../ldso/simulate-start.ts');
  const { withReasons } = await import('../ldso/trace-text.ts');
  const trace = simulateStart(program, program.libc, rejected.loader, rejected.libraryPath);
  return withReasons(rejected.complaints, trace);
}

function remedyOfEnd({ typedName }: DynamicProgram, { pins }: Choices): string {
  return Object.keys(pins).length > 0
    ? `choose again, or take your choice back: nix-foreign choose ${fileWord(typedName)} --reset`
    : 'get a build of the program for this processor, or start it on a machine that has what it demands';
}

interface RefusedSet {
  /** Store object of the loader. */
  readonly loader: string;
  readonly complaints: readonly string[];
  readonly closest: readonly ClosestSentence[];
  readonly hint: string;
}

function rejection(program: DynamicProgram, { loader, complaints, closest, hint }: RefusedSet): ForeignError {
  const [first = 'no reason given', ...others] = complaints;
  const more = others.length > 0 ? ` (${moreText(others.length).trimStart()})` : '';
  const sentences = [`${first}${more}`, ...closest.map(({ what }) => what)].join('; ');
  return new ForeignError(`${program.typedName}: the loader of ${loader} refuses the set: ${sentences}`, {
    code: 'rejected',
    hint,
    exitCode: 126,
  });
}

/**
 * One line for each reason, of the simulation; none for a set that starts. `--list` does not check the level of the
 * processor that an object demands (ldso/NOTES.md, "glibc: after the list").
 */
async function startComplaints(program: DynamicProgram, set: VerifiedSet): Promise<string[]> {
  // Loaded when it is needed: an ordinary first start asks the loader alone.
  const { simulateStart } = await import('../ldso/simulate-start.ts');
  const { complaintsOf } = await import('../ldso/trace-text.ts');
  return complaintsOf(simulateStart(program, program.libc, set.loader, set.askedPath));
}

/** The store object that the complaint is about. */
function objectIn(complaint: string): string | undefined {
  const found = objectNameIn(/^\/[^\s:']+/.exec(complaint)?.[0] ?? '');
  return found && nameOfStoreObject(found);
}

/**
 * The likeliest cause first: the user's own choices, then libraries of another version, then the library that the
 * loader names. The solver knows nothing against the set, so choosing among the same candidates would be guessing.
 */
export function remedyOfRejection(
  program: Demand & Pick<DynamicProgram, 'typedName'>,
  complaints: readonly string[],
  closest: readonly unknown[],
  choices: Choices,
): string {
  const { typedName } = program;
  const bring = `into the store, ${bringing([], program)}`;
  if (hasChoices(choices))
    return `choose again, or take your choices back: nix-foreign choose ${fileWord(typedName)} --reset`;
  if (closest.length > 0) return `bring the exact ${closest.length === 1 ? 'library' : 'libraries'} ${bring}`;
  const object = objectIn(complaints[0] ?? '');
  return object === undefined
    ? `bring other builds of these libraries ${bring}`
    : `leave that library out: nix-foreign choose ${fileWord(typedName)} --exclude '${object}'; or bring another build of it ${bring}`;
}
