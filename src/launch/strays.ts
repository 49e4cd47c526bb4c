// What the loader would load and what was chosen → the chosen libraries in whose place it takes another file.
import { realpathSync } from 'node:fs';
import path from 'node:path';
import type { LoadedObject } from '../loader/list-output.ts';
import type { FarmLinks } from './farm.ts';
import type { ChosenLibrary } from './layout.ts';

export interface Stray {
  /** The name it is needed by. */
  readonly name: string;
  readonly chosen: string;
  /** The path that the loader opens instead. */
  readonly loaded: string;
}

/** Where a library may come from. */
export interface Reached {
  readonly farm: string;
  readonly links: FarmLinks;
  /** Directories of the user's that were asked for, and come first. */
  readonly users: readonly string[];
}

function realPath(file: string): string {
  try {
    return realpathSync.native(file);
  } catch {
    return file;
  }
}

/** Where a loader looks below each directory (glibc sysdeps/x86_64/dl-hwcaps-subdirs.c; before 2.37 elf/dl-hwcaps.c). */
const FOR_PROCESSORS =
  /^(?:glibc-hwcaps\/[^/]+\/|(?:(?:tls|haswell|xeon_phi|avx512_1|x86_64|i[3-6]86|sse2)\/)*)$/;

/** The library itself, under its name or that of its file, or its variant for better processors. */
function isOf(file: string, { name, path: chosen }: ChosenLibrary): boolean {
  const directory = `${path.dirname(chosen)}/`;
  if (file === chosen) return true;
  if (!file.startsWith(directory) || !file.endsWith(`/${name}`)) return false;
  return FOR_PROCESSORS.test(file.slice(directory.length, -name.length));
}

function isStray(opened: string, library: ChosenLibrary, { farm, links, users }: Reached): boolean {
  const target = opened.startsWith(`${farm}/`) ? links.get(opened.slice(farm.length + 1)) : undefined;
  if (isOf(target ?? opened, library)) return false;
  if (users.some((directory) => opened.startsWith(`${directory}/`))) return false;
  return realPath(opened) !== realPath(library.path);
}

/**
 * Compares by the needed name. A name that is not listed is served by an object that is, under another name: whoever is
 * loaded first under a soname has it (glibc elf/dl-load.c, _dl_lookup_map), which is the solver's business.
 */
export function straysOf(
  objects: readonly LoadedObject[],
  libraries: readonly ChosenLibrary[],
  reached: Reached,
): Stray[] {
  const chosen = new Map(libraries.map((library) => [library.name, library]));
  return objects.flatMap(({ name, path: loaded }) => {
    const library = chosen.get(name);
    if (library === undefined || loaded === undefined || !isStray(loaded, library, reached)) return [];
    return [{ name, chosen: library.path, loaded }];
  });
}
