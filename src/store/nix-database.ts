// Nix's own SQLite database, read-only → which store paths are valid, and their hashes.
import path from 'node:path';
import { DatabaseSync, type SQLOutputValue, type StatementSync } from 'node:sqlite';
import { ForeignError, reasonOf } from '../host/errors.ts';
import { namesIn } from '../host/files.ts';
import { debug } from '../host/output.ts';
import { hasNixDatabase, nixDatabaseFile } from './nix-state.ts';
import { isBusy, resultCode } from './sqlite-error.ts';
import type { StoreLocation } from './store-location.ts';

/** Read access to `ValidPaths` (Nix: src/libstore/schema.sql). */
export interface NixDatabase {
  isValid(storePath: string): boolean;
  /** Whole seconds since 1970; undefined for a path that is not valid. */
  registeredAt(storePath: string): number | undefined;
  /** As Nix has it, `sha256:<hex>`; undefined for a path that is not valid. */
  narHashOf(storePath: string): string | undefined;
  /** How many other store objects refer to it. */
  referrersOf(storePath: string): number;
  /** Sum of the NAR sizes of its closure, in bytes; 0 for a path that is not valid. */
  closureSizeOf(storePath: string): number;
  close(): void;
}

const HASH = 'select hash as value from ValidPaths where path = ?';

const REGISTERED = 'select registrationTime as value from ValidPaths where path = ?';

const REFERRERS = `select count(*) as value from Refs join ValidPaths on ValidPaths.id = reference
  where path = ? and referrer <> reference`;

const CLOSURE_SIZE = `with recursive closure (id) as (
    select id from ValidPaths where path = ?
    union select reference from Refs join closure on referrer = closure.id)
  select coalesce(sum(narSize), 0) as value from ValidPaths join closure on closure.id = ValidPaths.id`;

/** Several attempts, since another process may hold the database for a moment. */
const BUSY_TIMEOUT = 5000;

function open(location: string): DatabaseSync {
  const database = new DatabaseSync(location, { readOnly: true, timeout: BUSY_TIMEOUT });
  try {
    database.prepare('select 1 from ValidPaths limit 1').get();
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** SQLITE_READONLY, SQLITE_CANTOPEN; of locks SQLite itself has asked again, for as long as BUSY_TIMEOUT. */
function mayNotBeShared(error: unknown): boolean {
  return isBusy(error) || [8, 14].includes(resultCode(error) ?? 0);
}

/** What may fail once: a call about a lock, a read of a disk. */
const ATTEMPTS = 3;

function openAsWeCan(file: string): DatabaseSync | undefined {
  // A reader that may not create the -shm file fails unless some other process has the database open;
  // then nobody is writing either and `immutable` is right (sqlite.org/wal.html, "Read-Only Databases").
  // It is also for file systems without locks, though it does not see what Nix has just written.
  const uri = `file:${encodeURI(file).replace(/[?#]/g, encodeURIComponent)}?immutable=1`;
  const tryAs = (location: string): DatabaseSync | 'again' | 'never' => {
    try {
      return open(location);
    } catch (error) {
      debug(`${location}: ${String(error)}`);
      return mayNotBeShared(error) ? 'never' : 'again';
    }
  };
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const opened = tryAs(file);
    if (typeof opened === 'object') return opened;
    if (opened === 'never') break;
  }
  const opened = tryAs(uri);
  return typeof opened === 'object' ? opened : undefined;
}

/** Prepares a statement, once for each text. */
export type Prepare = (sql: string) => StatementSync;

/** The database itself. */
interface NixTables {
  /**
   * Asks, and once more in a database opened anew where SQLite could not answer: whoever reads it as `immutable` finds
   * pages that do not fit each other when Nix writes after all.
   * @throws ForeignError `nix-database` where SQLite cannot answer then either.
   */
  ask<T>(question: (prepare: Prepare) => T): T;
  close(): void;
}

interface Connection {
  readonly prepare: Prepare;
  readonly close: () => void;
}

function connect(location: StoreLocation): Connection | undefined {
  const database = hasNixDatabase(location) ? openAsWeCan(nixDatabaseFile(location)) : undefined;
  if (database === undefined) return undefined;
  const known = new Map<string, StatementSync>();
  const prepare = (sql: string): StatementSync => {
    const statement = known.get(sql) ?? database.prepare(sql);
    known.set(sql, statement);
    return statement;
  };
  return { prepare, close: () => database.close() };
}

/** Has no code of SQLite: by one, our catalogue would be called damaged, or its place not to be written. */
function unreadable(location: StoreLocation, cause: unknown): ForeignError {
  return new ForeignError(`${nixDatabaseFile(location)} cannot be read: ${reasonOf(cause)}`, {
    code: 'nix-database',
    hint: "try it again when no Nix is at work; whether Nix's database is whole: nix-store --verify",
    exitCode: 125,
    cause,
  });
}

/** Undefined where there is none or it may not be read. */
export function openTables(location: StoreLocation): NixTables | undefined {
  let connection = connect(location);
  if (connection === undefined) return undefined;
  const close = (): void => {
    connection?.close();
    connection = undefined;
  };
  const ask = <T>(question: (prepare: Prepare) => T, isLast: boolean): T => {
    connection ??= connect(location);
    if (connection === undefined) throw unreadable(location, new Error('it cannot be opened any more'));
    try {
      return question(connection.prepare);
    } catch (error) {
      if (resultCode(error) === undefined) throw error;
      debug(`${nixDatabaseFile(location)}: ${String(error)}`);
      close();
      if (isLast) throw unreadable(location, error);
      return ask(question, true);
    }
  };
  return { ask: (question) => ask(question, false), close };
}

/** Opens the database of a store; undefined where there is none or it may not be read. */
export function openNixDatabase(location: StoreLocation): NixDatabase | undefined {
  const tables = openTables(location);
  if (tables === undefined) return undefined;
  const answerTo = (sql: string, storePath: string): SQLOutputValue | undefined =>
    tables.ask((prepare) => prepare(sql).get(storePath)?.['value']);
  return {
    isValid: (storePath) => answerTo(HASH, storePath) !== undefined,
    registeredAt: (storePath) => answerTo(REGISTERED, storePath) as number | undefined,
    narHashOf: (storePath) => answerTo(HASH, storePath) as string | undefined,
    referrersOf: (storePath) => Number(answerTo(REFERRERS, storePath)),
    closureSizeOf: (storePath) => Number(answerTo(CLOSURE_SIZE, storePath)),
    close: tables.close,
  };
}

/** A path in so many may lack its file where the directory is the database's. */
const LACKING = 10;

/**
 * Whether the database is known to be that of the store directory: nearly all that it holds valid is there. False where
 * it cannot be read. @throws ForeignError `nix-database`.
 */
export function isOfStore(location: StoreLocation): boolean {
  const tables = openTables(location);
  if (tables === undefined) return false;
  try {
    const rows = tables.ask((prepare) => prepare('select path from ValidPaths').all());
    const there = new Set(namesIn(location.storeDir));
    const absent = rows.filter((row) => !there.has(path.basename(String(row['path']))));
    return absent.length * LACKING <= rows.length;
  } finally {
    tables.close();
  }
}
