// A fingerprint → its store object and the one root that keeps it and all it names.
import { readlinkSync } from 'node:fs';
import type { Fingerprint } from '../fingerprint/fingerprint.ts';
import { keepPlainRecord, removePlainRecord } from '../fingerprint/records.ts';
import type { Place } from '../platform/places.ts';
import { notice } from '../platform/report.ts';
import type { Added, Nix } from '../store/nix-commands.ts';
import { pin } from './pin.ts';

export type Root =
  /** `file`: the root link, or the plain record when nothing could be pinned. */
  { readonly kind: 'kept'; readonly file: string } | { readonly kind: 'vanished'; readonly why: string };

function keepUnpinned(place: Place, fingerprint: Fingerprint, why: string): Root {
  notice(`the libraries are not protected from garbage collection: ${why}`);
  return { kind: 'kept', file: keepPlainRecord(place, fingerprint) };
}

/** True when Nix itself says that a store path is gone, as opposed to being unable to work. */
function saysVanished(why: string): boolean {
  return /is not valid|does not exist|don't know how to build|no substituter|not valid in the Nix store/.test(
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
