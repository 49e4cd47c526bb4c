// A shim and the vendor's desktop entries → copies of them with their icons in the user's menu, and away again.
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { removeLeftoversOf, writeFileDurably } from '../../host/atomic-file.ts';
import { errnoOf, ForeignError, reasonOf } from '../../host/errors.ts';
import { isFile, makeDirectories, realPath } from '../../host/files.ts';
import { iconOfEntry, programsOfEntry, rewriteEntry, shimOfEntry } from './desktop-entry.ts';
import { copyIcons, findIcon, type IconCopy, iconCopy } from './entry-icons.ts';
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

/** In an image the words of its entry name what AppRun starts: `editor`, `AppRun`. */
function isProgramInImage(target: string, entry: string): (named: string) => boolean {
  const named = programsOfEntry(textOf(entry));
  const isTarget = isProgramOf(target, entry);
  return (each) => named.includes(each) || isTarget(each);
}

/** A vendor's entry, and how it names the program: by its file, or by a name within the AppImage that it is. */
interface VendorEntry {
  readonly file: string;
  readonly names: 'file' | 'within image';
}

interface Rewritten {
  readonly text: string;
  readonly started: number;
  /** Of an image, which its icons go with. */
  readonly icons: readonly IconCopy[];
}

/** `image`: the directory with the files of the AppImage that the program is. */
function rewritten(
  { file: entry, names }: VendorEntry,
  { target, file, name }: Shim,
  directories: ShimDirectories,
  image: string | undefined,
): Rewritten {
  const beside = path.dirname(path.resolve(entry));
  const inImage = image === undefined ? [] : [path.join(image, 'usr'), image];
  const around = [beside, ...aroundProgram(target), path.resolve(beside, '../..'), ...inImage];
  const text = textOf(entry);
  const own = iconOfEntry(text);
  const icons: IconCopy[] = [];
  const icon = (named: string): string => {
    const found = findIcon(named, around);
    if (image === undefined) return found;
    const file = found === named && named === own ? path.join(image, '.DirIcon') : found;
    const copy = iconCopy(file, image, path.join(directories.icons, name));
    if (copy !== undefined) icons.push(copy);
    return copy?.to ?? found;
  };
  const changed = rewriteEntry(text, {
    shim: file,
    name,
    isProgram: names === 'file' ? isProgramOf(target, entry) : isProgramInImage(target, entry),
    icon,
    directory: (named) => path.resolve(beside, named),
  });
  return { ...changed, icons };
}

/** What is broken, or cannot be read, is no entry of this program's: others' files lie nearby too. */
function startsProgram(entry: VendorEntry, shim: Shim, directories: ShimDirectories): boolean {
  try {
    return isFile(entry.file) && rewritten(entry, shim, directories, undefined).started > 0;
  } catch (error) {
    if (error instanceof ForeignError) return false;
    throw error;
  }
}

/** The vendor's entries that start the program, in the places where archives have them; those of the menu last. */
function entriesNear(shim: Shim, directories: ShimDirectories): VendorEntry[] {
  const places = aroundProgram(shim.target).flatMap((each) => [each, path.join(each, 'share/applications')]);
  const entries = [...new Set(places.flatMap(entriesIn).map(realPath))]
    .map((file) => ({ file, names: 'file' }) as const)
    .filter((entry) => startsProgram(entry, shim, directories));
  const menu = realPath(directories.applications);
  const outside = entries.filter(({ file }) => path.dirname(file) !== menu);
  return outside.length > 0 ? outside : entries;
}

/** AppDir specification: one in the root. A link out of the image is nobody's entry. */
function entriesInImage(image: string): VendorEntry[] {
  return entriesIn(image)
    .filter((file) => realPath(file).startsWith(`${realPath(image)}/`))
    .map((file) => ({ file, names: 'within image' }) as const);
}

function findEntries(shim: Shim, directories: ShimDirectories, image: string | undefined): VendorEntry[] {
  const near = entriesNear(shim, directories);
  return near.length > 0 || image === undefined ? near : entriesInImage(image);
}

function ownerOf(file: string): string | undefined | 'nobody' {
  try {
    return shimOfEntry(readFileSync(file, 'utf8'));
  } catch (error) {
    return errnoOf(error) === 'EISDIR' ? undefined : 'nobody';
  }
}

/** Made, and not yet written. @throws ForeignError where the entry is not for the menu. */
function copyOfEntry(
  entry: VendorEntry,
  shim: Shim,
  directories: ShimDirectories,
  image: string | undefined,
): Rewritten & { readonly copy: string } {
  const copy = path.join(directories.applications, path.basename(entry.file));
  const made = rewritten(entry, shim, directories, image);
  if (made.started === 0)
    throw refuse(
      `${entry.file} does not start ${shim.target}`,
      'its Exec line must name that program',
      'no-desktop-entry',
    );
  if (realPath(copy) === realPath(entry.file))
    throw refuse(
      `${copy} starts ${shim.target} and is in the menu already`,
      'move it elsewhere and name it: nix-foreign shim add PROGRAM --desktop-file FILE',
      'taken',
    );
  if (!['nobody', shim.name].includes(ownerOf(copy) ?? ''))
    throw refuse(
      `${copy} is there and is not this shim's`,
      'take it away first, if it is not needed',
      'taken',
    );
  return { ...made, copy };
}

/**
 * Copies entries of the vendor's into the user's menu, under the vendor's file names, so that windows are still taken
 * for the program's (Desktop Entry Specification, "Desktop File ID"). `given`: one entry; without it they are looked
 * for. `image`: where the files of the program lie, of an AppImage.
 * @returns the copies' paths. @throws ForeignError when there is none that starts the program.
 */
export function addDesktopEntries(
  shim: Shim,
  directories: ShimDirectories,
  given: string | undefined,
  image?: string,
): string[] {
  const names = image === undefined ? 'file' : 'within image';
  const entries =
    given === undefined ? findEntries(shim, directories, image) : [{ file: given, names } as const];
  if (entries.length === 0)
    throw refuse(
      `no .desktop file ${image === undefined ? 'near' : 'in or near'} ${shim.target} starts it`,
      'name the one that the vendor ships: nix-foreign shim add PROGRAM --desktop-file FILE',
      'no-desktop-entry',
    );
  // All are made before the first is written.
  const copies = entries.map((entry) => copyOfEntry(entry, shim, directories, image));
  makeDirectories(directories.applications);
  return copies.map(({ copy, text, icons }) => {
    copyIcons(icons);
    removeLeftoversOf(copy);
    writeFileDurably(copy, text, 0o644);
    return copy;
  });
}

/** Removes the copies that were made for a shim, and their icons. @returns the paths of the entries. */
export function removeDesktopEntries(name: string, { applications, icons }: ShimDirectories): string[] {
  const copies = entriesIn(applications).filter((file) => ownerOf(file) === name);
  for (const copy of copies) rmSync(copy, { force: true });
  rmSync(path.join(icons, name), { recursive: true, force: true });
  return copies;
}
