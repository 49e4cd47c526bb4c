// A store path → how much the rest of the store relies on it, and how much it brings along.
import type { Catalogue } from './catalogue.ts';
import { type NixDatabase, openNixDatabase } from './nix-database.ts';
import type { StoreLocation } from './store-location.ts';

export interface Standing {
  /** Other store objects that refer to it. */
  referrersOf(storePath: string): number;
  /** Bytes of all store objects it refers to, directly or not, and its own; 0 where nobody knows. */
  closureSizeOf(storePath: string): number;
}

export interface OpenStanding extends Standing {
  close(): void;
}

/**
 * Asks Nix's database, or where it cannot be read the catalogue for the run paths that name the object. Nothing is
 * opened before the first question.
 */
export function openStanding(
  location: StoreLocation,
  catalogue: Pick<Catalogue, 'objectsNaming'>,
): OpenStanding {
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
