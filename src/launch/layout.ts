// The chosen libraries → what goes into the farm, and which directories are searched after it.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { FarmLinks } from './farm.ts';

/** A chosen library: the name it is needed by, its file, and whether its run path says `$ORIGIN`. */
export interface ChosenLibrary {
  readonly name: string;
  readonly path: string;
  readonly usesOrigin: boolean;
}

export interface Layout {
  readonly links: FarmLinks;
  /** Absolute directories to search after the farm, in order. */
  readonly directories: readonly string[];
  /** Files reached through those directories instead of the farm. */
  readonly outside: readonly string[];
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

/**
 * A library that finds its neighbours by `$ORIGIN` must be opened in its own directory: for ld.so, `$ORIGIN` is the
 * directory of the path as opened, symlinks in it not followed (glibc elf/dl-object.c). All others become links.
 */
export function layOut(libraries: readonly ChosenLibrary[]): Layout {
  const links = new Map<string, string>();
  const directories = new Set<string>();
  const outside: string[] = [];
  for (const library of libraries) {
    const directory = path.dirname(library.path);
    const inPlace = path.join(directory, library.name);
    if (library.usesOrigin && existsSync(inPlace)) {
      directories.add(directory);
      outside.push(inPlace);
      continue;
    }
    links.set(library.name, library.path);
    for (const [name, target] of variants(library)) links.set(name, target);
  }
  return { links, directories: [...directories].sort(), outside: outside.sort() };
}

/**
 * True when a loader was built to search its own directory, as nixpkgs' glibc is: the directory stands in its
 * read-only data (glibc elf/dl-load.c, system_dirs). Only a first guess: the proof has the last word.
 */
export function searchesItsOwnDirectory(loader: string): boolean {
  return readFileSync(loader).includes(`${path.dirname(loader)}/`);
}
