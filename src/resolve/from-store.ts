// A program nobody planned before → its plan, by choosing libraries from the store as it is now.
// A set that the loader's `--list` accepted → what would end each start all the same.
// What the real loader said of a set → one line of what the user can do about it.
import { existsSync } from 'node:fs';
import { type Choices, hasChoices, NO_CHOICES } from '../choices/choices.ts';
import type { SavedChoices } from '../choices/choices-file.ts';
import { layOutAndVerify, type VerifiedSet, type Rejected } from '../farm/verify-set.ts';
import type { Fingerprint } from '../fingerprint/fingerprint.ts';
import { saveAndPin, type RootAdders } from '../fingerprint/save-and-pin.ts';
import { pinned, restore } from '../fingerprint/saved-fingerprints.ts';
import type { Place } from '../host/directories.ts';
import { ForeignError } from '../host/errors.ts';
import { debug, notice } from '../host/output.ts';
import type { LaunchPlan } from '../plan/plan-format.ts';
import { refusingRootAdder, type RootAdder } from '../store/add-and-pin.ts';
import { nameOfStoreObject, storeObjectOf } from '../store/store-location.ts';
import type { ClosestSentence } from './conflict-error.ts';
import type { Context } from './context.ts';
import { type Dynamic, rootFile } from './dynamic-program.ts';
import { solveFromStore } from './solve-program.ts';
import { finishPlan } from './write-plan.ts';

/** A store object can vanish between two steps; after this many rounds something else is wrong. */
const ROUNDS = 3;

/** Each round leaves out one more store object; a set that cannot be laid out after so many is not worth more. */
const MOST_EXCLUDED = 8;

type Attempt =
  | { readonly kind: 'planned'; readonly plan: LaunchPlan }
  /** A store path was taken by the collector between two steps. `why` names it. */
  | { readonly kind: 'vanished'; readonly why: string }
  /** The loader would take another file than the chosen one. `instead`: the store object of the chosen one. */
  | { readonly kind: 'strayed'; readonly instead: string; readonly error: ForeignError };

export interface Job {
  readonly subject: Dynamic;
  readonly sha256: string;
  readonly context: Context;
  readonly place: Place;
  readonly savedChoices: SavedChoices | undefined;
  readonly rootAdders: RootAdders;
}

/**
 * Chooses, proves, pins and plans. When a store path vanishes in between, chooses again; likewise when no layout makes
 * the loader take what was chosen, as where an rpath in the store names another file: then without that.
 * @throws ForeignError where there is no coherent set, or the loader refuses it.
 */
