// A place and a store → its catalogue, up to date, with progress on a terminal.
// The store directory → a catalogue that knows exactly what is in it now.
// New names in the store directory → those that are complete store objects.
import { type BigIntStats, lstatSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { errnoOf, ForeignError, reasonOf, remedyOf } from '../host/errors.ts';
import { identityOfStats } from '../host/file-identity.ts';
import { isThere } from '../host/files.ts';
import { withLock } from '../host/mutex.ts';
import { notice, printableLine } from '../host/output.ts';
import { barOnTerminal, type Progress } from '../host/progress-bar.ts';
import {
  type Catalogue,
  isDamaged,
  openCatalogue,
  openPopularity,
  replaceIfDamaged,
  unlessBusy,
} from './catalogue.ts';
import { catalogueFile } from './catalogue-file.ts';
import { type NixDatabase, openNixDatabase } from './nix-database.ts';
import { hasNixDatabase } from './nix-state.ts';
import { type FoundLibrary, scanComplete } from './scan-object.ts';
import { isAsLooked, noteLook, refreshSonameTables } from './soname-table.ts';
import { isStoreObjectName, type StoreLocation } from './store-location.ts';

async function openAndRefresh(file: string, location: StoreLocation): Promise<Catalogue> {
  const catalogue = openCatalogue(file, location.storeDir);
  try {
    const { progress, done } = await barOnTerminal('reading the store');
    try {
      const refresh = async (): Promise<void> => {
        await refreshCatalogue(catalogue, location, progress, (work) => withLock(file, work));
        refreshSonameTables(catalogue, path.dirname(file));
      };
      await refresh();
      // The tables are newer now than what came meanwhile.
      if (!isAsLooked(location.storeDir)) await refresh();
    } finally {
      done();
    }
    return catalogue;
  } catch (error) {
    catalogue.close();
    replaceIfDamaged(catalogue.file, error);
    throw error;
  }
}

function withPopularity(catalogue: Catalogue, location: StoreLocation): Catalogue {
  const popularity = openPopularity(location, catalogue);
  const close = (): void => {
    popularity.close();
    catalogue.close();
  };
  return { ...catalogue, popularity, close };
}

/** Does work that may find a catalogue damaged, and has put another in its place, once more. */
async function onceMoreIfDamaged<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await unlessBusy(work);
  } catch (error) {
    if (!isDamaged(error)) throw error;
    return await unlessBusy(work);
  }
}

/**
 * The catalogue of a store, up to date. Processes that start together fill it once.
 * In the place of a damaged one another is made.
 */
export async function openStore(directory: string, location: StoreLocation): Promise<Catalogue> {
  const file = catalogueFile(directory, location.storeDir);
  return withPopularity(await onceMoreIfDamaged(() => openAndRefresh(file, location)), location);
}

/**
 * Does work with the catalogue of a store, up to date, and closes it. Damage that only the work meets is repaired as
 * well: the work is then done once more, with a catalogue filled anew.
 */
export async function withStore<T>(
  directory: string,
  location: StoreLocation,
  work: (catalogue: Catalogue) => T,
): Promise<T> {
  return await onceMoreIfDamaged(async () => {
    const catalogue = await openStore(directory, location);
    try {
      return work(catalogue);
    } catch (error) {
      replaceIfDamaged(catalogue.file, error);
      throw error;
    } finally {
      catalogue.close();
    }
  });
}

/** Store objects per transaction: other processes wait for one at the most, and a kill loses one at the most. */
const BATCH = 250;

/**
 * A directory changed less than this many nanoseconds ago may change again under the same time stamp (git: racy
 * entries).
 */
const RACY = 2_000_000_000n;

const MEMO = 'store-directory';

/** The store directory's state as one text, or undefined while it is too fresh to be told from a later one. */
function stateOf(stats: BigIntStats): string | undefined {
  const now = BigInt(Date.now()) * 1_000_000n;
  return now - stats.mtimeNs < RACY ? undefined : identityOfStats(stats);
}

/** What can be done about a store that cannot be read. */
export function remedyOfStore(errno: string | undefined): string {
  return errno === 'ENOENT'
    ? 'install Nix, or name the store with NIX_STORE_DIR'
    : remedyOf(errno, 'check its permissions, or name the store with NIX_STORE_DIR');
}

function listStore(storeDir: string): string[] {
  try {
    return readdirSync(storeDir).filter(isStoreObjectName);
  } catch (error) {
    throw new ForeignError(`cannot read the store ${storeDir}: ${reasonOf(error)}`, {
      code: 'no-store',
      hint: remedyOfStore(errnoOf(error)),
      exitCode: 125,
      cause: error,
    });
  }
}

/** Gives other work (lock updates, signals) a turn between two batches. */
const yieldToEventLoop = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** What a refresh has to do. `state` is what to remember afterwards. */
interface Changes {
  readonly fresh: readonly string[];
  readonly dropped: readonly string[];
  readonly stats: BigIntStats | undefined;
  readonly state: string | undefined;
}

/** Undefined when the store directory is as it was. */
function changesSince(catalogue: Catalogue, storeDir: string): Changes | undefined {
  let stats: BigIntStats | undefined;
  try {
    stats = statSync(storeDir, { bigint: true });
  } catch {} // listStore says why
  const state = stats && stateOf(stats);
  if (stats !== undefined && state !== undefined && catalogue.memo(MEMO) === state) {
    noteLook(storeDir, { stats, isWhole: true });
    return undefined;
  }
  const known = catalogue.objectNames();
  const fresh = listStore(storeDir).filter((name) => !known.delete(name));
  return { fresh: fresh.sort(), dropped: [...known], stats, state };
}

