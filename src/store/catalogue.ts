// A SQLite file → the shared objects of one store, by the names they can be needed by.
// A store path → how much the rest of the store relies on it, and how much it brings along.
import { closeSync, lstatSync, openSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { ElfFile } from '../elf/elf-file.ts';
import { makeDirectories } from '../host/files.ts';
import { debug } from '../host/output.ts';
import { filesOf, IN_MEMORY, newestFile, removeFiles, replaceFile } from './catalogue-file.ts';
import { type NixDatabase, openNixDatabase } from './nix-database.ts';
import type { FoundLibrary } from './scan-object.ts';
import { isBusy, LOCK_PATIENCE, resultCode } from './sqlite-error.ts';
import type { StoreLocation } from './store-location.ts';

/** Bump when the tables or what scan-object finds change: an older catalogue is filled anew. */
const VERSION = 3;

const TABLES = `
create table object (id integer primary key, name text not null unique) strict;
create table library (
  id integer primary key,
  object integer not null references object (id) on delete cascade,
  file text not null, class integer not null, machine integer not null, elf text not null) strict;
create index library_object on library (object);
create table offer (
  name text not null, library integer not null references library (id) on delete cascade,
  primary key (name, library)) strict, without rowid;
create index offer_library on offer (library);
create table memo (key text primary key, value text not null) strict, without rowid;
pragma user_version = ${VERSION};`;

/** The memo with the number of the catalogue's state: another one whenever a name came or went. */
export const NAMES_STATE = 'names-state';

/** Two processes that make one at the same instant saw the same store. */
function newState(): string {
  return String(process.hrtime.bigint() + BigInt(Date.now()) * 1_000_000n);
}

/** A library as the catalogue knows it. */
export interface CataloguedLibrary {
  readonly storePath: string;
  /** Path of the regular file inside the store object. */
  readonly file: string;
  readonly elf: ElfFile;
}

/** `elf` is read when it is first asked for. */
export interface NamedLibrary extends CataloguedLibrary {
  readonly names: readonly string[];
}

export interface Catalogue {
  /** Where it is: `:memory:`, or the newest of its files. */
  readonly file: string;
  readonly storeDir: string;
  /** Base names of all store objects that were scanned. */
  objectNames(): Set<string>;
  /** Every library that offers a name, for a class and machine; ordered by store path and file. */
  librariesOffering(name: string, elfClass: number, machine: number): CataloguedLibrary[];
  /** Every name that begins with `stem` and is offered for a class and machine, sorted. */
  namesBeginning(stem: string, elfClass: number, machine: number): string[];
  /** Every library that a name of its own was given (DT_SONAME), ordered by that, store path and file. */
  librariesBySoname(elfClass: number, machine: number): NamedLibrary[];
  /** Every library of one store object for a class and machine, with the names it offers, ordered by file. */
  librariesIn(storePath: string, elfClass: number, machine: number): NamedLibrary[];
  /** How many other store objects have a library that names this one, as in a run path. Looks through all of them. */
  objectsNaming(storePath: string): number;
  /** How the store's objects stand to each other, where the store itself can be asked. */
  readonly popularity?: Popularity;
  /** Adds objects with what was found in them, and drops others; in the same transaction the state becomes another. */
  update(added: ReadonlyMap<string, readonly FoundLibrary[]>, dropped: readonly string[]): void;
  memo(key: string): string | undefined;
  setMemo(key: string, value: string): void;
  counts(): { objects: number; libraries: number };
  close(): void;
}

function prepare(database: DatabaseSync): void {
  // A lost write is a library scanned again: no need to wait for the disk, nor for others who do.
  database.exec('pragma synchronous = off; pragma journal_mode = wal;');
  const version = (): number => Number(database.prepare('pragma user_version').get()?.['user_version']);
  if (version() === VERSION) return;
  database.exec('begin immediate');
  // Somebody else may have made the tables while we waited for the lock.
  if (version() === 0) database.exec(TABLES);
  database.exec('commit');
  if (version() !== VERSION) throw new Error(`catalogue version ${version()}, expected ${VERSION}`);
}

/**
 * Milliseconds. Opening needs locks that others have for a moment only; a file system without locks is known by that.
 * Others write a batch of objects at a time (open-catalogue.ts).
 */
const [OPENING, WRITING] = [1_000, 30_000];

/** What fails is closed: SQLite keeps a lock that was not given back for as long as its process has the file open. */
function openOnce(file: string, storeDir: string): Catalogue {
  const database = new DatabaseSync(file, { timeout: OPENING, enableForeignKeyConstraints: true });
  try {
    prepare(database);
    database.exec(`pragma busy_timeout = ${WRITING}`);
    return { file, ...overDatabase(database, storeDir) };
  } catch (error) {
    database.close();
    throw error;
  }
}

/** SQLITE_CORRUPT and SQLITE_NOTADB; also what toLibrary says of a damaged row. */
export function isDamaged(error: unknown): boolean {
  const code = resultCode(error);
  return code === 11 || code === 26 || error instanceof SyntaxError;
}

/** SQLITE_PERM, NOMEM, READONLY, IOERR, FULL: nothing is wrong with what the file holds, so it is not thrown away. */
function isUnusableNow(error: unknown): boolean {
  return [3, 7, 8, 10, 13].includes(resultCode(error) ?? 0);
}

const CANTOPEN = 14;

/**
 * True where SQLite cannot open what is there and whole. SQLite does not say why (sqlite.org/rescode.html#cantopen).
 * @throws Node's error, where it is open(2) that fails: too many open files, permission denied.
 */
function cannotBeOpenedNow(error: unknown, file: string): boolean {
  if (resultCode(error) !== CANTOPEN || file === IN_MEMORY) return false;
  const isOther = (each: string): boolean => lstatSync(each, { throwIfNoEntry: false })?.isFile() === false;
  if (filesOf(file).some(isOther)) return false;
  closeSync(openSync(file, 'a'));
  return true;
}

/** What fails once may succeed. */
const ATTEMPTS = 8;

/**
 * Does work again that did not get a lock, for a while: of what the last user of a WAL does as it closes it, others are
 * told so at once (sqlite.org/wal.html, "Sometimes Queries Return SQLITE_BUSY In WAL Mode").
 */
export async function unlessBusy<T>(work: () => Promise<T>): Promise<T> {
  for (const until = Date.now() + LOCK_PATIENCE.longest; ; ) {
    try {
      return await work();
    } catch (error) {
      if (!isBusy(error) || Date.now() > until) throw error;
      await new Promise((resolve) => setTimeout(resolve, LOCK_PATIENCE.between));
    }
  }
}

/** Where an error says that a catalogue is damaged, the next to open it makes another. @throws Node's errors. */
export function replaceIfDamaged(file: string, error: unknown): void {
  if (!isDamaged(error)) return;
  debug(`catalogue ${file} is damaged and is filled anew: ${String(error)}`);
  replaceFile(file);
}

/**
 * Opens the catalogue of a store, making it where it is missing, and another in its place where it is damaged or of
 * another version. `first`: as catalogueFile gives it.
 * @throws SQLite's or Node's error when no database can be written there; at once where no lock is to be had
 *   (unlessBusy).
 */
export function openCatalogue(first: string, storeDir: string): Catalogue {
  if (first !== IN_MEMORY) makeDirectories(path.dirname(first));
  for (let attempt = 1; ; attempt += 1) {
    const { file, replaced } = newestFile(first);
    try {
      for (const each of replaced) removeFiles(each);
      return openOnce(file, storeDir);
    } catch (error) {
      if (attempt === ATTEMPTS || isBusy(error)) throw error;
      // Or others have just put another in its place (SQLITE_IOERR_VNODE, SQLITE_READONLY_DBMOVED): that one is whole.
      if (isUnusableNow(error) || cannotBeOpenedNow(error, file)) continue;
      debug(`catalogue ${file} is made anew: ${String(error)}`);
      replaceFile(file);
    }
  }
}

function overDatabase(database: DatabaseSync, storeDir: string): Omit<Catalogue, 'file'> {
  const offering = database.prepare(
    `select object.name as object, file, elf from offer join library on library.id = offer.library
     join object on object.id = library.object
     where offer.name = ? and class = ? and machine = ? order by object.name, file`,
  );
  const within = database.prepare(
    `select library.id as id, file, elf from library join object on object.id = library.object
     where object.name = ? and class = ? and machine = ? order by file`,
  );
  const beginning = database.prepare(
    `select distinct offer.name as name from offer join library on library.id = offer.library
     where offer.name >= ? and offer.name < ? and class = ? and machine = ? order by offer.name`,
  );
  const ofMachine = database.prepare(
    `select json_extract(elf, '$.soname') as soname, object.name as object, file, elf
     from library join object on object.id = library.object
     where class = ? and machine = ? and soname is not null order by soname, object.name, file`,
  );
  const namesOf = database.prepare('select name from offer where library = ? order by name');
  const insertObject = database.prepare('insert or ignore into object (name) values (?)');
  const insertLibrary = database.prepare(
    'insert into library (object, file, class, machine, elf) values (?, ?, ?, ?, ?)',
  );
  const insertOffer = database.prepare('insert or ignore into offer (name, library) values (?, ?)');
  const deleteLibraries = database.prepare(
    'delete from library where object = (select id from object where name = ?)',
  );
  const deleteObject = database.prepare('delete from object where name = ?');
  const replaceMemo = database.prepare('insert or replace into memo (key, value) values (?, ?)');

  const toLibrary = (object: unknown, row: Record<string, unknown>): CataloguedLibrary => ({
    storePath: `${storeDir}/${object}`,
    file: String(row['file']),
    elf: JSON.parse(String(row['elf'])) as ElfFile,
  });

  /** @returns whether libraries came. */
  const addObject = (name: string, libraries: readonly FoundLibrary[]): boolean => {
    const { changes, lastInsertRowid: object } = insertObject.run(name);
    if (changes === 0) return false; // another process was faster
    for (const { file, elf, names } of libraries) {
      const { lastInsertRowid: library } = insertLibrary.run(
        object,
        file,
        elf.class,
        elf.machine,
        JSON.stringify(elf),
      );
      for (const each of names) insertOffer.run(each, library);
    }
    return libraries.length > 0;
  };

  /** @returns whether libraries went. */
  const dropObject = (name: string): boolean => {
    const { changes } = deleteLibraries.run(name);
    deleteObject.run(name);
    return changes > 0;
  };

  return {
    storeDir,
    objectNames: () =>
      new Set(
        database
          .prepare('select name from object')
          .all()
          .map((row) => String(row['name'])),
      ),
    librariesOffering: (name, elfClass, machine) =>
      offering.all(name, elfClass, machine).map((row) => toLibrary(row['object'], row)),
    namesBeginning: (stem, elfClass, machine) =>
      beginning.all(stem, `${stem}\u{10ffff}`, elfClass, machine).map((row) => String(row['name'])),
    librariesBySoname: (elfClass, machine) =>
      ofMachine.all(elfClass, machine).map((row) => ({
        names: [String(row['soname'])],
        storePath: `${storeDir}/${row['object']}`,
        file: String(row['file']),
        get elf() {
          return JSON.parse(String(row['elf'])) as ElfFile;
        },
      })),
    librariesIn: (storePath, elfClass, machine) =>
      within.all(path.basename(storePath), elfClass, machine).map((row) => ({
        storePath,
        file: String(row['file']),
        get elf() {
          return JSON.parse(String(row['elf'])) as ElfFile;
        },
        names: namesOf.all(Number(row['id'])).map((each) => String(each['name'])),
      })),
    objectsNaming: (storePath) =>
      Number(
        database
          .prepare(
            `select count(distinct object) as n from library join object on object.id = library.object
             where instr(elf, ?) > 0 and object.name <> ?`,
          )
          .get(path.basename(storePath), path.basename(storePath))?.['n'],
      ),
    update: (added, dropped) => {
      database.exec('begin immediate');
      try {
        const went = dropped.map(dropObject);
        const came = [...added].map(([name, libraries]) => addObject(name, libraries));
        if ([...went, ...came].includes(true)) replaceMemo.run(NAMES_STATE, newState());
        database.exec('commit');
      } catch (error) {
        // SQLite has done so itself when its disk is full (sqlite.org/lang_transaction.html).
        if (database.isTransaction) database.exec('rollback');
        throw error;
      }
    },
    memo: (key) =>
      database.prepare('select value from memo where key = ?').get(key)?.['value'] as string | undefined,
    setMemo: (key, value) => {
      replaceMemo.run(key, value);
    },
    counts: () => ({
      objects: Number(database.prepare('select count(*) as n from object').get()?.['n']),
      libraries: Number(database.prepare('select count(*) as n from library').get()?.['n']),
    }),
    close: () => database.close(),
  };
}

export interface Popularity {
  /** Other store objects that refer to it. */
  referrersOf(storePath: string): number;
  /** Bytes of all store objects it refers to, directly or not, and its own; 0 where nobody knows. */
  closureSizeOf(storePath: string): number;
}

interface OpenPopularity extends Popularity {
  close(): void;
}

/**
 * Asks Nix's database, or where it cannot be read the catalogue for the run paths that name the object. Nothing is
 * opened before the first question.
 */
export function openPopularity(
  location: StoreLocation,
  catalogue: Pick<Catalogue, 'objectsNaming'>,
): OpenPopularity {
  let opened: { readonly database: NixDatabase | undefined } | undefined;
  const database = (): NixDatabase | undefined => {
    opened ??= { database: openNixDatabase(location) };
    return opened.database;
  };
  return {
    referrersOf: (storePath) => database()?.referrersOf(storePath) ?? catalogue.objectsNaming(storePath),
    closureSizeOf: (storePath) => database()?.closureSizeOf(storePath) ?? 0,
    close: () => opened?.database?.close(),
  };
}
