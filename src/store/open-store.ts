// A place and a store → its catalogue, up to date, with progress on a terminal.
import { rmSync, statSync } from 'node:fs';
import { isatty } from 'node:tty';
import { withLock } from '../platform/lock.ts';
import { debug } from '../platform/report.ts';
import { type Catalogue, catalogueFile, isDamaged, openCatalogue, removeCatalogue } from './catalogue.ts';
import { type Progress, refreshCatalogue } from './refresh.ts';
import { openStanding } from './standing.ts';
import type { StoreLocation } from './store-location.ts';

/** Nothing is drawn for work that ends within this many milliseconds. */
const SILENCE = 1000;

/** Draws a bar on stderr once the work has taken a second, if stderr is a terminal. */
async function barOnTerminal(): Promise<{ progress: Progress; done: () => void }> {
  if (!isatty(2)) return { progress: () => {}, done: () => {} };
  const started = performance.now();
  const { SingleBar } = (await import('cli-progress')).default;
  let bar: InstanceType<typeof SingleBar> | undefined;
  return {
    progress: (value, total) => {
      if (performance.now() - started < SILENCE) return;
      if (bar === undefined) {
        const format = 'nix-run-foreign: reading the store {bar} {value}/{total}';
        bar = new SingleBar({ format, barsize: 30, clearOnComplete: true, hideCursor: null });
        bar.start(total, value);
      }
      bar.update(value);
    },
    done: () => bar?.stop(),
  };
}

/** A directory in the catalogue's place cannot be opened and is nobody's catalogue. */
function removeDirectoryAt(file: string): void {
  if (statSync(file, { throwIfNoEntry: false })?.isDirectory()) rmSync(file, { recursive: true });
}

async function openAndRefresh(file: string, location: StoreLocation): Promise<Catalogue> {
  removeDirectoryAt(file);
  const catalogue = openCatalogue(file, location.storeDir);
  try {
    const { progress, done } = await barOnTerminal();
    try {
      await refreshCatalogue(catalogue, location, progress, (work) => withLock(file, work));
    } finally {
      done();
    }
    return catalogue;
  } catch (error) {
    catalogue.close();
    throw error;
  }
}

function withStanding(catalogue: Catalogue, location: StoreLocation): Catalogue {
  const standing = openStanding(location, catalogue);
  const close = (): void => {
    standing.close();
    catalogue.close();
  };
  return { ...catalogue, standing, close };
}

/**
 * The catalogue of a store, up to date. Processes that start together fill it once.
 * A damaged file is thrown away and filled anew.
 */
export async function openStore(directory: string, location: StoreLocation): Promise<Catalogue> {
  const file = catalogueFile(directory, location.storeDir);
  try {
    return withStanding(await openAndRefresh(file, location), location);
  } catch (error) {
    if (!isDamaged(error)) throw error;
    debug(`catalogue ${file} is damaged and is filled anew: ${String(error)}`);
    removeCatalogue(file);
    return withStanding(await openAndRefresh(file, location), location);
  }
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
  const attempt = async (): Promise<T> => {
    const catalogue = await openStore(directory, location);
    try {
      return work(catalogue);
    } finally {
      catalogue.close();
    }
  };
  try {
    return await attempt();
  } catch (error) {
    if (!isDamaged(error)) throw error;
    const file = catalogueFile(directory, location.storeDir);
    debug(`catalogue ${file} is damaged and is filled anew: ${String(error)}`);
    removeCatalogue(file);
    return await attempt();
  }
}
