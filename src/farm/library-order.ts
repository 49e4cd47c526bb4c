// The user's LD_LIBRARY_PATH, a loader and its library path → which directories of the user's come first, and which
// last: what launcher/library-order.c does in C.
import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import type { ElfFile } from '../elf/elf-file.ts';
import { elfFileAt } from '../elf/open-elf.ts';

interface LibraryOrder {
  readonly first: readonly string[];
  /** What the loader could not load; in front of it the directory of the loader's own libc. Empty for nothing. */
  readonly last: readonly string[];
}

/** Whose order it is: the loader that is started, and the list of the plan, whose first directory is the farm. */
export interface LoaderAndPath {
  readonly loader: string;
  readonly libraryPath: string;
}

/** The highest N of the versions GLIBC_2.N that it defines or needs. */
export function highestGlibcOf(elf: ElfFile | undefined): number {
  if (elf === undefined) return -1;
  const names = [...elf.verdef, ...elf.verneed.flatMap(({ versions }) => versions.map(({ name }) => name))];
  return Math.max(-1, ...names.map((name) => Number(/^GLIBC_2\.(\d+)/.exec(name)?.[1] ?? -1)));
}

function isSameFile(file: string, other: string): boolean {
  const [one, two] = [file, other].map((each) => statSync(each, { throwIfNoEntry: false }));
  return one !== undefined && two !== undefined && one.dev === two.dev && one.ino === two.ino;
}

/** A farm that is gone by now has no names. */
function linksIn(farm: string): string[] {
  try {
    const entries = readdirSync(farm, { withFileTypes: true });
    return entries.filter((each) => each.isSymbolicLink()).map(({ name }) => name);
  } catch {
    return [];
  }
}

function isGlibc(loader: string): boolean {
  return /^ld-(linux|2\.)/.test(path.basename(loader));
}

/** `directories`: the elements of LD_LIBRARY_PATH, in order, as they are or absolute. */
export function libraryOrder(
  directories: readonly string[],
  { loader, libraryPath }: LoaderAndPath,
): LibraryOrder {
  const own = path.dirname(loader);
  const libc = path.join(own, 'libc.so.6');
  const names = isGlibc(loader) ? linksIn(libraryPath.split(':')[0] ?? '') : [];
  const version = names.length === 0 ? -1 : highestGlibcOf(elfFileAt(libc));
  const isUnfit = (directory: string): boolean => {
    if (names.length === 0 || directory === '') return false;
    const other = path.join(directory, 'libc.so.6');
    if (existsSync(other) && !isSameFile(other, libc)) return true;
    return names.some((name) => highestGlibcOf(elfFileAt(path.join(directory, name))) > version);
  };
  const last = directories.filter(isUnfit);
  if (last.length === 0) return { first: directories, last };
  return { first: directories.filter((each) => !last.includes(each)), last: [own, ...last] };
}
