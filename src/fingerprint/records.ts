// A program's content hash → the fingerprints kept for it.
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { writeFileDurably } from '../platform/atomic-file.ts';
import type { Place } from '../platform/places.ts';
import { debug } from '../platform/report.ts';
import { canonicalText, type Fingerprint, MAXIMUM_SIZE } from './fingerprint.ts';

/** A fingerprint that was kept, and where. */
export interface Record {
  readonly fingerprint: Fingerprint;
  /** The root link (a symlink to a store object that is the document) or the plain file without Nix. */
  readonly file: string;
}

/** The link that pins a fingerprint for one place of a program: `roots/<sha256>/<plan key>`. */
export function rootLink(place: Place, sha256: string, key: string): string {
  return path.join(place.roots, sha256, key);
}

/** Where a fingerprint is kept when there is no Nix to hold it. */
export function plainRecord(place: Place, sha256: string): string {
  return path.join(place.fingerprints, `${sha256}.json`);
}

/** Reads one kept fingerprint; undefined, with a line in the debug log, when it is missing or not to be believed. */
export async function readRecord(
  file: string,
  sha256: string,
  storeDir: string,
): Promise<Record | undefined> {
  let text: string;
  try {
    const stats = statSync(file);
    if (!stats.isFile() || stats.size > MAXIMUM_SIZE) return undefined;
    text = readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
  // The checks are loaded when there is something to check: a first start has no record.
  const { parseFingerprint } = await import('./parse.ts');
  const parsed = parseFingerprint(text, storeDir);
  if (parsed.kind === 'refused') {
    debug(`fingerprint ${file} is not believed: ${parsed.why}`);
    return undefined;
  }
  if (parsed.signatures.length > 0) {
    debug(`fingerprint ${file} is not believed: it carries signatures, and no record does`);
    return undefined;
  }
  if (parsed.fingerprint.program.sha256 !== sha256) {
    debug(`fingerprint ${file} is not believed: it is another program's`);
    return undefined;
  }
  return { fingerprint: parsed.fingerprint, file };
}

function listLinks(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch {
    return [];
  }
}

function filesFor(place: Place, sha256: string, key: string): string[] {
  const links = listLinks(path.join(place.roots, sha256)).map((name) => rootLink(place, sha256, name));
  const own = rootLink(place, sha256, key);
  return [own, ...links.filter((link) => link !== own), plainRecord(place, sha256)];
}

/** All fingerprints kept for a content hash, place by place; in each the one of the program's own path first. */
export async function recordsOf(
  places: readonly Place[],
  sha256: string,
  key: string,
  storeDir: string,
): Promise<Record[]> {
  const files = places.flatMap((place) => filesFor(place, sha256, key));
  const records = await Promise.all(files.map((file) => readRecord(file, sha256, storeDir)));
  return records.filter((record) => record !== undefined);
}

/** Keeps a fingerprint where there is no Nix. @throws Node's errors when the place cannot be written. */
export function keepPlainRecord(place: Place, fingerprint: Fingerprint): string {
  const file = plainRecord(place, fingerprint.program.sha256);
  mkdirSync(place.fingerprints, { recursive: true, mode: 0o700 });
  writeFileDurably(file, canonicalText(fingerprint));
  return file;
}

/** Forgets the plain record of a program. */
export function removePlainRecord(place: Place, sha256: string): void {
  rmSync(plainRecord(place, sha256), { force: true });
}
