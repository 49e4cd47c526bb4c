// A fingerprint → its store object and the one root that keeps it and all it names.
// A Nix that was started before anybody knew what it is to pin → the pinner for whoever needs one first.
import { existsSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import type { Place } from '../host/directories.ts';
import { refusingRootAdder, startRootAdder, type RootAdder } from '../store/add-and-pin.ts';
import type { Nix } from '../store/nix.ts';
import { storeLocation } from '../store/store-location.ts';
import { type Fingerprint, storeTextOf } from './fingerprint.ts';
import { savePlainFingerprint, pin, type SavedFingerprint, removePlainFingerprint } from './saved-fingerprints.ts';

export interface SavedRoot {
  readonly kind: 'kept';
  /** The root link, or the plain record when nothing could be pinned. */
  readonly file: string;
  /** Why nothing could be pinned. */
  readonly unpinned?: string;
}

export type Root = SavedRoot | { readonly kind: 'vanished'; readonly why: string };

function saveUnpinned(place: Place, fingerprint: Fingerprint, why: string): Root {
  return { kind: 'kept', file: savePlainFingerprint(place, fingerprint), unpinned: why };
}

/**
 * True when Nix itself says that a store path is gone, as opposed to being unable to work. Nix up to 2.26 says of a
 * path that was to be pinned that its build failed: a text has nothing to build.
 */
function saysVanished(why: string): boolean {
  return /is not valid|path '[^']*' does not exist|don't know how to build|no substituter|^build of '[^']*' failed/.test(
    why,
  );
}

/** What came of pinning → where the record is. The program starts without a root too, and one line says so. */
function rootAfter(
  pinned: { readonly kind: 'refused'; readonly why: string } | { readonly kind: string },
  fingerprint: Fingerprint,
  place: Place,
  link: string,
): Root {
  if ('why' in pinned) {
    if (saysVanished(pinned.why)) return { kind: 'vanished', why: pinned.why };
    return saveUnpinned(place, fingerprint, pinned.why);
  }
  removePlainFingerprint(place, fingerprint.program.sha256);
  return { kind: 'kept', file: link };
}

/** Starts what `keep` finishes; undefined where there is no Nix. */
export function startSaving(nix: Nix | undefined, link: string): RootAdder | undefined {
  if (nix === undefined) return undefined;
  const { storeDir, stateDir } = storeLocation(nix.env);
  // Started without a database, Nix would make an empty one, which then denies every object of the store.
  const hasState = [path.join(stateDir, 'db'), path.join(stateDir, 'daemon-socket')].some((each) =>
    existsSync(each),
  );
  const isElsewhere = !['', 'auto', 'local'].includes(nix.env['NIX_REMOTE'] ?? '');
  if (!existsSync(storeDir)) return undefined; // whoever lists it says so
  if (!hasState && !isElsewhere) return refusingRootAdder(`${stateDir} holds no database of Nix`);
  return startRootAdder(nix, link);
}

/**
 * Adds a fingerprint to the store and pins it. Where Nix cannot (none there, no daemon, a read-only store) the record
 * is kept as a plain file.
 * @throws Node's errors when the place cannot be written.
 */
export async function saveAndPin(
  rootAdder: RootAdder | undefined,
  fingerprint: Fingerprint,
  place: Place,
  link: string,
): Promise<Root> {
  if (rootAdder === undefined) return saveUnpinned(place, fingerprint, 'Nix was not found');
  return rootAfter(await rootAdder.pin(storeTextOf(fingerprint)), fingerprint, place, link);
}

/** Pins a kept record for one more place of the program. */
export async function alsoPin(
  nix: Nix | undefined,
  saved: SavedFingerprint,
  place: Place,
  link: string,
): Promise<Root> {
  const storePath = storeObjectOfSaved(saved.file);
  if (storePath === undefined || nix === undefined) {
    return await saveAndPin(startSaving(nix, link), saved.fingerprint, place, link);
  }
  if (saved.file === link) return { kind: 'kept', file: link };
  return rootAfter(await pin(nix, link, storePath), saved.fingerprint, place, link);
}

/** The store object behind a kept record; undefined for a plain one. */
function storeObjectOfSaved(file: string): string | undefined {
  try {
    return readlinkSync(file);
  } catch {
    return undefined;
  }
}

/** Pinners for one root link, one after the other. */
export interface RootAdders {
  /** The one that is waiting, or a new one; undefined where there is no Nix. It waits until it is told to pin. */
  current(): RootAdder | undefined;
  /** Ends the one that is waiting, if nobody told it to pin. */
  close(): void;
}

/** `now` starts one at once: Nix takes 20 ms to start, in which others can work. */
export function startRootAdders(nix: Nix | undefined, link: string, when: 'now' | 'later'): RootAdders {
  let waiting: RootAdder | undefined;
  const current = (): RootAdder | undefined => {
    waiting ??= startSaving(nix, link);
    const rootAdder = waiting;
    return (
      rootAdder && {
        pin: (text) => {
          waiting = undefined;
          return rootAdder.pin(text);
        },
        abandon: close,
      }
    );
  };
  const close = (): void => {
    waiting?.abandon();
    waiting = undefined;
  };
  if (when === 'now') current();
  return { current, close };
}
