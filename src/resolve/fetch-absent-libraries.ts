// Names that the store lacks → fetched by a file index, held by links; or what the index knows of them.
import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import { newestFirst } from '../candidates/rank.ts';
import { isExcludedBy } from '../choices/apply.ts';
import { NO_CHOICES } from '../choices/choices.ts';
import { configurationFiles, readConfiguration } from '../config/load-config.ts';
import type { Settings } from '../config/settings.ts';
import { isLibcFamily } from '../elf/library-names.ts';
import { removeLeftovers, temporaryName } from '../host/atomic-file.ts';
import { debug, listText, notice, reportPrefix } from '../host/output.ts';
import { fileWord, shellWord } from '../host/shell-words.ts';
import { isUnreadableCatalogue } from '../index/catalogue-errors.ts';
import { chooseSet, type NotFound } from '../index/choose-set.ts';
import { type FetchedAbsent, type FetchRequest, fetchAbsent } from '../index/fetch-absent.ts';
import { policyBy } from '../index/fetch-policy.ts';
import { absentText, askingText, fetchedText, fetchingText } from '../index/fetch-words.ts';
import type { ReadIndexes } from '../index/manage-indexes.ts';
import { packageName } from '../index/package-name.ts';
import { progressLine, stderrOutput } from '../index/progress-line.ts';
import type { IndexCandidate, RankContext } from '../index/rank-matches.ts';
import type { SideCatalogue } from '../index/side-catalogue.ts';
import { type Nix, showOnStderr } from '../store/nix.ts';
import { type NixDatabase, openNixDatabase } from '../store/nix-database.ts';
import { nameOfStoreObject, originOf } from '../store/store-location.ts';
import { fetchMode } from './context.ts';
import type { FetchRounds, FetchWord } from './fetch-rounds.ts';
import { type FetchedLibrary, fetchedLibrary } from './fetched-record.ts';
import {
  indexPlace,
  indexProblem,
  openCounting,
  openIndexes,
  targetOf,
  withWholeIndexes,
} from './file-indexes.ts';
import type { Job } from './job.ts';
import type { LackingName } from './lacking-names.ts';

/** A wrong first choice costs a further round; whatever is wrong after so many is not the choice. */
const MOST_ROUNDS = 3;

/** What is lacking, and what is known of it. */
interface AbsentRequest {
  readonly lacking: readonly LackingName[];
  /** Milliseconds since 1970: what was in the store by then was looked through. */
  readonly lookedAt: number;
  /** Store objects that must not be chosen. */
  readonly excluded: ReadonlySet<string>;
  readonly rounds: FetchRounds;
  /** Whether other versions of what is lacking would serve. */
  readonly isSolved: boolean;
}

/** The configuration, with what was said on the command line. @throws ForeignError `configuration`. */
export async function fetchSettings({ context }: Pick<Job, 'context'>): Promise<Settings> {
  const { settings } = await readConfiguration(await configurationFiles(context.host), context.env);
  return { ...settings, fetch: fetchMode(context, settings) };
}

/** `GLIBC_2.38` → whether a glibc of that name in the store is too old for it. */
function isTooOld(storePath: string, { name, versions }: LackingName): boolean {
  const { version } = packageName(nameOfStoreObject(storePath));
  return (
    isLibcFamily(name) &&
    versions.some((each) => {
      const needed = /^GLIBC_(\d[\d.]*)$/.exec(each)?.[1];
      return needed !== undefined && /^\d/.test(version) && newestFirst(version) > newestFirst(needed);
    })
  );
}

/**
 * Whether a store object was looked through in vain: of another class or libc, or in a directory that nobody looks in.
 * What came meanwhile was not, as where two programs that start together need the same; Nix counts whole seconds.
 */
function wasLookedThrough(storePath: string, lookedAt: number, database: NixDatabase | undefined): boolean {
  const registered = database?.registeredAt(storePath);
  return registered !== undefined && registered < Math.floor(lookedAt / 1000) && existsSync(storePath);
}

