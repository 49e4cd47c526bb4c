// A library that a running program found nowhere → its files: the program's set with it, verified, pinned and planned.
// What cannot be had beside what is loaded → a note, so that the next start solves with it from the beginning.
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Requirer } from '../candidates/problem.ts';
import { leadsToAnotherLibc } from '../farm/another-libc.ts';
import { whyVanished } from '../farm/vanished.ts';
import { isRefusedWhenOpened, layOutAndVerify, type VerifiedSet } from '../farm/verify-set.ts';
import type { Fingerprint, FingerprintLibrary } from '../fingerprint/fingerprint.ts';
import { type SavedRoot, saveAndPin, startRootAdders } from '../fingerprint/save-and-pin.ts';
import { pin, restore, savedBefore } from '../fingerprint/saved-fingerprints.ts';
import { removeLeftovers } from '../host/atomic-file.ts';
import type { Directories } from '../host/directories.ts';
import { realPath } from '../host/files.ts';
import { withLock } from '../host/mutex.ts';
import { debug, notice } from '../host/output.ts';
import { extendedPlan, planOfCopy, withoutLoader } from '../plan/make-plan.ts';
import { whyNotCurrent, writePlan } from '../plan/plan-files.ts';
import { planKey } from '../plan/plan-format.ts';
import { type Answers, addAnswers, addLearned, isAnswered } from '../plan/run-time-files.ts';
import {
  againFile,
  type LearnedName,
  type LearnedPlugIn,
  learnedIn,
  opensPassingFiles,
  readRunTimeRecord,
  solveAgain,
  writeRunTimeRecord,
} from '../plan/run-time-record.ts';
import { noteProgram, runTimeRoots } from '../plan/run-time-roots.ts';
import { inspectProgram } from '../program/inspect-program.ts';
import { asPresent, extendSet, type PresentProblem } from '../solver/extend-set.ts';
import type { Choice, Solution } from '../solver/solution.ts';
import { openNixDatabase } from '../store/nix-database.ts';
import { removeHalfMade } from '../store/root-link.ts';
import { catalogueState, stateOfSonameTable, touchSonameTables } from '../store/soname-table.ts';
import type { Context } from './context.ts';
import { type DynamicProgram, rootOf, verdictOf } from './job.ts';
import { objectsOfPlugIn, opening, plugInOf, wouldServe } from './learned.ts';
import { driverFor } from './opened-drivers.ts';
import {
  type Extension,
  openExtension,
  presentFiles,
  type RunTimeQuestion,
  withPresentSet,
} from './present-set.ts';
import { libraryPathOf, workingDirectoryOf } from './running-process.ts';
import { type SiblingPlugIns, scannedDirectory, serveSiblings } from './sibling-plug-ins.ts';
import { solveProgram } from './solve-program.ts';
import { savePlan } from './write-plan.ts';

interface Extended {
  readonly added: readonly Choice[];
  /** Why the name could not be had; undefined where it was. */
  readonly why: string | undefined;
  /** Nobody offers it: no other set would have it. */
  readonly isHopeless?: boolean;
  readonly state: bigint;
  /** The file of the running driver, where that serves the name. */
  readonly driver?: string | undefined;
  /** The name was taken without the rest of its requester's needs, which another set may serve. */
  readonly isPartial?: boolean;
  /** What the plug-ins beside the one that asked will ask for. */
  readonly siblings?: SiblingPlugIns | undefined;
}

/** All that the requester needs, else the name alone, in the versions that the requester wants. */
function alternativesFor({ question, program }: Extension): readonly (readonly Requirer[])[] {
  const { name, requester } = question;
  const plugIn = path.isAbsolute(requester) && plugInOf(requester, program);
  if (!plugIn) return [[opening(name)]];
  const verneed = plugIn.elf.verneed.filter(({ file }) => file === name);
  const alone: Requirer = { ...opening(name), label: path.basename(requester), verneed };
  const inStore = requester.startsWith('/nix/store/');
  return inStore ? [[alone]] : [[...objectsOfPlugIn(plugIn), opening(name)], [alone]];
}

/** The process goes on with the library path that it was started with, which the next start may have otherwise. */
function ofAnotherLibc(
  { plan, loaded }: Extension,
  { loader: { path: loader } }: Solution,
  opened: readonly NamedFile[],
  isFamily: (name: string) => boolean,
): string | undefined {
  if (plan?.libraryPath?.split(':').includes(path.dirname(loader))) return undefined;
  const names = new Set(loaded.store.map(({ soname }) => soname));
  const process = { loader, isFamily, isLoaded: (name: string) => names.has(name) };
  const other = opened.find(([, file]) => leadsToAnotherLibc(file, process));
  return other && `${other[0]} would bring libraries of another libc than ${loader}`;
}

