// Where Nix keeps its state → its database, and whether there is one: is Nix there?
import { statSync } from 'node:fs';
import path from 'node:path';
import { errnoOf } from '../host/errors.ts';
import type { StoreLocation } from './store-location.ts';

export function nixDatabaseFile({ stateDir }: Pick<StoreLocation, 'stateDir'>): string {
  return path.join(stateDir, 'db/db.sqlite');
}

/**
 * Is Nix there? Started without a database it would make an empty one, which then denies every object of the store.
 * A directory that may not be looked into has one.
 */
export function hasNixDatabase(location: Pick<StoreLocation, 'stateDir'>): boolean {
  try {
    return statSync(nixDatabaseFile(location), { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    return errnoOf(error) === 'EACCES';
  }
}