/** The user's choices, and what was tried before. */
function opinionOf(
  { choices: saved }: Pick<Job, 'choices'>,
  { lacking, lookedAt, excluded, rounds }: AbsentRequest,
  database: NixDatabase | undefined,
): RankContext['opinion'] {
  const choices = saved?.choices ?? NO_CHOICES;
  const isExcluded = isExcludedBy(choices);
  const byName = new Map(lacking.map((each) => [each.name, each]));
  return (storePath, file) => {
    const lack = byName.get(path.posix.basename(file));
    if (isExcluded(storePath)) return 'excluded';
    if (rounds.tried.has(storePath) || excluded.has(storePath)) return 'tried';
    if (lack?.known.includes(storePath)) return 'in the store';
    if (lack !== undefined && wasLookedThrough(storePath, lookedAt, database)) return 'in the store';
    if (lack !== undefined && isTooOld(storePath, lack)) return 'too old';
    const name = nameOfStoreObject(storePath);
    return choices.prefer.some((beginning) => name.startsWith(beginning)) ? 'preferred' : 'none';
  };
}

/** Does work with what is needed to rank candidates, and closes it. */
export async function withRanking<T>(
  job: Pick<Job, 'choices' | 'program' | 'context'>,
  lack: AbsentRequest,
  catalogue: SideCatalogue,
  work: (context: RankContext) => Promise<T> | T,
): Promise<T> {
  const database = openNixDatabase(job.context.location);
  try {
    return await work({
      catalogue,
      target: targetOf(job.program.elf),
      newestFirst,
      opinion: opinionOf(job, lack, database),
      isLocal: (storePath) => database?.isValid(storePath) ?? false,
    });
  } finally {
    database?.close();
  }
}

/** One line for each index that somebody named and that does not serve; and for one that is old. */
function tellOfIndexes({ read, useless }: ReadIndexes, { 'index-age': most }: Settings): void {
  for (const { file, why } of useless) notice(`the file index ${file} is not used: ${why}`);
  for (const each of read) {
    const problem = indexProblem(each);
    if (problem !== undefined) notice(`${problem.why}; ${problem.remedy}`);
    else if (most > 0 && each.age !== undefined && each.age > most)
      notice(`the file index ${each.file} is ${each.age} days old; a newer one knows more`);
  }
}

/** The catalogue of the indexes; undefined where there is no index. What is wrong with them is said once. */
export async function openLackIndex(
  settings: Settings,
  { context, dirs }: Pick<Job, 'context' | 'dirs'>,
  rounds: FetchRounds,
): Promise<SideCatalogue | undefined> {
  if (settings.index === 'off') return undefined;
  const indexes = await openIndexes(settings, context, dirs);
  if (!rounds.areIndexesTold) tellOfIndexes(indexes, settings);
  rounds.areIndexesTold = true;
  const catalogue = openCounting(indexes, settings, context, dirs);
  if (catalogue?.sources().some(({ files }) => files > 0)) return catalogue;
  catalogue?.close();
  return undefined;
}

/** The remedy of what is known of a name goes before that of the store's error; a bare "no such name" has none. */
function wordOfAbsent(absent: readonly NotFound[], program: string): FetchWord | undefined {
  if (absent.length === 0) return undefined;
  const told = absent.map((each) => absentText(each, program));
  const isTelling = ({ known, dropped, otherVersions }: NotFound): boolean =>
    known !== undefined || Object.keys(dropped).length > 0 || otherVersions.length > 0;
  const at = [absent.findIndex(({ known }) => known !== undefined), absent.findIndex(isTelling)];
  return {
    kind: 'absent',
    why: told.map(({ why }) => why),
    remedy: told[at.find((each) => each >= 0) ?? -1]?.remedy,
  };
}

const TRY_AGAIN =
  'try again with a network; or see that Nix may fetch: substituters and trusted-public-keys in nix.conf';

type Unfetched = Exclude<FetchedAbsent, { kind: 'fetched' }>;