/** Whether all that a requester needs is offered, and does not fit: `taken` is then the name alone. */
function isPartOf(
  { problem, solution }: PresentProblem,
  [whole]: readonly (readonly Requirer[])[],
  taken: readonly Requirer[],
): boolean {
  if (whole === undefined || taken === whole) return false;
  const [outcome] = extendSet(problem, solution, [{ alternatives: [whole] }]).outcomes;
  return outcome?.kind === 'left-out' && outcome.isOffered;
}

/** `directory`: the one that the program scans for plug-ins. */
function extend(extension: Extension, directory: string | undefined): Promise<Extended> {
  return withPresentSet(extension, ({ catalogue, problem, present: solution }) => {
    const state = catalogueState(catalogue);
    if (solution === undefined) return { added: [], why: 'its loader is not in the store', state };
    const driver = driverFor(extension.question.name, problem);
    const alternatives = alternativesFor(extension).map((objects) => [...objects, ...driver]);
    const extended = extendSet(problem, solution, [{ alternatives }]);
    const { added, outcomes } = extended;
    const outcome = outcomes[0];
    if (outcome?.kind === 'left-out')
      return { added, why: outcome.why(), isHopeless: !outcome.isOffered, state };
    const opened = [...added.map(answerOf), ...driver.map((each): NamedFile => [each.label, each.path])];
    const why = ofAnotherLibc(extension, solution, opened, problem.isFamily);
    const isPartial = isPartOf({ problem, solution }, alternatives, outcome?.by ?? []);
    const result = { added, why, state, isPartial, driver: driver[0]?.path };
    if (directory === undefined || added.length === 0 || why !== undefined) return result;
    const siblings = serveSiblings(extension, asPresent({ problem, solution }, extended));
    const ahead = siblings.added.map(answerOf);
    const isNever = ofAnotherLibc(extension, solution, ahead, problem.isFamily) !== undefined;
    return { ...result, siblings: isNever ? { added: [], plugIns: [] } : siblings };
  });
}

type NamedFile = readonly [name: string, file: string];

/** As ld.so shall open it: a library that looks beside itself, in its own directory (farm/layout.ts). */
function answerOf({ name, provider: { path: file, usesOrigin } }: Choice): NamedFile {
  return [name, usesOrigin === true ? path.join(path.dirname(file), name) : file];
}

function libraryOf({ name, provider }: Choice, narHash: string | undefined): FingerprintLibrary {
  const { storePath, file } = provider;
  return {
    soname: name,
    storePath,
    file,
    match: 'dlopen',
    ...(narHash === undefined ? {} : { narHash }),
  };
}

function extendedFingerprint(
  fingerprint: Fingerprint,
  added: readonly Choice[],
  { location }: Context,
): Fingerprint {
  const names = new Set(fingerprint.libraries.map(({ soname }) => soname));
  const database = openNixDatabase(location);
  try {
    const libraries = [
      ...fingerprint.libraries,
      ...added
        .filter(({ name }) => !names.has(name))
        .map((choice) => libraryOf(choice, database?.narHashOf(choice.provider.storePath))),
    ].sort((a, b) => (a.soname < b.soname ? -1 : 1));
    return { ...fingerprint, libraries };
  } finally {
    database?.close();
  }
}

/** How the program is started stays as it is: this may run where that is to be seen no more, as in a namespace. */
function saveExtended(
  { plan, dirs, context, question }: Extension,
  set: VerifiedSet,
  root: SavedRoot,
  plugIns: readonly string[],
): boolean {
  if (plan?.auditModule === undefined) return false;
  addLearned(question.directory, plugIns);
  const place = { directory: question.directory, module: plan.auditModule };
  const { root: before = root.file } = plan;
  const files = plan.files.map((file) => (file === before ? root.file : file));
  const next = extendedPlan({ ...plan, files, root: root.file, loader: set.loader }, set, place, dirs.farms);
  // In a namespace or a view other files lie at the interpreter path and elsewhere; they decided nothing now.
  const { interpreterPath: _, watchedOutside: __, absentOutside: ___, rule: ____, ...rest } = next;
  const why = whyNotCurrent({ ...rest, watched: [], absent: [] }, context.host.uid);
  if (why !== undefined) debug(`the extended plan is out of date: ${why}`);
  if (why !== undefined) return false;
  if (next.strategy === 'patched' && next.execute !== undefined)
    writePlan(dirs, planOfCopy(next, next.execute));
  savePlan(dirs, plan.loader === undefined ? withoutLoader(next) : next);
  return true;
}

/** What is added to a set, and the plug-ins that it counts then. */
type Addition = Pick<SiblingPlugIns, 'added' | 'plugIns'>;

