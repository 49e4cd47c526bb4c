// New names in the store directory → those that are complete store objects.
import { existsSync, lstatSync } from 'node:fs';
import path from 'node:path';
import type { NixDatabase } from './nix-database.ts';
import type { StoreLocation } from './store-location.ts';

/**
 * Nix sets the modification time of a finished store object to 1 before it registers it
 * (Nix: canonicalisePathMetaData), so an object with another time is still being written.
 */
const FINISHED = 1;

/** A test for whether a store object is complete and may be catalogued for good. */
export function validityTest(
  location: StoreLocation,
  database: NixDatabase | undefined,
): (name: string) => boolean {
  if (database !== undefined) return (name) => database.isValid(path.join(location.storeDir, name));
  // A store without any Nix (a copy, an image): everything that is there counts.
  if (!existsSync(path.join(location.stateDir, 'db'))) return () => true;
  return (name) => {
    const stats = lstatSync(path.join(location.storeDir, name), { throwIfNoEntry: false });
    return stats !== undefined && Math.trunc(stats.mtimeMs / 1000) === FINISHED;
  };
}