function wordOf(result: Unfetched, program: string): FetchWord | undefined {
  if (result.kind === 'refused') return { kind: 'not-fetched', why: [result.why], remedy: result.remedy };
  if (result.kind === 'failed')
    return { kind: 'not-fetched', why: [`it cannot be fetched: ${result.why}`], remedy: TRY_AGAIN };
  const { absent, unavailable } = result;
  if (unavailable.length === 0) return wordOfAbsent(absent, program);
  const names = listText(unavailable.map(nameOfStoreObject), 3);
  const why = `the file index names ${names}, which no substituter has`;
  const others = absent.filter(({ dropped }) => dropped.unavailable === undefined);
  return {
    kind: 'not-fetched',
    why: [why, ...(wordOfAbsent(others, program)?.why ?? [])],
    remedy: 'take a newer index, name a cache that has it in nix.conf, or bring the packages by hand',
  };
}

/** Fetching is off, or there is no Nix to do it: nothing but the index is asked. */
function wordWithoutFetching(
  names: readonly string[],
  context: RankContext,
  { program, context: { nix } }: Job,
): FetchWord | undefined {
  const { chosen, absent } = chooseSet(names, context);
  const found = chosen.map(
    ({ name, candidate }) => `the file index has ${name} in ${nameOfStoreObject(candidate.storePath)}`,
  );
  if (found.length === 0) return wordOfAbsent(absent, program.typedName);
  const [off, remedy] =
    nix === undefined
      ? ['Nix was not found', 'put nix-store on PATH, and start it again']
      : ['fetching is off', `allow it once: nix-foreign resolve --fetch ${fileWord(program.typedName)}`];
  const why = [listText(found, 3), off].join('; ');
  return {
    kind: 'not-fetched',
    why: [why],
    remedy,
  };
}

function fileOf({ storePath, match }: IndexCandidate): string {
  return path.posix.join(storePath, match.dir, match.name);
}

function note(
  { program }: Job,
  rounds: FetchRounds,
  { plan, links, from }: Extract<FetchedAbsent, { kind: 'fetched' }>,
): void {
  rounds.links.push(...links);
  for (const each of plan.paths) rounds.tried.add(each);
  rounds.came.push(...plan.chosen.map(fetchedLibrary));
  for (const { name, others } of plan.chosen) rounds.next.set(name, others.map(fileOf));
  rounds.word = wordOfAbsent(plan.absent, program.typedName);
  if (plan.preview.paths.length > 0) notice(`${program.typedName}: ${fetchedText(plan, from)}`);
}

/** Links in a directory of a name that `removeLeftovers` knows, so that a kill leaves no roots for good. */
async function fetchInto(
  job: Job,
  nix: Nix,
  { lacking, rounds }: AbsentRequest,
  { context, settings }: { readonly context: RankContext; readonly settings: Settings },
): Promise<boolean> {
  const { program, dirs, budget } = job;
  const fetching = path.join(dirs.state, 'fetching');
  removeLeftovers(fetching);
  const directory = temporaryName(path.join(fetching, 'index'));
  const line = progressLine(reportPrefix(), stderrOutput());
  const request: FetchRequest = {
    nix,
    program: program.typedName,
    link: path.join(directory, 'link'),
    policy: policyBy(settings, budget.spent),
    caches: rounds.caches,
    onAsking: (...far) => line.show(`${program.typedName}: ${askingText(...far)}`),
    onProgress: (plan, progress) => line.show(`${program.typedName}: ${fetchingText(plan, progress)}`),
    endLine: line.end,
    show: showOnStderr,
  };
  const names = lacking.map(({ name }) => name);
  const result = await fetchAbsent(names, context, request).finally(line.end);
  budget.spent += result.spent;
  if (result.kind === 'fetched') {
    note(job, rounds, result);
    rounds.links.push(directory);
    return true;
  }
  rmSync(directory, { recursive: true, force: true });
  rounds.word = wordOf(result, program.typedName) ?? rounds.word;
  if (result.kind === 'refused') rounds.count = MOST_ROUNDS; // it is not weighed twice
  if (result.kind === 'refused' && result.by === 'user') budget.refusal = result;
  return false;
}

/** Nixpkgs' index has musl, and no library that was built for it. */
export function areFetchable(
  lacking: readonly Pick<LackingName, 'name'>[],
  { libc }: Pick<Job['program'], 'libc'>,
): boolean {
  return libc.kind !== 'musl' || lacking.every(({ name }) => name === libc.loaderName);
}

