// A set of libraries → a directory with one symlink per needed name, and the directories to search after it.
import { lstatSync, mkdirSync, readlinkSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { temporaryName } from '../host/atomic-file.ts';
import { errnoOf, ForeignError } from '../host/errors.ts';
import { sha256OfText } from '../host/file-identity.ts';
import { filesBelow, makeDirectories } from '../host/files.ts';
import { isTrustedDirectory } from '../host/trusted-file.ts';

/** What a farm holds: relative name (`libz.so.1`, `glibc-hwcaps/x86-64-v3/libz.so.1`) → absolute target. */
export type FarmLinks = ReadonlyMap<string, string>;

/**
 * `:` and `;` separate LD_LIBRARY_PATH, `$` begins a dynamic string token (ld.so(8); glibc elf/dl-load.c,
 * fillin_rpath).
 */
export function isSafeInLibraryPath(directory: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
  return !/[:;$\u0000-\u001f]/.test(directory);
}

function sorted(links: FarmLinks): (readonly [string, string])[] {
  return [...links].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** The path of the farm for a set of links: named by its content, so equal sets share one. */
export function farmPath(farms: string, links: FarmLinks): string {
  return path.join(farms, sha256OfText(JSON.stringify(sorted(links))).slice(0, 32));
}

/** The launcher follows no plan whose farm is a symlink, somebody else's or can be written by others (PLAN.md). */
function isOurDirectory(farm: string): boolean {
  return isTrustedDirectory(farm, process.geteuid?.() ?? 0);
}

function isLinkTo(file: string, target: string): boolean {
  return (
    lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() === true && readlinkSync(file) === target
  );
}

/** All below it but directories. @throws Node's errors of listing one. */
function filesOf(farm: string): string[] {
  const refuse = (_: string, error: unknown) => {
    throw error;
  };
  const found = [...filesBelow(farm, refuse)].filter(({ kind }) => kind !== 'directory');
  return found.map(({ file }) => file);
}

function isIntact(farm: string, links: FarmLinks): boolean {
  try {
    return (
      isOurDirectory(farm) &&
      filesOf(farm).length === links.size &&
      sorted(links).every(([name, target]) => isLinkTo(path.join(farm, name), target))
    );
  } catch {
    return false;
  }
}

/** What is read out of files of anybody must not lead out of the farm. @throws ForeignError `odd-name`. */
function refuseUnsafeNames(links: FarmLinks): void {
  for (const name of links.keys()) {
    const parts = name.split('/');
    if (!name.includes('\0') && !parts.some((part) => ['', '.', '..'].includes(part))) continue;
    throw new ForeignError(`a farm cannot hold ${JSON.stringify(name)}, which is no name inside it`, {
      code: 'odd-name',
      hint: 'the loader would not find it; take another library: nix-foreign choose PROGRAM',
      exitCode: 126,
    });
  }
}

/**
 * Makes the farm, or takes the one that is there when it is intact. Complete at every instant: filled under a
 * temporary name, then renamed; when somebody else was faster, theirs is taken. Programs may be starting from a damaged
 * one, so it is repaired link by link where that is possible.
 * @throws Node's errors when the place cannot be written; ForeignError `odd-name`, before anything is made.
 */
export function makeFarm(farms: string, links: FarmLinks): string {
  refuseUnsafeNames(links);
  const farm = farmPath(farms, links);
  if (isIntact(farm, links) || isRepaired(farm, links)) return farm;
  const temporary = temporaryName(farm);
  try {
    mkdirSync(temporary, { mode: 0o700 });
    for (const [name, target] of links) {
      if (name.includes('/')) makeDirectories(path.join(temporary, path.dirname(name)));
      symlinkSync(target, path.join(temporary, name));
    }
    moveInto(temporary, farm, links);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  return farm;
}

/** False where the farm is no directory of ours, or has a directory where a link belongs. */
function isRepaired(farm: string, links: FarmLinks): boolean {
  try {
    if (!isOurDirectory(farm)) return false;
    // First, since a link to a directory would lead out of the farm.
    for (const file of filesOf(farm))
      if (!links.has(path.relative(farm, file))) rmSync(file, { force: true });
    for (const [name, target] of links) putLink(farm, name, target);
  } catch {
    return false;
  }
  return isIntact(farm, links);
}

/** One rename replaces what is at the name. The link is made beside the farm: in it, others would remove it. */
function putLink(farm: string, name: string, target: string): void {
  const file = path.join(farm, name);
  if (isLinkTo(file, target)) return;
  makeDirectories(path.dirname(file));
  const temporary = temporaryName(farm);
  symlinkSync(target, temporary);
  try {
    renameSync(temporary, file);
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** More than the processes that could repair one farm at the same moment. */
const ATTEMPTS = 100;

function errnoIsOneOf(error: unknown, names: readonly string[]): boolean {
  return names.includes(errnoOf(error) ?? '');
}

function moveInto(temporary: string, farm: string, links: FarmLinks): void {
  for (let attempt = 1; ; attempt += 1) {
    try {
      renameSync(temporary, farm);
      return;
    } catch (error) {
      if (isIntact(farm, links)) return; // someone else won
      const inTheWay = errnoIsOneOf(error, ['ENOTEMPTY', 'EEXIST', 'ENOTDIR']);
      if (!inTheWay || attempt === ATTEMPTS) throw error;
      if (isReplaced(temporary, farm)) return;
    }
  }
}

/** Renames what is in the way aside and the new farm in, one after the other; false where somebody else was faster. */
function isReplaced(temporary: string, farm: string): boolean {
  const damaged = temporaryName(farm);
  try {
    renameSync(farm, damaged);
    renameSync(temporary, farm);
    return true;
  } catch (error) {
    if (!errnoIsOneOf(error, ['ENOENT', 'ENOTEMPTY', 'EEXIST', 'ENOTDIR'])) throw error;
    return false;
  } finally {
    try {
      // Somebody may be about to repair it.
      rmSync(damaged, { recursive: true, force: true, maxRetries: 5 });
    } catch {} // what somebody else has put into a directory of theirs
  }
}
