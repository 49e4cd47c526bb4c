// A file that may be an index → what it gave to a side catalogue, under a lock, once for each version of the file.
import { createHash } from 'node:crypto';
import { type BigIntStats, closeSync, constants, fstatSync, openSync, readSync, realpathSync } from 'node:fs';
import { reasonOf } from '../host/errors.ts';
import { withLock } from '../host/mutex.ts';
import { debug } from '../host/output.ts';
import { assertNoCatalogue, isUnreadableCatalogue, remedyOfCatalogue } from './catalogue-errors.ts';
import { derivedVersion, readDerived, type Verify } from './derived-file.ts';
import { type EntryCounts, noCounts, type PackageObjects } from './package-objects.ts';
import { type DatabaseRead, type IndexRefusal, readDatabase } from './read-database.ts';
import { type IndexSource, openSideCatalogue } from './side-catalogue.ts';
import { writeCatalogue } from './write-catalogue.ts';

/** Where the catalogue is, and what is needed to add to it. */
export interface CataloguePlace {
  /** The SQLite file (side-catalogue.ts, sideCatalogueFile). */
  readonly file: string;
  /** The name of the lock, an absolute path (host/mutex.ts). */
  readonly lock: string;
  readonly storeDir: string;
}

export interface SourceReading {
  /** Gets shares from 0 to 1 while a source is read for the first time. */
  readonly progress: (share: number) => void;
  /** For derived indexes. */
  readonly verify: Verify;
  /** What `verify` goes by, as a text: where it changes, derived indexes are read anew. */
  readonly trust?: string;
}

export type SourceState =
  /** It is in the catalogue, since now (`read`) or before (`current`); look at `source.refusal`. */
  | { readonly kind: 'read' | 'current'; readonly source: IndexSource }
  /** The file cannot be opened or read. */
  | { readonly kind: 'unreadable'; readonly why: string }
  /** It was another file at the end than at the beginning. */
  | { readonly kind: 'changed' }
  /** No catalogue can be written, or the one that is there cannot be read. */
  | { readonly kind: 'unwritable'; readonly why: string; readonly remedy: string };

const EDGE = 65_536;

function edges(fd: number, size: number): string {
  const hash = createHash('sha256');
  const buffer = Buffer.alloc(EDGE);
  for (const at of [0, Math.max(0, size - EDGE)])
    hash.update(buffer.subarray(0, readSync(fd, buffer, 0, EDGE, at)));
  return hash.digest('hex');
}

function stampOf({ size, mtimeNs, ino, dev }: BigIntStats): string {
  return [dev, ino, size, mtimeNs].join(':');
}

/** In the store every file has the same time, so that the first and the last 64 KiB are looked at too. */
function identityOf(fd: number): string {
  const stats = fstatSync(fd, { bigint: true });
  return `${stampOf(stats)}:${edges(fd, Number(stats.size))}`;
}

/** Of a derived index also by whose keys it was read: another verdict is another reading. */
function readingOf(fd: number, { trust = '' }: SourceReading): string {
  const identity = identityOf(fd);
  return derivedVersion(fd) === undefined ? identity : `${identity}:${trust}`;
}

function knownSource(place: CataloguePlace, key: string, identity: string): IndexSource | undefined {
  const catalogue = openSideCatalogue(place.file, place.storeDir);
  try {
    return catalogue?.sources().find((each) => each.key === key && each.identity === identity);
  } catch (error) {
    assertNoCatalogue(error, place.file);
    debug(`the file index is read anew: ${String(error)}`);
    return undefined;
  } finally {
    catalogue?.close();
  }
}

/** Opens a regular file without waiting for a FIFO. */
function openIndex(file: string): { fd: number; key: string } | { kind: 'unreadable'; why: string } {
  try {
    const key = realpathSync(file);
    const fd = openSync(key, constants.O_RDONLY | constants.O_NONBLOCK);
    if (fstatSync(fd).isFile()) return { fd, key };
    closeSync(fd);
    return { kind: 'unreadable', why: 'it is no file' };
  } catch (error) {
    return { kind: 'unreadable', why: reasonOf(error) };
  }
}

/** Makes sure that the catalogue has what is in a file. Starts that need it at the same time read it once. */
export async function readSource(
  place: CataloguePlace,
  file: string,
  reading: SourceReading,
): Promise<SourceState> {
  const opened = openIndex(file);
  if ('kind' in opened) return opened;
  const { fd, key } = opened;
  try {
    const identity = readingOf(fd, reading);
    const known = knownSource(place, key, identity);
    if (known !== undefined) return { kind: 'current', source: known };
    return await withLock(place.lock, () => readOnce(place, { fd, key, identity }, reading));
  } catch (error) {
    return isUnreadableCatalogue(error) ? unwritable(error) : unreadable(error);
  } finally {
    closeSync(fd);
  }
}

