// A program → the libraries it brings along: those that its own and their own run paths lead to.
import path from 'node:path';
import type { ElfFile } from '../elf/elf-file.ts';
import { expandTokens } from '../elf/run-path.ts';
import { readElfFile } from '../store/read-elf-file.ts';
import { type DamagedLibrary, whyDamaged } from './damaged-library.ts';
import { effectiveRpath, pathOfElfString, runDirectories, tokensOf } from './run-directories.ts';

export interface BundledLibrary {
  /** The path ld.so opens it by. */
  readonly path: string;
  readonly elf: ElfFile;
  /** The name it was needed by. */
  readonly name: string;
}

interface Loaded {
  readonly path: string;
  readonly elf: ElfFile;
  /** The object whose need loaded it first; undefined for the program. */
  readonly loader: Loaded | undefined;
}

/**
 * Directories ld.so searches for what `object` needs: its own and its ancestors' rpath, then `users`, those of
 * LD_LIBRARY_PATH, then its own runpath (glibc elf/dl-load.c, _dl_map_new_object).
 */
function searched(object: Loaded, users: readonly string[]): string[] {
  if (object.elf.runpath !== undefined) return [...users, ...runDirectories(object.elf.runpath, object.path)];
  const directories: string[] = [];
  for (let at: Loaded | undefined = object; at !== undefined; at = at.loader) {
    directories.push(...runDirectories(effectiveRpath(at.elf), at.path));
  }
  return [...directories, ...users];
}

/** Reads a candidate as ld.so would take it: right class and machine, else it is passed over. */
function readCandidate(
  file: string,
  name: string,
  like: ElfFile,
  tell: (damaged: DamagedLibrary) => void,
): ElfFile | undefined {
  const reading = readElfFile(file);
  const why = whyDamaged(reading, file);
  if (why !== undefined) tell({ name, path: file, why });
  if (reading.kind !== 'elf') return undefined;
  const { class: elfClass, machine } = reading.file;
  return elfClass === like.class && machine === like.machine ? reading.file : undefined;
}

function find(
  name: string,
  by: Loaded,
  tell: (damaged: DamagedLibrary) => void,
  users: readonly string[],
): Loaded | undefined {
  const wanted = expandTokens(pathOfElfString(name), tokensOf(by.path)) ?? name;
  const files = wanted.includes('/')
    ? [wanted]
    : searched(by, users).map((directory) => `${directory === '' ? '.' : directory}/${wanted}`);
  for (const file of files) {
    const elf = readCandidate(file, name, by.elf, tell);
    // Not shortened: after a linked directory `..` goes up from where the link leads, and $ORIGIN is this very text.
    if (elf !== undefined)
      return { path: path.isAbsolute(file) ? file : path.resolve(file), elf, loader: by };
  }
  return undefined;
}

/**
 * Follows the needs of a program breadth-first through what lies outside the store's choice.
 * A soname is served by the first object that has it, whoever asks later (glibc elf/dl-load.c, _dl_lookup_map).
 * `tell` hears of each file at which ld.so would end the start; unless it throws, the search goes on. `users`: the
 * directories of LD_LIBRARY_PATH, where they count (users-libraries.ts).
 */
export function findBundled(
  program: { readonly path: string; readonly elf: ElfFile },
  tell: (damaged: DamagedLibrary) => void = () => {},
  users: readonly string[] = [],
): BundledLibrary[] {
  const found: BundledLibrary[] = [];
  const seen = new Set<string>(program.elf.soname === undefined ? [] : [program.elf.soname]);
  const queue: Loaded[] = [{ ...program, loader: undefined }];
  for (let object = queue.shift(); object !== undefined; object = queue.shift()) {
    for (const name of object.elf.needed) {
      if (seen.has(name)) continue;
      // Also when nothing is found: then the store serves the name, and whoever asks later gets that.
      seen.add(name);
      const loaded = find(name, object, tell, users);
      if (loaded === undefined) continue;
      if (loaded.elf.soname !== undefined) seen.add(loaded.elf.soname);
      found.push({ path: loaded.path, elf: loaded.elf, name });
      queue.push(loaded);
    }
  }
  return found;
}