/** Why the loader would not start the program with the extended set, in a clause; undefined where it is planned. */
async function planExtended(
  extension: Extension,
  dynamic: DynamicProgram,
  fingerprint: Fingerprint,
  { added, plugIns }: Addition,
): Promise<string | undefined> {
  const { dirs, context } = extension;
  const { libraryPathDirs } = dynamic;
  const sha256 = fingerprint.program.sha256;
  const link = rootOf({ dirs, sha256, program: dynamic });
  const next = extendedFingerprint(fingerprint, added, context);
  const rootAdders = startRootAdders(context.nix, link, 'now');
  try {
    const set = await layOutAndVerify(next, dynamic, dirs.farms, {
      libraryPathDirs,
      verdict: verdictOf(dynamic, { ...context, isStart: true }),
    });
    if (set.kind === 'vanished') return whyVanished(set);
    if (set.kind === 'rejected') return set.complaints[0] ?? 'the loader refuses it';
    const names = added.map(({ name }) => name);
    if (await isRefusedWhenOpened(set, dynamic, names)) return 'the loader refuses it';
    const before = savedBefore(dirs, sha256, link);
    const root = await saveAndPin(rootAdders.current(), next, dirs, link);
    if (root.kind === 'vanished') return root.why;
    if (saveExtended(extension, set, root, plugIns)) return undefined;
    await restore(context.nix, before, [next]); // the process has what it asked for, and its next start asks again
    return undefined;
  } finally {
    rootAdders.close();
  }
}

/** With what its siblings need; where the loader refuses that, what was asked for alone. */
async function planWhatFits(
  extension: Extension,
  dynamic: DynamicProgram,
  fingerprint: Fingerprint,
  { added, siblings }: Extended,
): Promise<Addition & Pick<Extended, 'why'>> {
  if (siblings !== undefined && siblings.plugIns.length > 0) {
    const all = { added: [...added, ...siblings.added], plugIns: siblings.plugIns };
    const why = await planExtended(extension, dynamic, fingerprint, all);
    if (why === undefined) return { ...all, why };
    debug(`what the other plug-ins of its directory need is left out: ${why}`);
  }
  const alone = { added, plugIns: [] };
  return { ...alone, why: await planExtended(extension, dynamic, fingerprint, alone) };
}

/** What came of a question, and the directory that was scanned for it. */
interface Outcome extends Addition, Pick<Extended, 'why' | 'isPartial'> {
  readonly scanned: string | undefined;
}

/** Without what the loader refused, or will refuse, and what is closed again: another set may be needed for it. */
function servedOf(
  { question: { requester }, loaded }: Extension,
  plugIns: readonly LearnedPlugIn[],
  { isPartial }: Outcome,
): LearnedPlugIn[] {
  const files = new Set([requester, ...loaded.elsewhere].map(realPath));
  if (isPartial) files.delete(realPath(requester));
  return plugIns.filter((each) => files.has(realPath(each.path)));
}

function remember(extension: Extension, outcome: Outcome): LearnedName[] {
  const { why, plugIns: counted, scanned } = outcome;
  const { question, program } = extension;
  const { directory, name, requester } = question;
  const now = new Date().toISOString();
  const { names, plugIns } = learnedIn(directory, now);
  const entry = { name, requester, when: now, ...(why === undefined ? {} : { why }) };
  const earlier = names.filter((each) => each.name !== name);
  const record = readRunTimeRecord(directory);
  const known = record?.plugIns ?? [];
  const ahead = new Set(counted);
  const served = new Set([...servedOf(extension, plugIns, outcome), ...known].map((each) => each.path));
  const all = plugIns
    .filter((each) => ahead.has(each.path) || served.has(each.path))
    .map((each) => (ahead.has(each.path) ? { path: each.path } : each));
  writeRunTimeRecord(directory, {
    ...record,
    program: program.path,
    names: [...earlier, entry],
    plugIns: why === undefined ? all : known,
    ...(scanned === undefined ? {} : { scanned: [...(record?.scanned ?? []), scanned] }),
  });
  // The plan that has the name watches the list as it is now, with what was refused.
  const isLeft = why === undefined && all.length < plugIns.length;
  if (isLeft && !opensPassingFiles(directory)) solveAgain(directory);
  return [...names];
}

/** Once for each name: a start that was solved with it in mind and has no set for it is not made again. */
function tellUnfit(extension: Extension, before: readonly LearnedName[]): void {
  const { question, program, plan } = extension;
  const { name, directory } = question;
  if (before.some((each) => each.name === name && each.why !== undefined)) return;
  if (plan?.auditModule === undefined) return; // of a program of Nix no set is looked for
  solveAgain(directory);
  notice(
    `${path.basename(program.path)}: ${name} does not fit beside what is loaded; the next start looks for a set with it`,
  );
}

