// A shim and the vendor's desktop entries → copies of them with their icons in the user's menu, and away again.
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { removeLeftoversOf, writeFileDurably } from '../../host/atomic-file.ts';
import { errnoOf, ForeignError, reasonOf } from '../../host/errors.ts';
import { isFile, makeDirectories, namesIn, realPath } from '../../host/files.ts';
import { rewriteEntry, shimOfEntry } from './desktop-entry.ts';
import type { Shim, ShimDirectories } from './shim-file.ts';

function entriesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
      .filter((name) => name.endsWith('.desktop'))
      .sort()
      .map((name) => path.join(directory, name));
  } catch {
    return [];
  }
}

/** Where vendors' trees begin: the program's directory and the one above, with symbolic links and without. */
function aroundProgram(program: string): string[] {
  const directories = [program, realPath(program)].map((each) => path.dirname(each));
  return [...new Set(directories.flatMap((each) => [each, path.dirname(each)]))];
}

function refuse(cause: string, hint: string, code: string): ForeignError {
  return new ForeignError(cause, { code, hint, exitCode: 125 });
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw refuse(
      `${file}: ${reasonOf(error)}`,
      'name the .desktop file that the vendor ships',
      'no-desktop-entry',
    );
  }
}

/** A relative name is the vendor's way to say "beside this file"; a bare one says "on PATH". */
function isProgramOf(target: string, entry: string): (named: string) => boolean {
  const real = realPath(target);
  return (named) => {
    if (named === '') return false;
    if (!named.includes('/')) return [target, real].some((each) => path.basename(each) === named);
    return [target, real].includes(realPath(path.resolve(path.dirname(entry), named)));
  };
}

function rewritten(entry: string, { target, file, name }: Shim): { text: string; started: number } {
  const beside = path.dirname(path.resolve(entry));
  return rewriteEntry(textOf(entry), {
    shim: file,
    name,
    isProgram: isProgramOf(target, entry),
    icon: (named) => findIcon(named, [beside, ...aroundProgram(target), path.resolve(beside, '../..')]),
    directory: (named) => path.resolve(beside, named),
  });
}

/** What is broken, or cannot be read, is no entry of this program's: others' files lie nearby too. */
function startsProgram(entry: string, shim: Shim): boolean {
  try {
    return isFile(entry) && rewritten(entry, shim).started > 0;
  } catch (error) {
    if (error instanceof ForeignError) return false;
    throw error;
  }
}

/** The vendor's entries that start the program, in the places where archives have them. */
function findEntries(shim: Shim): string[] {
  const directories = aroundProgram(shim.target).flatMap((each) => [
    each,
    path.join(each, 'share/applications'),
  ]);
  const entries = [...new Set(directories.flatMap(entriesIn).map(realPath))];
  return entries.filter((entry) => startsProgram(entry, shim));
}

function ownerOf(file: string): string | undefined | 'nobody' {
  try {
    return shimOfEntry(readFileSync(file, 'utf8'));
  } catch (error) {
    return errnoOf(error) === 'EISDIR' ? undefined : 'nobody';
  }
}

/**
 * Copies entries of the vendor's into the user's menu, under the vendor's file names, so that windows are still taken
 * for the program's (Desktop Entry Specification, "Desktop File ID"). `given`: one entry; without it they are looked
 * for.
 * @returns the copies' paths. @throws ForeignError when there is none that starts the program.
 */
export function addDesktopEntries(
  shim: Shim,
  directories: ShimDirectories,
  given: string | undefined,
): string[] {
  const entries = given === undefined ? findEntries(shim) : [given];
  if (entries.length === 0)
    throw refuse(
      `no .desktop file near ${shim.target} starts it`,
      'name the one that the vendor ships: nix-foreign shim add PROGRAM --desktop-file FILE',
      'no-desktop-entry',
    );
  // All are made before the first is written.
  const copies = entries.map((entry) => {
    const copy = path.join(directories.applications, path.basename(entry));
    const { text, started } = rewritten(entry, shim);
    if (started === 0)
      throw refuse(
        `${entry} does not start ${shim.target}`,
        'its Exec line must name that program',
        'no-desktop-entry',
      );
    if (!['nobody', shim.name].includes(ownerOf(copy) ?? ''))
      throw refuse(
        `${copy} is there and is not this shim's`,
        'take it away first, if it is not needed',
        'taken',
      );
    return { copy, text };
  });
  makeDirectories(directories.applications);
  return copies.map(({ copy, text }) => {
    removeLeftoversOf(copy);
    writeFileDurably(copy, text, 0o644);
    return copy;
  });
}

/** Removes the copies that were made for a shim. @returns their paths. */
export function removeDesktopEntries(name: string, { applications }: ShimDirectories): string[] {
  const copies = entriesIn(applications).filter((file) => ownerOf(file) === name);
  for (const copy of copies) rmSync(copy, { force: true });
  return copies;
}

/** Icon Theme Specification, "Icon lookup": the formats, best first. */
const ENDINGS = ['.svg', '.png', '.xpm'];

/** `256x256` → 256, `scalable` → more than any; the largest is best. */
function sizeOf(name: string): number {
  return name === 'scalable' ? Number.MAX_SAFE_INTEGER : Number.parseInt(name, 10) || 0;
}

/** Directories of a vendor's own tree in which icons lie, best first. */
function directoriesOf(around: string): string[] {
  const theme = path.join(around, 'share/icons/hicolor');
  const sizes = namesIn(theme).sort((a, b) => sizeOf(b) - sizeOf(a));
  return [
    ...sizes.map((size) => path.join(theme, size, 'apps')),
    path.join(around, 'share/pixmaps'),
    path.join(around, 'resources'),
    path.join(around, 'icons'),
    around,
  ];
}

/** `around`: absolute directories of the vendor's. A name that is found in none of them stays: a theme may have it. */
function findIcon(named: string, around: readonly string[]): string {
  if (path.isAbsolute(named) || named === '') return named;
  const files = ENDINGS.some((ending) => named.endsWith(ending))
    ? [named]
    : ENDINGS.map((ending) => `${named}${ending}`);
  const directories = around.flatMap(directoriesOf);
  const candidates = directories.flatMap((directory) => files.map((file) => path.join(directory, file)));
  return candidates.find(isFile) ?? named;
}