async function apply(
  changes: Changes | undefined,
  catalogue: Catalogue,
  location: StoreLocation,
  progress: Progress,
): Promise<void> {
  if (changes === undefined) return;
  const left = await readObjects(changes.fresh, catalogue, location, progress);
  if (changes.dropped.length > 0) catalogue.update(new Map(), changes.dropped);
  const { stats, state } = changes;
  if (stats !== undefined) noteLook(location.storeDir, { stats, isWhole: left === 0 });
  if (state !== undefined && left === 0) catalogue.setMemo(MEMO, state);
}

/**
 * Brings a catalogue up to date: objects that are new and complete are read, vanished ones dropped.
 * A store directory that did not change since the last time costs one stat(2).
 * `alone` runs a long piece of work in one process at a time.
 * @throws ForeignError `no-store` when the store cannot be listed; Node's and SQLite's errors otherwise.
 */
export async function refreshCatalogue(
  catalogue: Catalogue,
  location: StoreLocation,
  progress: Progress,
  alone: (work: () => Promise<void>) => Promise<void> = (work) => work(),
): Promise<void> {
  const changes = changesSince(catalogue, location.storeDir);
  if (changes === undefined || changes.fresh.length <= BATCH) {
    return await apply(changes, catalogue, location, progress);
  }
  await alone(() => apply(changesSince(catalogue, location.storeDir), catalogue, location, progress));
}

/** Derivations and our own fingerprints are files, complete or not: every first start adds two such objects. */
function holdsNoLibrary(name: string): boolean {
  return name.endsWith('.drv') || /-fingerprint-[0-9a-f]{16}\.json$/.test(name);
}

/** Names of those that the last look could not read, as it was told. */
const UNREADABLE = 'unreadable-objects';

/** Says so when it is news: they are looked at again whenever the catalogue is opened. */
function tellUnreadable(
  catalogue: Catalogue,
  storeDir: string,
  unreadable: ReadonlyMap<string, unknown>,
): void {
  const names = [...unreadable.keys()].join(' ');
  if (names === (catalogue.memo(UNREADABLE) ?? '')) return;
  catalogue.setMemo(UNREADABLE, names);
  const [first] = unreadable;
  if (first === undefined) return;
  const [name, error] = first;
  const more = unreadable.size === 1 ? '' : `, and ${unreadable.size - 1} more`;
  const cause = `left out, since it cannot be read: ${storeDir}/${name}: ${reasonOf(error)}${more}`;
  notice(printableLine(`${cause}; ${remedyOf(errnoOf(error))}`));
}

/** Reads new store objects into the catalogue. @returns how many are to be looked at again. */
async function readObjects(
  all: readonly string[],
  catalogue: Catalogue,
  location: StoreLocation,
  progress: Progress,
): Promise<number> {
  const files = all.filter(holdsNoLibrary);
  if (files.length > 0) catalogue.update(new Map(files.map((name) => [name, []])), []);
  const names = all.filter((name) => !holdsNoLibrary(name));
  if (names.length === 0) return 0;
  const database = openNixDatabase(location);
  try {
    const isComplete = validityTest(location, database);
    const unreadable = new Map<string, unknown>();
    let unfinished = 0;
    for (let start = 0; start < names.length; start += BATCH) {
      const found = new Map<string, readonly FoundLibrary[]>();
      for (const name of names.slice(start, start + BATCH)) {
        const scanned = scanComplete(path.join(location.storeDir, name), () => isComplete(name));
        if (scanned.kind === 'found') found.set(name, scanned.libraries);
        if (scanned.kind === 'unfinished') unfinished += 1;
        if (scanned.kind === 'unreadable') unreadable.set(name, scanned.error);
      }
      catalogue.update(found, []);
      progress(Math.min(start + BATCH, names.length), names.length);
      await yieldToEventLoop();
    }
    tellUnreadable(catalogue, location.storeDir, unreadable);
    return unfinished + unreadable.size;
  } finally {
    database?.close();
  }
}

/**
 * Nix sets the modification time of a finished store object to 1 before it registers it
 * (Nix: canonicalisePathMetaData), so an object with another time is still being written. It holds `<store path>.lock`
 * for as long, and removes it at the end (Nix: src/libstore/pathlocks.cc).
 */
const FINISHED = 1;

/** A test for whether a store object is complete and may be catalogued for good. */
export function validityTest(
  location: StoreLocation,
  database: NixDatabase | undefined,
): (name: string) => boolean {
  if (database !== undefined) return (name) => database.isValid(path.join(location.storeDir, name));
  const file = (name: string): string => path.join(location.storeDir, name);
  const isFinished = (name: string): boolean => {
    const stats = lstatSync(file(name), { throwIfNoEntry: false });
    return stats !== undefined && Math.trunc(stats.mtimeMs / 1000) === FINISHED;
  };
  if (hasNixDatabase(location)) return isFinished;
  // A copy, an image, or a living store whose Nix is elsewhere, as mounted in a container: the lock lies in the store,
  // and stays where Nix was killed before it took it away.
  return (name) => isFinished(name) || !isThere(`${file(name)}.lock`);
}
