// A fingerprint → its store object and the one root that keeps it and all it names.
import { readlinkSync } from 'node:fs';
import type { Fingerprint } from '../fingerprint/fingerprint.ts';
import { keepPlainRecord, removePlainRecord } from '../fingerprint/records.ts';
import type { Place } from '../platform/places.ts';
import type { Added, Nix } from '../store/nix-commands.ts';
import { pin } from './pin.ts';

export interface KeptRoot {
  readonly kind: 'kept';
  /** The root link, or the plain record when nothing could be pinned. */
  readonly file: string;
  /** Why nothing could be pinned. */
  readonly unpinned?: string;
}

export type Root = KeptRoot | { readonly kind: 'vanished'; readonly why: string };

function keepUnpinned(place: Place, fingerprint: Fingerprint, why: string): Root {
  return { kind: 'kept', file: keepPlainRecord(place, fingerprint), unpinned: why };
}

/**
 * True when Nix itself says that a store path is gone, as opposed to being unable to work. Nix up to 2.26 says of a
 * path that was to be pinned that its build failed: a text has nothing to build.
 */
function saysVanished(why: string): boolean {
  return /is not valid|does not exist|don't know how to build|no substituter|^build of '[^']*' failed/.test(
    why,
  );
}

/**
 * Pins a fingerprint that was added to the store. Where Nix cannot add or pin (none there, no daemon, a read-only
 * store) the program still starts: the record is kept as a plain file, and one line says so.
 */
export async function keepAndPin(
  nix: Nix | undefined,
  added: Added | undefined,
  fingerprint: Fingerprint,
  place: Place,
  link: string,
): Promise<Root> {
  if (nix === undefined || added === undefined) return keepUnpinned(place, fingerprint, 'Nix was not found');
  const pinned = added.kind === 'added' ? await pin(nix, link, added.storePath) : added;
  if (pinned.kind === 'refused') {
    if (saysVanished(pinned.why)) return { kind: 'vanished', why: pinned.why };
    return keepUnpinned(place, fingerprint, pinned.why);
  }
  removePlainRecord(place, fingerprint.program.sha256);
  return { kind: 'kept', file: link };
}

/** The store object behind a kept record; undefined for a plain one. */
export function storeObjectOfRecord(file: string): string | undefined {
  try {
    return readlinkSync(file);
  } catch {
    return undefined;
  }
}
