// Nix's own SQLite database, read-only → which store paths are valid, and their hashes.
import { DatabaseSync } from 'node:sqlite';
import { debug } from '../host/output.ts';
import { hasNixDatabase, nixDatabaseFile } from './nix-state.ts';
import type { StoreLocation } from './store-location.ts';

/** Read access to `ValidPaths` (Nix: src/libstore/schema.sql). */
export interface NixDatabase {
  isValid(storePath: string): boolean;
  /** As Nix has it, `sha256:<hex>`; undefined for a path that is not valid. */
  narHashOf(storePath: string): string | undefined;
  /** How many other store objects refer to it. */
  referrersOf(storePath: string): number;
  /** Sum of the NAR sizes of its closure, in bytes; 0 for a path that is not valid. */
  closureSizeOf(storePath: string): number;
  close(): void;
}

const REFERRERS = `select count(*) as n from Refs join ValidPaths on ValidPaths.id = reference
  where path = ? and referrer <> reference`;

const CLOSURE_SIZE = `with recursive closure (id) as (
    select id from ValidPaths where path = ?
    union select reference from Refs join closure on referrer = closure.id)
  select coalesce(sum(narSize), 0) as n from ValidPaths join closure on closure.id = ValidPaths.id`;

/** Several attempts, since another process may hold the database for a moment. */
const BUSY_TIMEOUT = 5000;

function open(location: string): DatabaseSync {
  const database = new DatabaseSync(location, { readOnly: true, timeout: BUSY_TIMEOUT });
  database.prepare('select 1 from ValidPaths limit 1').get();
  return database;
}

function openAsWeCan(file: string): DatabaseSync | undefined {
  // A reader that may not create the -shm file fails unless some other process has the database open;
  // then nobody is writing either and `immutable` is right (sqlite.org/wal.html, "Read-Only Databases").
  const uri = `file:${encodeURI(file).replace(/[?#]/g, encodeURIComponent)}?immutable=1`;
  for (const location of [file, uri]) {
    try {
      return open(location);
    } catch (error) {
      debug(`${location}: ${String(error)}`);
    }
  }
  return undefined;
}

/** The database itself, for questions of one caller only; undefined where there is none or it may not be read. */
export function openTables(location: StoreLocation): DatabaseSync | undefined {
  return hasNixDatabase(location) ? openAsWeCan(nixDatabaseFile(location)) : undefined;
}

/** Opens the database of a store; undefined where there is none or it may not be read. */
export function openNixDatabase(location: StoreLocation): NixDatabase | undefined {
  const database = openTables(location);
  if (database === undefined) return undefined;
  const query = database.prepare('select hash from ValidPaths where path = ?');
  const hashOf = (storePath: string): string | undefined =>
    query.get(storePath)?.['hash'] as string | undefined;
  return {
    isValid: (storePath) => hashOf(storePath) !== undefined,
    narHashOf: hashOf,
    referrersOf: (storePath) => Number(database.prepare(REFERRERS).get(storePath)?.['n']),
    closureSizeOf: (storePath) => Number(database.prepare(CLOSURE_SIZE).get(storePath)?.['n']),
    close: () => database.close(),
  };
}
