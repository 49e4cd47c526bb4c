// A program's content hash, or its plan key → the saved fingerprints, their root links, and how these are removed.
import { lstatSync, readFileSync, readlinkSync, rmdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { writeFileDurably } from '../host/atomic-file.ts';
import type { Directories } from '../host/directories.ts';
import { allNamesIn, isThere, makeDirectories, namesIn } from '../host/files.ts';
import { debug } from '../host/output.ts';
import { textIn } from '../store/add-and-pin.ts';
import type { Nix, NixRefusal } from '../store/nix.ts';
import { addKeptRoot, readRoot, removeHalfMade, setRootBack } from '../store/root-link.ts';
import { canonicalText, type Fingerprint, MAXIMUM_SIZE } from './fingerprint.ts';

/** A saved fingerprint, and where. */
export interface SavedFingerprint {
  readonly fingerprint: Fingerprint;
  /** The root link (a symlink to a store object that is the document) or the plain file without Nix. */
  readonly file: string;
}

/** The link that pins a fingerprint for one place of a program: `roots/<sha256>/<plan key>`. */
export function rootLink(dirs: Directories, sha256: string, key: string): string {
  return path.join(dirs.roots, sha256, key);
}

/** Where a fingerprint is saved when there is no Nix to hold it. */
export function plainFingerprint(dirs: Directories, sha256: string): string {
  return path.join(dirs.fingerprints, `${sha256}.json`);
}

function smallTextIn(file: string): string | undefined {
  try {
    const stats = statSync(file);
    return stats.isFile() && stats.size <= MAXIMUM_SIZE ? readFileSync(file, 'utf8') : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The store object that is the document behind a root link. A run that was killed while it pinned left the derivation
 * that holds the document in its place (add-and-pin.ts). @throws Node's errno errors of readlink(2).
 */
export function documentBehind(link: string): string {
  const target = readlinkSync(link);
  return textIn(smallTextIn(target) ?? '') ?? target;
}

function documentAt(file: string): string | undefined {
  const text = smallTextIn(file);
  const held = text === undefined ? undefined : textIn(text);
  return held === undefined ? text : smallTextIn(held);
}

/** Reads one saved fingerprint; undefined, with a line in the debug log, when it is missing or not to be trusted. */
export async function readSavedFingerprint(
  file: string,
  sha256: string,
  storeDir: string,
): Promise<SavedFingerprint | undefined> {
  const text = documentAt(file);
  if (text === undefined) return undefined;
  // The checks are loaded when there is something to check: a first start has no saved fingerprint.
  const { parseFingerprint } = await import('./parse-fingerprint.ts');
  const parsed = parseFingerprint(text, storeDir);
  if (parsed.kind === 'refused') {
    debug(`fingerprint ${file} is not trusted: ${parsed.why}`);
    return undefined;
  }
  if (parsed.signatures.length > 0) {
    debug(`fingerprint ${file} is not trusted: it carries signatures, and none that a start saved does`);
    return undefined;
  }
  if (parsed.fingerprint.program.sha256 !== sha256) {
    debug(`fingerprint ${file} is not trusted: it is another program's`);
    return undefined;
  }
  return { fingerprint: parsed.fingerprint, file };
}

/** A plan key (plan/plan-format.ts); what else lies there was on its way to be called so. */
const KEY = /^[0-9a-f]{16}$/;

function filesFor(dirs: Directories, sha256: string, key: string): string[] {
  const links = keysPinning(dirs, sha256).map((each) => rootLink(dirs, sha256, each));
  const own = rootLink(dirs, sha256, key);
  return [own, ...links.filter((link) => link !== own), plainFingerprint(dirs, sha256)];
}

/** All fingerprints saved for a content hash, place by place; in each the one of the program's own path first. */
export async function savedFingerprintsOf(
  directories: readonly Directories[],
  sha256: string,
  key: string,
  storeDir: string,
): Promise<SavedFingerprint[]> {
  const files = directories.flatMap((dirs) => filesFor(dirs, sha256, key));
  const saved = await Promise.all(files.map((file) => readSavedFingerprint(file, sha256, storeDir)));
  return saved.filter((saved) => saved !== undefined);
}

/** Saves a fingerprint where there is no Nix. @throws Node's errors when the place cannot be written. */
export function savePlainFingerprint(dirs: Directories, fingerprint: Fingerprint): string {
  const file = plainFingerprint(dirs, fingerprint.program.sha256);
  makeDirectories(dirs.fingerprints);
  writeFileDurably(file, canonicalText(fingerprint));
  return file;
}

/** Forgets the plain file of a program. */
export function removePlainFingerprint(dirs: Directories, sha256: string): void {
  rmSync(plainFingerprint(dirs, sha256), { force: true });
}

/**
 * The root links of one program's place, sorted; more than one while a new content replaces an old one.
 * @throws Node's errors.
 */
export function linksOfProgram(dirs: Directories, key: string): string[] {
  return allNamesIn(dirs.roots)
    .map((sha256) => rootLink(dirs, sha256, key))
    .filter(isThere);
}

/** Every root link of a place, sorted. @throws Node's errors. */
export function allLinks(dirs: Directories): string[] {
  return allNamesIn(dirs.roots).flatMap((sha256) =>
    allNamesIn(path.join(dirs.roots, sha256))
      .filter((name) => KEY.test(name))
      .map((key) => rootLink(dirs, sha256, key)),
  );
}

/** The plan keys for which a content is pinned, sorted. */
export function keysPinning(dirs: Directories, sha256: string): string[] {
  return namesIn(path.join(dirs.roots, sha256)).filter((name) => KEY.test(name));
}

/** The store object a root link names; undefined when there is no such link, or it cannot be read. */
export function pinned(link: string): string | undefined {
  try {
    return readRoot(link);
  } catch {
    return undefined;
  }
}

/**
 * Makes `link` an indirect root of `storePath`: from then on no collector takes what it references.
 * @throws Node's errors when the link's directory cannot be made.
 */
export async function pin(
  nix: Nix,
  link: string,
  storePath: string,
): Promise<{ kind: 'rooted' } | NixRefusal> {
  makeDirectories(path.dirname(link));
  return await addKeptRoot(nix, link, storePath);
}

/** What one place of a program has before a new set is tried: a root, a plain file, or neither. */
export interface SavedBefore {
  readonly link: string;
  /** Undefined without a root. */
  readonly storePath: string | undefined;
  readonly plainFile: string;
  /** Undefined without a plain file. */
  readonly text: string | undefined;
}

/** @throws Node's errors for a link that cannot be read. */
export function savedBefore(dirs: Directories, sha256: string, link: string): SavedBefore {
  const plainFile = plainFingerprint(dirs, sha256);
  return { link, storePath: readRoot(link), plainFile, text: smallTextIn(plainFile) };
}

/**
 * Takes back what was tried: saving it replaced the one or the other (save-and-pin.ts). The plain file may be of
 * another place of the same content by now, which holds another lock. @throws Node's errors.
 */
export async function restore(
  nix: Nix | undefined,
  { link, storePath, plainFile, text }: SavedBefore,
  tried: readonly Fingerprint[],
): Promise<void> {
  if (tried.length === 0) return;
  const now = smallTextIn(plainFile);
  const isOurs = now === undefined || tried.some((each) => canonicalText(each) === now);
  if (isOurs && text === undefined) rmSync(plainFile, { force: true });
  else if (isOurs && text !== undefined && now !== text) writeFileDurably(plainFile, text);
  if (storePath === undefined) unpin(link);
  else await setRootBack(nix, link, storePath);
}

/** Removes a root link; Nix drops its own entry for it at the next collection (nix-store(1), --add-root). */
export function unpin(link: string): void {
  rmSync(link, { recursive: true, force: true });
  removeHalfMade(link);
  try {
    rmdirSync(path.dirname(link)); // only when this was the last
  } catch {}
}

function isLinkInto(file: string, storeDir: string): boolean {
  return lstatSync(file).isSymbolicLink() && readlinkSync(file).startsWith(`${storeDir}/`);
}

/** Removes whatever else is where a root link shall be, or where its directory shall be. */
export function clearRootDirectory(link: string, storeDir: string): void {
  const directory = path.dirname(link);
  try {
    if (!lstatSync(directory).isDirectory()) rmSync(directory, { force: true });
    else if (!isLinkInto(link, storeDir)) {
      debug(`${link} is no link into the store and is removed`);
      rmSync(link, { recursive: true, force: true });
    }
  } catch {} // mostly: nothing is there
}