interface OpenSource {
  readonly fd: number;
  readonly key: string;
  readonly identity: string;
}

async function readOnce(
  place: CataloguePlace,
  source: OpenSource,
  reading: SourceReading,
): Promise<SourceState> {
  const known = knownSource(place, source.key, source.identity);
  if (known !== undefined) return { kind: 'current', source: known };
  const isDerived = derivedVersion(source.fd) !== undefined;
  const { storeDir } = place;
  return await addSource(place, { ...source, kind: isDerived ? 'derived' : 'database' }, async (give) => {
    const parts = { storeDir, give, progress: reading.progress };
    const read = isDerived
      ? await readDerived(source.fd, parts, reading.verify)
      : await readDatabase(source.fd, parts);
    return readingOf(source.fd, reading) === source.identity ? read : { kind: 'changed' };
  });
}

type NewSource = Pick<IndexSource, 'key' | 'identity' | 'kind'> & { readonly address?: string };

type Give = (found: PackageObjects) => void;
type ReadInto = (give: Give) => Promise<DatabaseRead | IndexRefusal | { readonly kind: 'changed' }>;

/** A `give` that throws would look like a damaged index: what the catalogue says is told apart. */
function noticing(give: Give): { give: Give; failure: () => unknown } {
  let failure: unknown;
  return {
    failure: () => failure,
    give: (found) => {
      if (failure !== undefined) return;
      try {
        give(found);
      } catch (error) {
        failure = error;
      }
    },
  };
}

function sourceOf(
  from: NewSource,
  refusal: IndexRefusal | undefined,
  counts: Readonly<EntryCounts>,
): IndexSource {
  const { entries, packages, objects, files, ignored } = counts;
  const { key, identity, kind } = from;
  return { key, identity, kind, refusal, entries, packages, objects, files, ignored, built: Date.now() };
}

/** Of what was refused nothing stays but that it was refused. */
function writeRefusal(place: CataloguePlace, from: NewSource, refusal: IndexRefusal): IndexSource {
  const source = sourceOf(from, refusal, noCounts());
  const writer = writeCatalogue(place.file, from.key);
  try {
    writer.finish({ ...source, address: from.address ?? '' });
    return source;
  } finally {
    writer.abandon();
  }
}

function unreadable(error: unknown): { readonly kind: 'unreadable'; readonly why: string } {
  return { kind: 'unreadable', why: reasonOf(error) };
}

function unwritable(error: unknown): SourceState {
  return { kind: 'unwritable', why: reasonOf(error), remedy: remedyOfCatalogue(error) };
}

async function readInto(place: CataloguePlace, from: NewSource, read: ReadInto): Promise<SourceState> {
  const writer = writeCatalogue(place.file, from.key);
  try {
    const { give, failure } = noticing(writer.give);
    const answer = await read(give).catch((error: unknown) => unreadable(error));
    if (failure() !== undefined) throw failure();
    if (answer.kind === 'changed' || answer.kind === 'unreadable') return answer;
    if (answer.kind !== 'read') return { kind: 'read', source: writeRefusal(place, from, answer) };
    const source = sourceOf(from, undefined, answer.counts);
    writer.finish({ ...source, address: from.address ?? '' });
    return { kind: 'read', source };
  } finally {
    writer.abandon();
  }
}

/** Adds what `read` gives to the catalogue, in place of what the same source gave before. Call it under the lock. */
export async function addSource(
  place: CataloguePlace,
  from: NewSource,
  read: ReadInto,
): Promise<SourceState> {
  try {
    return await readInto(place, from, read);
  } catch (error) {
    return unwritable(error);
  }
}

/** Forgets a source. Returns whether there was one. @throws Node's and SQLite's errors. */
export async function dropSource(place: CataloguePlace, key: string): Promise<boolean> {
  return await withLock(place.lock, async () => {
    const isThere = hasSource(place, key);
    if (isThere) writeWithout(place, key);
    return isThere;
  });
}

function hasSource(place: CataloguePlace, key: string): boolean {
  const catalogue = openSideCatalogue(place.file, place.storeDir);
  try {
    return catalogue?.sources().some((each) => each.key === key) ?? false;
  } finally {
    catalogue?.close();
  }
}

function writeWithout(place: CataloguePlace, key: string): void {
  const writer = writeCatalogue(place.file, key);
  try {
    writer.finish(undefined);
  } finally {
    writer.abandon();
  }
}
