// The chosen libraries → what goes into the farm, with mirrored store objects, and which directories come after it.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { whyNoLibraryName } from '../elf/library-names.ts';
import { ForeignError } from '../host/errors.ts';
import type { FarmLinks } from './farm.ts';

/** A chosen library: the name it is needed by, its file, and whether its run path says `$ORIGIN`. */
export interface ChosenLibrary {
  readonly name: string;
  readonly path: string;
  readonly usesOrigin: boolean;
}

export interface FarmLayout {
  /** Links to the libraries, and so to files that every start depends on. */
  readonly links: FarmLinks;
  /** Links to what lies beside them, where their directories are mirrored. */
  readonly neighbours: FarmLinks;
  /** Directories to search after the farm, in order: absolute, or relative to the farm. */
  readonly directories: readonly string[];
  /** Files reached through those directories instead of a link. */
  readonly outside: readonly string[];
}

/** Store directories that hide chosen libraries of others, and what else must not be found in them. */
export interface Hiding {
  readonly storeDir: string;
  readonly directories: ReadonlySet<string>;
  isFamily(name: string): boolean;
}

/** Best first, as glibc from 2.33 tries them below each directory (sysdeps/x86_64/dl-hwcaps-subdirs.c). */
const HWCAPS = ['x86-64-v4', 'x86-64-v3', 'x86-64-v2'];

/** The variants of a library for better CPUs that lie beside it. ld.so takes them by the machine it runs on. */
function variants({ name, path: file }: ChosenLibrary): [string, string][] {
  const directory = path.join(path.dirname(file), 'glibc-hwcaps');
  if (!existsSync(directory)) return [];
  return HWCAPS.map((level): [string, string] => [
    path.join('glibc-hwcaps', level, name),
    path.join(directory, level, name),
  ]).filter(([, target]) => existsSync(target));
}

function refuseOddName({ name, path: file }: ChosenLibrary): void {
  const why = whyNoLibraryName(name);
  if (why === undefined) return;
  throw new ForeignError(`${file} cannot serve ${JSON.stringify(name.slice(0, 80))}: ${why}`, {
    code: 'odd-name',
    hint: 'such a library is taken only from beside the program',
    exitCode: 126,
  });
}

/**
 * A library that finds its neighbours by `$ORIGIN` must be opened in its own directory: for ld.so, `$ORIGIN` is the
 * directory of the path as opened, symlinks in it not followed (glibc elf/dl-object.c). All others become links.
 * `hiding`: directories that, searched as they are, hide libraries chosen from elsewhere; they are mirrored without
 * these.
 * @throws ForeignError `odd-name` for a name that no directory can have; Node's errors for a directory to be mirrored
 * that is gone.
 */
export function layOut(libraries: readonly ChosenLibrary[], hiding?: Hiding): FarmLayout {
  const links = new Map<string, string>();
  const directories = new Set<string>();
  const outside: string[] = [];
  for (const library of libraries) {
    refuseOddName(library);
    const directory = path.dirname(library.path);
    const inPlace = path.join(directory, library.name);
    if (library.usesOrigin && existsSync(inPlace)) {
      const mirror = hiding?.directories.has(directory) === true ? hiding : undefined;
      directories.add(mirror ? mirrored(mirror.storeDir, directory) : directory);
      if (mirror === undefined) outside.push(inPlace);
      else links.set(mirrored(mirror.storeDir, inPlace), inPlace);
      continue;
    }
    links.set(library.name, library.path);
    for (const [name, target] of variants(library)) links.set(name, target);
  }
  const neighbours = hiding === undefined ? new Map() : neighboursOf(libraries, hiding);
  return { links, neighbours, directories: [...directories].sort(), outside: outside.sort() };
}

/** Variants for better processors are left out with the directory that has them: they would hide others as well. */
function neighboursOf(libraries: readonly ChosenLibrary[], hiding: Hiding): FarmLinks {
  const homes = new Map(libraries.map(({ name, path: file }) => [name, path.dirname(file)]));
  return mirrorLinks(hiding.storeDir, [...hiding.directories].sort(), (directory, name) => {
    const home = homes.get(name) ?? directory;
    return home !== directory || name === 'glibc-hwcaps' || hiding.isFamily(name);
  });
}

/**
 * True when a loader was built to search its own directory, as nixpkgs' glibc is: the directory stands in its
 * read-only data (glibc elf/dl-load.c, system_dirs). Only a first guess: the loader has the last word.
 */
export function searchesItsOwnDirectory(loader: string): boolean {
  return readFileSync(loader).includes(`${path.dirname(loader)}/`);
}

/** Where mirrored objects lie in a farm. */
const PLACE = 'in';

/** Path of a mirrored directory or file, relative to the farm. */
export function mirrored(storeDir: string, file: string): string {
  return path.join(PLACE, path.relative(storeDir, file));
}

function ancestors(directory: string, storeDir: string): string[] {
  const parent = path.dirname(directory);
  return parent === storeDir || parent === directory
    ? [directory]
    : [directory, ...ancestors(parent, storeDir)];
}

/**
 * Relative name → target, for every entry of `directories` but those that `isHidden`, and for whatever lies beside and
 * above them in their store objects: so `$ORIGIN`, and every path that begins with it, leads to what it led to. What
 * leads nowhere is left out.
 */
export function mirrorLinks(
  storeDir: string,
  directories: readonly string[],
  isHidden: (directory: string, name: string) => boolean,
): Map<string, string> {
  const real = new Set(directories.flatMap((each) => ancestors(each, storeDir)));
  const links = new Map<string, string>();
  for (const directory of real) {
    for (const name of readdirSync(directory)) {
      const target = path.join(directory, name);
      const hidden = directories.includes(directory) && isHidden(directory, name);
      if (!hidden && !real.has(target) && existsSync(target)) links.set(mirrored(storeDir, target), target);
    }
  }
  return links;
}
