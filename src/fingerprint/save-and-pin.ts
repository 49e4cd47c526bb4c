// A fingerprint → its store object and the one root that pins it and all it names, by a Nix that was started ahead.
import type { Directories } from '../host/directories.ts';
import { type Pinned, type RootAdder, refusingRootAdder, startRootAdder } from '../store/add-and-pin.ts';
import { missingForNix, type Nix } from '../store/nix.ts';
import { isRegistered } from '../store/spare-from-collector.ts';
import { storeLocation } from '../store/store-location.ts';
import { type Fingerprint, storeTextOf } from './fingerprint.ts';
import {
  pin,
  pinned,
  removePlainFingerprint,
  type SavedFingerprint,
  savePlainFingerprint,
} from './saved-fingerprints.ts';

export interface SavedRoot {
  readonly kind: 'saved';
  /** The root link, or the plain file when nothing could be pinned. */
  readonly file: string;
  /** Why nothing could be pinned. */
  readonly unpinned?: string;
}

export type Root =
  | SavedRoot
  /** `file`: the store path that is gone, where Nix names it. */
  | { readonly kind: 'vanished'; readonly why: string; readonly file?: string | undefined };

function saveUnpinned(dirs: Directories, fingerprint: Fingerprint, why: string): Root {
  return { kind: 'saved', file: savePlainFingerprint(dirs, fingerprint), unpinned: why };
}

/** What came of pinning → where the fingerprint is. The program starts without a root too, and one line says so. */
function rootAfter(
  pinned: Pinned | { readonly kind: 'rooted' },
  fingerprint: Fingerprint,
  dirs: Directories,
  link: string,
): Root {
  if (pinned.kind === 'vanished') return { kind: 'vanished', why: pinned.why, file: pinned.storePath };
  if (pinned.kind === 'refused' || pinned.kind === 'damaged')
    return saveUnpinned(dirs, fingerprint, pinned.why);
  removePlainFingerprint(dirs, fingerprint.program.sha256);
  return { kind: 'saved', file: link };
}

/** Starts what `keep` finishes; undefined where there is no Nix. */
export function startSaving(nix: Nix | undefined, link: string): RootAdder | undefined {
  if (nix === undefined) return undefined;
  const missing = missingForNix(nix);
  if (missing === 'store') return undefined; // whoever lists it says so
  if (missing === 'database')
    return refusingRootAdder(`${storeLocation(nix.env).stateDir} holds no database of Nix`);
  return startRootAdder(nix, link);
}

/**
 * Adds a fingerprint to the store and pins it. Where Nix cannot (none there, no daemon, a read-only store) it is
 * saved as a plain file.
 * @throws Node's errors when the place cannot be written.
 */
export async function saveAndPin(
  rootAdder: RootAdder | undefined,
  fingerprint: Fingerprint,
  dirs: Directories,
  link: string,
): Promise<Root> {
  if (rootAdder === undefined) return saveUnpinned(dirs, fingerprint, 'Nix was not found');
  return rootAfter(await rootAdder.pin(storeTextOf(fingerprint)), fingerprint, dirs, link);
}

/** Pins a saved fingerprint for one more place of the program. */
export async function alsoPin(
  nix: Nix | undefined,
  saved: SavedFingerprint,
  dirs: Directories,
  link: string,
): Promise<Root> {
  const storePath = pinned(saved.file); // of a plain one none
  const isHalfPinned = storePath?.endsWith('.drv') === true;
  if (storePath === undefined || isHalfPinned || nix === undefined) {
    return await saveAndPin(startSaving(nix, link), saved.fingerprint, dirs, link);
  }
  if (saved.file === link && isRegistered(nix, link)) return { kind: 'saved', file: link };
  return rootAfter(await pin(nix, link, storePath), saved.fingerprint, dirs, link);
}

/** Root adders for one root link, one after the other. */
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