/**
 * How what is next is had, where there is something: names are excluded without their hash, and builds for another
 * class (gcc-14.3.0-lib) have the same one.
 */
function remedyOfRounds(
  { name, storePath }: FetchedLibrary,
  next: readonly string[],
  program: string,
): string | undefined {
  const [first] = next;
  if (first === undefined) return undefined;
  const choose = `nix-foreign choose ${fileWord(program)}`;
  const leave = nameOfStoreObject(storePath);
  return next.some((file) => originOf(file) === leave)
    ? `take what is next: ${choose} --pin ${shellWord(`${name}=${first}`)}`
    : `leave them out, and what is next is tried: ${choose} --exclude ${shellWord(leave)}`;
}

/** All rounds are over: what came, and is lacking still. */
function wordOfRounds({ lacking, rounds }: AbsentRequest, program: string): FetchWord | undefined {
  const names = new Set(lacking.map(({ name }) => name));
  const vain = rounds.came.filter(({ name }) => names.has(name));
  const [first] = vain;
  if (first === undefined) return undefined;
  const came = listText(
    vain.map(({ storePath }) => nameOfStoreObject(storePath)),
    MOST_ROUNDS,
  );
  const of = [...new Set(vain.map(({ name }) => name))].join(', ');
  return {
    kind: 'not-fetched',
    why: [`what the file index has first of ${of} does not serve: ${came}`],
    remedy: remedyOfRounds(first, rounds.next.get(first.name) ?? [], program),
  };
}

/** Asks the index, and fetches unless that is off. */
async function fetchByIndex(
  job: Job,
  lack: AbsentRequest,
  { settings, nix }: { readonly settings: Settings; readonly nix: Nix | undefined },
): Promise<boolean> {
  const { rounds, lacking } = lack;
  const catalogue = await openLackIndex(settings, job, rounds);
  if (catalogue === undefined) {
    rounds.isWithoutIndex = settings.index !== 'off' && nix !== undefined;
    return false;
  }
  rounds.count += 1;
  debug(`the store lacks ${lacking.map(({ name }) => name).join(', ')}; the file index is asked`);
  try {
    return await withRanking(job, lack, catalogue, async (context) => {
      if (nix !== undefined) return await fetchInto(job, nix, lack, { context, settings });
      const names = lacking.map(({ name }) => name);
      rounds.word = wordWithoutFetching(names, context, job);
      return false;
    });
  } finally {
    catalogue.close();
  }
}

/**
 * Fetches what an index has of the names, all at once. True where something came, so that the store is to be looked at
 * again; else `rounds.word` says why not. Libraries of an index are glibc's: for musl its loader alone is fetched.
 * @throws ForeignError `configuration`.
 */
export async function fetchLacking(job: Job, lack: AbsentRequest): Promise<boolean> {
  const { rounds, lacking, isSolved } = lack;
  const { nix } = job.context;
  if (rounds.count === MOST_ROUNDS) rounds.word ??= wordOfRounds(lack, job.program.typedName);
  if (rounds.count === MOST_ROUNDS || !areFetchable(lacking, job.program)) return false;
  const { refusal } = job.budget;
  if (refusal !== undefined) {
    if (!isSolved) rounds.word ??= { kind: 'not-fetched', why: [refusal.why], remedy: refusal.remedy };
    return false;
  }
  const settings = await fetchSettings(job);
  // Where another version serves, who does not want to fetch need not know what there would be.
  const isOff = settings.fetch === 'never' || nix === undefined;
  if (isOff && isSolved) return false;
  const place = indexPlace(job.dirs, job.context.location);
  const fetching = { settings, nix: isOff ? undefined : nix };
  try {
    return (await withWholeIndexes(place, () => fetchByIndex(job, lack, fetching))) ?? false;
  } catch (error) {
    if (!isUnreadableCatalogue(error)) throw error;
    rounds.word = { kind: 'not-fetched', why: [error.message], remedy: error.hint };
    return false;
  }
}
