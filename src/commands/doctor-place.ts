// The user's place → whether it can be written, and what its catalogue holds.
import { rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { errnoOf, reasonOf } from '../errors.ts';
import { temporaryName, writeFileDurably } from '../platform/atomic-file.ts';
import { createPlace, type Place } from '../platform/places.ts';
import { catalogueFile, isDamaged } from '../store/catalogue.ts';
import type { StoreLocation } from '../store/store-location.ts';
import type { Check } from './doctor-nix.ts';

/** Modes say little of a read-only or full disk. */
function tryToWrite(directory: string): void {
  const file = temporaryName(path.join(directory, 'doctor'));
  try {
    writeFileDurably(file, 'written by nix-foreign doctor\n');
  } finally {
    rmSync(file, { force: true });
  }
}

/** Writes and removes a small file wherever a first start writes. */
export function checkPlace(place: Place, uid: number): Check {
  const lack = (directory: string, error: unknown): Check => ({
    subject: 'directories',
    state: 'lack',
    detail: `${directory}: ${reasonOf(error)}`,
    remedy: 'make them yours and writable, or name others with XDG_CACHE_HOME and XDG_STATE_HOME',
  });
  try {
    createPlace(place, uid);
  } catch (error) {
    return lack(place.cache, error);
  }
  for (const directory of [place.plans, place.farms, place.locks, place.catalogues, place.roots]) {
    try {
      tryToWrite(directory);
    } catch (error) {
      return lack(directory, error);
    }
  }
  return { subject: 'directories', state: 'ok', detail: `${place.cache} and ${place.state}` };
}

function countsIn(file: string): { objects: number; libraries: number } {
  const database = new DatabaseSync(file, { readOnly: true, timeout: 5000 });
  try {
    const count = (table: string) =>
      Number(database.prepare(`select count(*) as n from ${table}`).get()?.['n']);
    return { objects: count('object'), libraries: count('library') };
  } finally {
    database.close();
  }
}

/** Looks, and changes nothing: a first start fills a catalogue that is missing or damaged. */
export function checkCatalogue(place: Place, { storeDir }: StoreLocation): Check {
  const check = { subject: 'catalogue' } as const;
  const file = catalogueFile(place.catalogues, storeDir);
  try {
    statSync(file);
    const { objects, libraries } = countsIn(file);
    return { ...check, state: 'ok', detail: `${libraries} libraries in ${objects} store objects: ${file}` };
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? ''))
      return { ...check, state: 'note', detail: 'it is filled at the first start' };
    if (isDamaged(error))
      return { ...check, state: 'note', detail: `${file} is damaged; it is filled anew at the next start` };
    return { ...check, state: 'lack', detail: `${file}: ${reasonOf(error)}`, remedy: `remove ${file}` };
  }
}