/** The name that was asked for last: no other has the next start solve anew without a word. */
function isUnfitTold(directory: string): boolean {
  return existsSync(againFile(directory)) && readRunTimeRecord(directory)?.names.at(-1)?.why !== undefined;
}

/**
 * A plug-in that the loader refused, as one that needs a newer library than the set has: the next start counts it, and
 * the user is told where that will help. Said once: after a name that did not fit it was said already.
 */
async function tellRefused(extension: Extension): Promise<void> {
  const { question, program, dynamic, choices, plan } = extension;
  if (dynamic === undefined) return;
  const plugIn = plugInOf(question.name, program);
  if (plugIn === undefined || plan === undefined || isUnfitTold(question.directory)) return;
  const helps = await withPresentSet(extension, ({ catalogue, problem, present }) => {
    if (present === undefined) return false;
    const { outcomes } = extendSet(problem, present, [{ alternatives: [objectsOfPlugIn(plugIn)] }]);
    return (
      outcomes[0]?.kind === 'left-out' &&
      wouldServe(solveProgram(dynamic, catalogue, new Set(), choices), plugIn)
    );
  });
  const names = [program.path, question.name].map((file) => path.basename(file));
  if (helps)
    notice(
      `${names[0]}: ${names[1]} does not fit beside what is loaded; the next start looks for a set with it`,
    );
}

/** What is had for it, in the plan where there is one. */
async function carryOut(extension: Extension, extended: Extended): Promise<Addition & Pick<Extended, 'why'>> {
  const { dynamic, fingerprint } = extension;
  const { added, why } = extended;
  if (why === undefined && dynamic !== undefined && fingerprint !== undefined && added.length > 0)
    return await planWhatFits(extension, dynamic, fingerprint, extended);
  if (why === undefined) await pinEach(extension, added);
  return { added, why, plugIns: [] };
}

async function answer(extension: Extension): Promise<void> {
  const { question, dirs, context } = extension;
  const { name, directory } = question;
  const scanned = scannedDirectory(extension);
  const extended = await extend(extension, scanned);
  const { state, isHopeless = false, isPartial = false, siblings } = extended;
  const outcome = await carryOut(extension, extended);
  const { why, added } = outcome;
  const before = remember(extension, { ...outcome, isPartial, scanned: siblings && scanned });
  const found = why === undefined ? added.map(answerOf) : [];
  const file = (why === undefined ? extended.driver : undefined) ?? presentFiles(extension).get(name);
  const answers: Answers = new Map<string, string | undefined>([[name, file], ...found]);
  addAnswers(directory, answers, state);
  touchSonameTables(dirs.catalogues, context.location.storeDir);
  debug(`${name}: ${why ?? [...answers.values()].join(', ')}`);
  if (why !== undefined && !isHopeless) tellUnfit(extension, before);
}

/** For a program of Nix, which has no fingerprint. Where Nix cannot, the answer holds as long as the file is there. */
async function pinEach(
  { question, context, dirs, program }: Extension,
  added: readonly Choice[],
): Promise<void> {
  const { nix } = context;
  if (nix === undefined) return;
  const roots = runTimeRoots(dirs, question.directory);
  const paths = new Set(added.map(({ provider }) => provider.storePath));
  if (paths.size > 0) noteProgram(roots, program.path);
  for (const storePath of paths) {
    const link = path.join(roots, path.basename(storePath));
    removeHalfMade(link);
    if ((await pin(nix, link, storePath)).kind !== 'rooted') debug(`${storePath} is not pinned`);
  }
}

/**
 * Answers a question of the audit module in the run-time directory. What the process has loaded stays as it is.
 * @throws ForeignError and Node's errors; the search of the process then fails as it would have without us.
 */
export async function extendPlan(
  question: RunTimeQuestion,
  asked: Context,
  dirs: Directories,
): Promise<void> {
  const record = readRunTimeRecord(question.directory);
  if (record === undefined) return;
  const { processId } = question;
  const started = { libraryPath: libraryPathOf(processId), workingDirectory: workingDirectoryOf(processId) };
  const context = { ...asked, host: { ...asked.host, ...started } };
  const program = inspectProgram(record.program, context.host);
  const { elf } = program;
  if (elf === undefined) return;
  await withLock(path.join(dirs.locks, planKey(program.path)), async () => {
    removeLeftovers(question.directory);
    const state = stateOfSonameTable(dirs.catalogues, context.location.storeDir, elf.machine);
    if (isAnswered(question.directory, question.name, state)) return; // another process asked meanwhile
    const extension = await openExtension(question, { ...program, elf }, context, dirs);
    if (!question.name.startsWith('/')) await answer(extension);
    else await tellRefused(extension);
  });
}
