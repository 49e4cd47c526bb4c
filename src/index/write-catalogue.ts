// Packages with shared objects → a side catalogue file, complete or not there at all; other sources in it stay.
import { closeSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { removeLeftovers, temporaryName } from '../host/atomic-file.ts';
import { makeDirectories } from '../host/files.ts';
import { debug } from '../host/output.ts';
import { addressOf, assertNoCatalogue } from './catalogue-errors.ts';
import type { IndexedFile, PackageObjects } from './package-objects.ts';
import { type IndexSource, LAST_INDEX, TABLES, VERSION } from './side-catalogue.ts';

/** What is written of a source. `address`: of a binary cache, as Nix takes it; nothing prints it. */
type WrittenSource = IndexSource & { readonly address: string };

interface CatalogueWriter {
  give(found: PackageObjects): void;
  /**
   * Puts the new catalogue in the place of the old one; without a source nothing may have been given. @throws Node's
   * and SQLite's errors.
   */
  finish(source: WrittenSource | undefined): void;
  /** Leaves everything as it was. Also after `finish`. */
  abandon(): void;
}

/** `libfoo` of `libfoo.so.1.2`. */
function beforeSo(name: string): string {
  return name.slice(0, name.indexOf('.so'));
}

function stemsOf(files: readonly IndexedFile[]): number {
  return new Set(files.filter(({ dir }) => dir === 'lib').map(({ name }) => beforeSo(name))).size;
}

/**
 * What nobody else sees needs no journal on the disk. Node's SQLite does not let it be off (sqlite.org,
 * DBCONFIG_DEFENSIVE).
 */
const FAST = 'pragma journal_mode = memory; pragma synchronous = off; pragma locking_mode = exclusive;';

function hasTables(database: DatabaseSync): boolean {
  return database.prepare('pragma old.user_version').get()?.['user_version'] === VERSION;
}

const COPY = `
insert into source select * from old.source where key <> :key;
insert into object select * from old.object where source in (select id from source);
insert into file select file.* from old.file join object on object.id = file.object;`;

/**
 * Takes over what other sources gave. One that is damaged is a catalogue without sources; where another cannot be read
 * now, it stays as it is: what a binary cache gave does not come back by itself.
 */
function copyOthers(database: DatabaseSync, file: string, key: string): void {
  try {
    database.prepare('attach ? as old').run(addressOf(file).href);
  } catch (error) {
    assertNoCatalogue(error, file);
    debug(`no older file index: ${String(error)}`);
    return;
  }
  try {
    if (hasTables(database)) copyRows(database, key);
  } catch (error) {
    assertNoCatalogue(error, file);
    debug(`the older file index is left behind: ${String(error)}`);
  } finally {
    database.exec('detach old');
  }
}

/** All or nothing. What a disk did not give once, and SQLite calls damage, is asked for again. */
function copyRows(database: DatabaseSync, key: string): void {
  for (let tries = 1; ; tries += 1) {
    try {
      copyOnce(database, key);
      return;
    } catch (error) {
      database.exec('delete from file; delete from object; delete from source;');
      if (tries === 2) throw error;
    }
  }
}

function copyOnce(database: DatabaseSync, key: string): void {
  for (const statement of COPY.split(';').filter((each) => each.trim() !== '')) {
    const prepared = database.prepare(statement);
    if (statement.includes(':key')) prepared.run({ key });
    else prepared.run();
  }
}

function nextId(database: DatabaseSync, table: 'source' | 'object'): number {
  return Number(database.prepare(`select coalesce(max(id), 0) + 1 as next from ${table}`).get()?.['next']);
}

function syncFile(file: string): void {
  const fd = openSync(file, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function prepareFile(file: string, temporary: string, key: string): DatabaseSync {
  closeSync(openSync(temporary, 'wx', 0o600)); // the address of a cache may have a password in it
  const database = new DatabaseSync(temporary);
  try {
    database.exec(`${FAST}${TABLES}`);
    copyOthers(database, file, key);
    // Sorted by SQLite itself afterwards, in a file of its own that has no name: memory stays small, the tables dense.
    database.exec('create temp table found as select * from file limit 0; begin');
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * Begins a catalogue with what is in `file` but for the source `key`, under a temporary name in the same directory.
 * @throws Node's and SQLite's errors when nothing can be written there.
 */
export function writeCatalogue(file: string, key: string): CatalogueWriter {
  makeDirectories(path.dirname(file));
  removeLeftovers(path.dirname(file));
  const temporary = temporaryName(file);
  let database: DatabaseSync | undefined;
  const abandon = (): void => {
    database?.close();
    database = undefined;
    rmSync(temporary, { force: true });
  };
  try {
    database = prepareFile(file, temporary, key);
    const writer = insertInto(database);
    return {
      give: writer.give,
      abandon,
      finish: (source) => {
        writer.finish(source);
        database?.close();
        database = undefined;
        syncFile(temporary);
        renameSync(temporary, file);
      },
    };
  } catch (error) {
    abandon();
    throw error;
  }
}

function insertInto(database: DatabaseSync) {
  const source = nextId(database, 'source');
  let object = nextId(database, 'object');
  const addObject = database.prepare('insert into object values (?, ?, ?, ?, ?, ?, ?, ?)');
  const addFile = database.prepare('insert into found values (?, ?, ?, ?, ?, ?)');
  return {
    give: ({ object: found, files }: PackageObjects): void => {
      const { name, attr, output, toplevel, system } = found;
      addObject.run(object, source, name, attr, output, Number(toplevel), system, stemsOf(files));
      for (const each of files) addFile.run(each.name, each.dir, object, each.kind, each.size, each.target);
      object += 1;
    },
    finish: (of: WrittenSource | undefined): void => {
      database.exec('insert or ignore into file select * from found order by name, dir, object');
      if (of !== undefined) addSourceRow(database, source, of);
      database.exec(`commit; ${LAST_INDEX}`);
    },
  };
}

function addSourceRow(database: DatabaseSync, id: number, of: WrittenSource): void {
  const refusal = of.refusal === undefined ? '' : JSON.stringify(of.refusal);
  const { key, kind, identity, entries, packages, objects, files, ignored, built, address } = of;
  database
    .prepare('insert into source values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
    .run(id, key, kind, identity, refusal, entries, packages, objects, files, ignored, built, address);
}