export async function resolveFromStore(job: Job): Promise<LaunchPlan> {
  const { subject, context, rootAdders } = job;
  const excluded = new Set<string>();
  const retries: ExcludedRetries = { avoided: new Set(), refusal: undefined };
  let why = '';
  for (let round = 1; round <= ROUNDS; round += 1) {
    const attempt = await chooseWhatLoads(job, excluded, () => rootAdders.current(), retries);
    if (attempt.kind === 'planned') return attempt.plan;
    why = attempt.why;
    debug(`round ${round}: a store path vanished (${why}); choosing again`);
    const gone = /\/[^\s'"]+/.exec(why)?.[0];
    const object = gone === undefined ? undefined : storeObjectOf(context.location.storeDir, gone);
    if (object !== undefined) excluded.add(object);
  }
  if (excluded.size > 0 && [...excluded].every((object) => existsSync(object))) {
    // Nothing vanished: the database is of another store than the directory, as with a store mounted into a container.
    const rootAdder = refusingRootAdder(`Nix does not know ${[...excluded].sort()[0]}, which is there`);
    const attempt = await chooseWhatLoads(job, new Set(), () => rootAdder, retries);
    if (attempt.kind === 'planned') return attempt.plan;
  }
  throw new ForeignError(
    `${subject.program.given}: libraries vanish from the store while they are chosen: ${why}`,
    {
      code: 'vanishing',
      hint: 'wait for the garbage collection that is running and try again',
      exitCode: 125,
    },
  );
}

interface ExcludedRetries {
  /** Store objects that the loader does not come to. */
  readonly avoided: Set<string>;
  /** What is said when nothing else serves: why the set that was wanted first does not. */
  refusal: ForeignError | undefined;
}

async function chooseWhatLoads(
  job: Job,
  gone: ReadonlySet<string>,
  rootAdder: () => RootAdder | undefined,
  retries: ExcludedRetries,
): Promise<Exclude<Attempt, { kind: 'strayed' }>> {
  for (;;) {
    const attempt = await choose(job, new Set([...gone, ...retries.avoided]), rootAdder()).catch(
      (error: unknown) => {
        throw retries.refusal !== undefined && error instanceof ForeignError ? retries.refusal : error;
      },
    );
    if (attempt.kind !== 'strayed') return attempt;
    retries.refusal ??= attempt.error;
    if (retries.avoided.has(attempt.instead) || retries.avoided.size === MOST_EXCLUDED) throw retries.refusal;
    debug(`the loader does not take ${attempt.instead}; choosing again`);
    retries.avoided.add(attempt.instead);
  }
}

/** What the user pinned, and the libc family, have no substitute. */
function replaceable({ mismatches }: Rejected, { libraries }: Fingerprint): string | undefined {
  const names = new Set(mismatches.map(({ name }) => name));
  return libraries.find(({ soname, match }) => names.has(soname) && match !== 'pinned')?.storePath;
}

async function choose(
  { subject, sha256, context, place, savedChoices }: Job,
  excluded: ReadonlySet<string>,
  rootAdder: RootAdder | undefined,
): Promise<Attempt> {
  const choices = savedChoices?.choices ?? NO_CHOICES;
  const chosen = await solveFromStore(subject, sha256, context, place, excluded, choices);
  const { fingerprint, libraries, closest } = chosen;
  const link = rootFile(place, sha256, subject.program);
  const before = pinned(link);
  // Pinning and proving do not need each other; the plan, which relies on both, comes after, and so does the last
  // look at the files it names.
  const pinning = saveAndPin(rootAdder, fingerprint, place, link);
  const prove = () =>
    layOutAndVerify(fingerprint, subject.program.path, subject.libc, place.farms, {
      known: libraries,
      libraryPathDirs: subject.program.libraryPathDirs,
    });
  const [root, first] = await Promise.all([pinning, prove()]);
  if (root.kind === 'vanished') return root;
  // What the loader missed may have been taken just then; by now all is held.
  const proven = first.kind === 'rejected' ? await prove() : first;
  if (proven.kind === 'rejected') {
    restore(link, before);
    const complaints = await withSimulatedReasons(subject, proven);
    const remedy = remedyOfRejection(subject.program.given, complaints, closest, choices);
    const error = rejection(subject, fingerprint.loader.storePath, complaints, closest, remedy);
    const instead = replaceable(proven, fingerprint);
    if (instead === undefined) throw error;
    return { kind: 'strayed', instead, error };
  }
  if (proven.kind === 'vanished') return { kind: 'vanished', why: proven.file };
  const ends = chosen.listTells === 'all' ? [] : await startComplaints(subject, proven);
  if (ends.length > 0) {
    restore(link, before);
    throw rejection(subject, fingerprint.loader.storePath, ends, closest, remedyOfEnd(subject, choices));
  }
  const finished = { subject, sha256, proven, root, choices: savedChoices?.file, origin: 'resolved here' };
  const plan = finishPlan(finished, context, place);
  if (plan === undefined) return { kind: 'vanished', why: 'a file of the plan' };
  for (const { what, why } of closest) notice(`${subject.program.given}: ${what}: ${why}`);
  return { kind: 'planned', plan };
}

/** The loader says what is wrong; the simulation knows for whom, and where it was looked for. */
async function withSimulatedReasons({ program, elf, libc }: Dynamic, rejected: Rejected): Promise<string[]> {
  // Loaded when there is something to tell: an ordinary first start asks the loader alone.
  const { simulateStart } = await import('../ldso/simulate-start.ts');
  const { withReasons } = await import('../ldso/trace-text.ts');
  const trace = simulateStart({ path: program.path, elf }, libc, rejected.loader, rejected.libraryPath);
  return withReasons(rejected.complaints, trace);
}

function remedyOfEnd({ program }: Dynamic, { pins }: Choices): string {
  return Object.keys(pins).length > 0
    ? `choose again, or take your choice back: nix-foreign choose ${program.given} --reset`
    : 'get a build of the program for this processor, or start it on a machine that has what it demands';
}

function rejection(
  subject: Dynamic,
  loader: string,
  complaints: readonly string[],
  closest: readonly ClosestSentence[],
  hint: string,
): ForeignError {
  const first = complaints[0] ?? 'no reason given';
  const more = complaints.length > 1 ? ` (and ${complaints.length - 1} more)` : '';
  return new ForeignError(
    `${subject.program.given}: the loader of ${loader} refuses the set: ${[`${first}${more}`, ...closest.map(({ what }) => what)].join('; ')}`,
    {
      code: 'rejected',
      hint,
      exitCode: 126,
    },
  );
}

/**
 * One line for each reason, of the simulation; none for a set that starts. `--list` does not check the level of the
 * processor that an object demands (loader/NOTES.md, "glibc: after the list").
 */
export async function startComplaints({ program, elf, libc }: Dynamic, proven: VerifiedSet): Promise<string[]> {
  // Loaded when it is needed: an ordinary first start asks the loader alone.
  const { simulateStart } = await import('../ldso/simulate-start.ts');
  const { complaintsOf } = await import('../ldso/trace-text.ts');
  return complaintsOf(simulateStart({ path: program.path, elf }, libc, proven.loader, proven.askedPath));
}

const BRING = "into the store, e.g. nix-build '<nixpkgs>' -A PACKAGE, and try again";

/** The store object that the complaint is about. */
function objectIn(complaint: string): string | undefined {
  const found = /^\/\S*?\/[0-9a-z]{32}-[^/\s:']+/.exec(complaint)?.[0];
  return found && nameOfStoreObject(found);
}

/**
 * The likeliest cause first: the user's own choices, then libraries of another version, then the library that the
 * loader names. The solver knows nothing against the set, so choosing among the same candidates would be guessing.
 */
export function remedyOfRejection(
  given: string,
  complaints: readonly string[],
  closest: readonly unknown[],
  choices: Choices,
): string {
  if (hasChoices(choices))
    return `choose again, or take your choices back: nix-foreign choose ${given} --reset`;
  if (closest.length > 0) return `bring the exact ${closest.length === 1 ? 'library' : 'libraries'} ${BRING}`;
  const object = objectIn(complaints[0] ?? '');
  return object === undefined
    ? `bring other builds of these libraries ${BRING}`
    : `leave that library out: nix-foreign choose ${given} --exclude '${object}'; or bring another build of it ${BRING}`;
}
