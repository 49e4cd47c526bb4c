// What a program needs by a path where nothing is → the plain names by which the store may serve it.
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { ElfFile } from '../elf/elf-file.ts';
import { isLoaderName, whyNoLibraryName } from '../elf/library-names.ts';
import { pathOfElfString } from './run-directories.ts';

/** Needed path → plain name, both as they stand in the file. */
export type PlainNames = ReadonlyMap<string, string>;

function isAbsent(name: string): boolean {
  return path.posix.isAbsolute(name) && !name.includes('$') && !existsSync(pathOfElfString(name));
}

/**
 * The loader opens a name with a slash as it is and searches for it nowhere. Libraries without DT_SONAME are needed by
 * the path that they had when the program was linked.
 */
export function plainNamesOf({ needed }: Pick<ElfFile, 'needed'>): PlainNames {
  const absent = needed.filter((name) => name.includes('/') && !name.endsWith('/') && isAbsent(name));
  const named = absent.map((name) => [name, path.posix.basename(name)] as const);
  return new Map(named.filter(([, base]) => whyNoLibraryName(base) === undefined && !isLoaderName(base)));
}

/** As the program is in a copy or a view that leads there by the plain names. */
export function withPlainNames(elf: ElfFile, names: PlainNames): ElfFile {
  if (names.size === 0) return elf;
  const plain = (name: string) => names.get(name) ?? name;
  return {
    ...elf,
    needed: [...new Set(elf.needed.map(plain))],
    verneed: elf.verneed.map((each) => ({ ...each, file: plain(each.file) })),
  };
}
