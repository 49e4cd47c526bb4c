// A program's plan key → every root link kept for it, whatever its content was when they were made.
import { lstatSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { rootLink } from '../fingerprint/records.ts';
import type { Place } from '../platform/places.ts';

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch {
    return [];
  }
}

/** A link counts although its target may be gone. */
function isThere(link: string): boolean {
  try {
    lstatSync(link);
    return true;
  } catch {
    return false;
  }
}

/** The root links of one program's place, sorted; more than one while a new content replaces an old one. */
export function linksOfProgram(place: Place, key: string): string[] {
  return namesIn(place.roots)
    .map((sha256) => rootLink(place, sha256, key))
    .filter(isThere);
}

/** Every root link of a place, sorted. */
export function allLinks(place: Place): string[] {
  return namesIn(place.roots).flatMap((sha256) =>
    namesIn(path.join(place.roots, sha256)).map((key) => rootLink(place, sha256, key)),
  );
}

/** The plan keys for which a content is pinned, sorted. */
export function keysPinning(place: Place, sha256: string): string[] {
  return namesIn(path.join(place.roots, sha256));
}
