// `nix-foreign index status | build | export | find | forget`: the file indexes of this machine.
import { existsSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { newestFirst } from '../candidates/rank.ts';
import { configurationFiles, readConfiguration } from '../config/load-config.ts';
import type { Settings } from '../config/settings.ts';
import { signText } from '../fingerprint/signature.ts';
import type { Directories } from '../host/directories.ts';
import { ForeignError } from '../host/errors.ts';
import { realPath } from '../host/files.ts';
import { moreText, notice, printJson, printLine, reportPrefix } from '../host/output.ts';
import { nameOfCache } from '../index/cache-client.ts';
import type { Sign } from '../index/derived-file.ts';
import { droppedText } from '../index/fetch-words.ts';
import { ageInDays, findDatabase, type Search } from '../index/find-database.ts';
import {
  catalogueStatus,
  exportIndex,
  type FoundName,
  findName,
  type ReadIndex,
} from '../index/manage-indexes.ts';
import { attributeOf } from '../index/package-objects.ts';
import { progressLine, stderrOutput } from '../index/progress-line.ts';
import { type CacheRead, readCache } from '../index/read-cache.ts';
import { dropSource } from '../index/read-source.ts';
import type { IndexSource } from '../index/side-catalogue.ts';
import type { Context } from '../resolve/context.ts';
import {
  countingHere,
  indexPlace,
  indexProblem,
  indexSearch,
  openCounting,
  openIndexes,
  refusedIndex,
  targetOf,
  withWholeIndexes,
} from '../resolve/file-indexes.ts';
import { inWritableDirectories } from '../resolve/writable-directories.ts';
import { openNixDatabase } from '../store/nix-database.ts';
import { nameOfStoreObject, storeObjectOf } from '../store/store-location.ts';
import { readSecretKey } from './fingerprint/sign.ts';
import { writeOutput } from './output-file.ts';
import { usageError } from './usage-error.ts';

type OutputFormat = 'text' | 'json';

async function settingsFor({ host, env }: Context): Promise<Settings> {
  return (await readConfiguration(await configurationFiles(host), env)).settings;
}

const GET_ONE =
  'no file index was found; get one with nix-index, or nix-index-database, or name one in index of config.toml';

const OFF = 'no file index is asked: index = "off"';
const TURN_ON = 'ask those that are found: index = "auto" in config.toml, or NIX_RUN_FOREIGN_INDEX=auto';

/** For work that is of use to others all the same. */
function noticeOff({ index }: Settings): void {
  if (index === 'off') notice(`${OFF}; ${TURN_ON}`);
}

const count = (number: number): string => number.toLocaleString('en-US');

function textOfSource({ key, kind, refusal, objects, files, built }: IndexSource): string {
  const when = new Date(built).toISOString().slice(0, 10);
  if (refusal !== undefined) return `${refusedIndex(key, refusal).why}; ${refusedIndex(key, refusal).remedy}`;
  const what =
    kind === 'cache'
      ? 'a binary cache'
      : kind === 'derived'
        ? 'an exported index'
        : 'a database of nix-index';
  return `${key}: ${what}, read ${when}: ${count(files)} shared objects in ${count(objects)} packages`;
}

function ageText(file: string): string {
  try {
    const age = ageInDays(file, Date.now());
    return age === undefined ? '' : `, ${age} ${age === 1 ? 'day' : 'days'} old`;
  } catch {
    return '';
  }
}

/** As readIndexes finds them: what is known to have programs only is passed by. */
function findThrough(search: Search, sources: readonly IndexSource[]): ReturnType<typeof findDatabase> {
  const result = findDatabase(search);
  const [found, useless] = [[...result.found], [...result.useless]];
  let last = search.setting === 'auto' ? found[0] : undefined;
  while (last !== undefined && isPassed(last.file, sources)) {
    const next = findDatabase(search, last);
    found.push(...next.found);
    useless.push(...next.useless);
    last = next.found[0];
  }
  return { found, useless };
}

function isPassed(file: string, sources: readonly IndexSource[]): boolean {
  const key = realpathSync(file);
  return sources.some((each) => each.key === key && each.refusal?.kind === 'no-libraries');
}

/** What is there, and what was read of it. Reads nothing. */
export async function statusCommand(format: OutputFormat, context: Context): Promise<void> {
  const settings = await settingsFor(context);
  await inWritableDirectories(context.host.uid, async (dirs) => {
    const status = catalogueStatus(indexPlace(dirs, context.location));
    const { found, useless } = findThrough(indexSearch(settings, context), status.sources);
    if (format === 'json') return void printJson({ setting: settings.index, found, useless, ...status });
    const named = found.map(({ file, place }) => `found (${place}): ${file}${ageText(file)}`);
    const refused = useless.map(({ file, why }) => `not used: ${file}: ${why}`);
    const read = status.sources.map(textOfSource);
    const isNone = found.length + status.sources.length === 0;
    const last = settings.index === 'off' ? [OFF] : isNone ? [GET_ONE] : [];
    printLine([...named, ...refused, ...read, ...last].join('\n'));
  });
}

function failure(message: string, hint: string): ForeignError {
  return new ForeignError(message, { code: 'file-index', hint, exitCode: 125 });
}

/** @throws ForeignError where an index does not serve. */
function assertServes(each: ReadIndex): ReadIndex {
  const problem = indexProblem(each);
  if (problem !== undefined) throw failure(problem.why, problem.remedy);
  return each;
}

/** For what asks the indexes, as a start does. @throws ForeignError where that is off. */
async function settingsForAsking(context: Context): Promise<Settings> {
  const settings = await settingsFor(context);
  if (settings.index === 'off') throw failure(OFF, TURN_ON);
  return settings;
}

async function buildFromFiles(context: Context, dirs: Directories): Promise<readonly IndexSource[]> {
  const settings = await settingsForAsking(context);
  const { read, passed, useless } = await openIndexes(settings, context, dirs);
  for (const { file, why } of useless) notice(`${file}: ${why}`);
  if (read.length === 0) passed.map(assertServes);
  if (read.length === 0) throw failure('there is no file index to read', GET_ONE);
  return read.map(assertServes).flatMap(({ state }) => ('source' in state ? [state.source] : []));
}

/** `setting`: of Nix, for the cache. */
function unreadableText(count: number, files: string, setting: string): string {
  const why = 'packed in a way that cannot be read (xz, bzip2), or damaged';
  return `${count} ${files} are ${why}: fill the cache with ${setting}=zstd, or with none`;
}

function sourceOf(read: CacheRead, address: string): IndexSource {
  if (read.kind === 'failed') throw failure(`${address}: ${read.why}`, read.remedy);
  if (!('source' in read.state))
    throw failure(
      `${address}: ${'why' in read.state ? read.state.why : 'it changed'}`,
      'remedy' in read.state ? read.state.remedy : 'try it again',
    );
  if (read.unlisted > 0)
    notice(`${read.unlisted} store paths have no listing: fill the cache with write-nar-listing=true`);
  if (read.unreadable > 0) notice(unreadableText(read.unreadable, 'listings', 'ls-compression'));
  if (read.unreadableNarInfos > 0)
    notice(unreadableText(read.unreadableNarInfos, 'narinfos', 'narinfo-compression'));
  return read.state.source;
}

/** A link such as `result` names what it leads to. @throws ForeignError `usage` for what is no store path. */
export function storePathTyped(typed: string, storeDir: string): string {
  const file = path.resolve(typed);
  const object = storeObjectOf(storeDir, file) ?? storeObjectOf(storeDir, realPath(file));
  if (object !== undefined) return object;
  throw usageError(`--root takes a store path, and not '${typed}'`, `it begins with ${storeDir}/`);
}

async function buildFromCache(
  from: string,
  roots: readonly string[],
  context: Context,
  dirs: Directories,
): Promise<IndexSource> {
  noticeOff(await settingsFor(context));
  const line = progressLine(reportPrefix(), stderrOutput());
  const name = nameOfCache(from);
  const address = existsSync(from) ? path.resolve(from) : from;
  const place = indexPlace(dirs, context.location);
  const read = await readCache(place, {
    address,
    roots: roots.length === 0 ? undefined : roots.map((each) => storePathTyped(each, place.storeDir)),
    progress: (done, known) => line.show(`reading ${name}: ${done} of ${known} store paths`),
    env: context.env,
  }).finally(line.end);
  return sourceOf(read, name);
}

/** Reads the indexes now, or makes one of a binary cache that has listings. */
export async function buildCommand(
  { from, roots, format }: { from: string | undefined; roots: readonly string[]; format: OutputFormat },
  context: Context,
): Promise<void> {
  const sources = await inWritableDirectories(context.host.uid, async (dirs) =>
    from === undefined
      ? await buildFromFiles(context, dirs)
      : [await buildFromCache(from, roots, context, dirs)],
  );
  if (format === 'json') printJson(sources);
  else printLine(sources.map(textOfSource).join('\n'));
}

/** What was read of the indexes that are asked here; of all where none is. */
async function exportCounting(context: Context, dirs: Directories, sign: Sign | undefined) {
  const settings = await settingsFor(context);
  const place = indexPlace(dirs, context.location);
  noticeOff(settings);
  return await withWholeIndexes(place, async () => {
    if (settings.index === 'off') return exportIndex(place, sign);
    const indexes = await openIndexes(settings, context, dirs);
    return exportIndex(place, sign, countingHere(indexes, settings, context));
  });
}

/** Writes what was read into one small file, signed where there is a key. */
export async function exportCommand(
  file: string,
  { key, format }: { key: string | undefined; format: OutputFormat },
  context: Context,
): Promise<void> {
  const secret = key === undefined ? undefined : readSecretKey(key);
  const sign = secret && ((text: string) => signText(text, secret));
  await inWritableDirectories(context.host.uid, async (dirs) => {
    const exported = await exportCounting(context, dirs, sign);
    if (exported === undefined || exported.kind === 'empty')
      throw failure('there is nothing to export', 'read an index first: nix-foreign index build');
    const bytes = exported.content.length;
    writeOutput(file === '-' ? './-' : file, exported.content);
    if (format === 'json') printJson({ file, bytes, key: secret?.public.text ?? null });
    else
      printLine(
        `${file}: ${count(bytes)} bytes${secret ? `, signed; its public key is ${secret.public.text}` : ', not signed: nobody else takes it'}`,
      );
  });
}

/** The key of what was read of a typed file or cache, as `index status` shows it. */
function keyTyped(typed: string, sources: readonly IndexSource[]): string | undefined {
  const names = [typed, nameOfCache(typed), path.resolve(typed), realPath(typed)];
  return sources.find(({ key }) => names.includes(key))?.key;
}

/** Takes away what was read of an index or a binary cache, with the address of that. */
export async function forgetCommand(typed: string, format: OutputFormat, context: Context): Promise<void> {
  const settings = await settingsFor(context);
  await inWritableDirectories(context.host.uid, async (dirs) => {
    const place = indexPlace(dirs, context.location);
    const { sources } = catalogueStatus(place);
    const key = keyTyped(typed, sources);
    if (key === undefined || !(await dropSource(place, key)))
      throw failure(
        `${nameOfCache(typed)}: nothing was read of it`,
        'see what was read with: nix-foreign index status',
      );
    const { found } = findThrough(indexSearch(settings, context), []);
    if (format === 'json') printJson({ forgotten: key });
    else printLine(`forgotten: ${key}`);
    if (found.some(({ file }) => realPath(file) === key))
      notice(
        `${key} is still one of the indexes of this machine: the next start that lacks a library reads it; index in config.toml names others`,
      );
  });
}

const MOST_LISTED = 20;

function textOfName({ name, candidates, dropped, known, absent, alike }: FoundName): string {
  const rows = candidates.slice(0, MOST_LISTED).map(({ match, storePath }) => {
    const attribute = attributeOf(match.object);
    const from = attribute === '' ? '' : `  (${attribute})`;
    return `${storePath}/${match.dir === '' ? '' : `${match.dir}/`}${match.name}${from}`;
  });
  const more = moreText(candidates.length - MOST_LISTED).trimStart();
  const passed = droppedText(dropped);
  const told = [
    passed === '' ? [] : `passed over: ${passed}`,
    known === undefined || absent !== undefined ? [] : `it belongs to ${known.attr} of nixpkgs`,
    absent === undefined ? [] : `${name} ${absent.why}; ${absent.remedy}`,
    candidates.length > 0 || alike.length === 0 ? [] : `there is ${alike.slice(0, MOST_LISTED).join(', ')}`,
  ].flat();
  const none = passed === '' ? `no index has ${name}` : `no index has ${name} in a form that serves`;
  return [...(rows.length === 0 ? [none] : rows), ...(more === '' ? [] : [more]), ...told].join('\n');
}

async function findIn(name: string, context: Context, dirs: Directories): Promise<FoundName | undefined> {
  const settings = await settingsForAsking(context);
  const indexes = await openIndexes(settings, context, dirs);
  for (const each of indexes.read) if (indexProblem(each)) notice(indexProblem(each)?.why ?? '');
  const catalogue = openCounting(indexes, settings, context, dirs);
  if (catalogue === undefined) return undefined;
  const database = openNixDatabase(context.location);
  try {
    const [machine] = context.host.hostMachines;
    return findName(name, {
      catalogue,
      target: targetOf(machine ?? { class: 64, machine: 0 }),
      newestFirst,
      opinion: () => 'none',
      isLocal: (storePath) => database?.isValid(storePath) ?? false,
    });
  } finally {
    database?.close();
    catalogue.close();
  }
}

/** Returns whether an index has it. */
export async function findCommand(name: string, format: OutputFormat, context: Context): Promise<boolean> {
  return await inWritableDirectories(context.host.uid, async (dirs) => {
    const place = indexPlace(dirs, context.location);
    const found = await withWholeIndexes(place, () => findIn(name, context, dirs));
    if (found === undefined) throw failure('there is no file index to look in', GET_ONE);
    if (format === 'json') printJson(jsonOf(found));
    else printLine(textOfName(found));
    return found.candidates.length > 0;
  });
}

function jsonOf({ candidates, ...rest }: FoundName) {
  return {
    ...rest,
    known: rest.known ?? null,
    absent: rest.absent ?? null,
    candidates: candidates.map(({ storePath, match }) => ({
      storePath,
      package: nameOfStoreObject(storePath),
      file: match.dir === '' ? match.name : `${match.dir}/${match.name}`,
      attribute: match.object.toplevel ? match.object.attr : '',
      output: match.object.toplevel ? match.object.output : '',
    })),
  };
}
