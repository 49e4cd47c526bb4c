// A program → the libraries it brings along, those that its own and their own run paths lead to, and why one of them
// would end the start, if it would.

import { statSync } from 'node:fs';
import path from 'node:path';
import type { ElfFile } from '../elf/elf-file.ts';
import { requiredNames } from '../elf/library-names.ts';
import { elfFileAt, type FileReading, readElfFile } from '../elf/open-elf.ts';
import { expandTokens } from '../elf/run-path.ts';
import { errnoOf, ForeignError, reasonOf } from '../host/errors.ts';
import { distinctStats, identityOfStats } from '../host/file-identity.ts';
import { underAnotherName } from './beside.ts';
import type { Libc } from './libc.ts';
import {
  effectiveRpath,
  isPatchedFarm,
  muslRunDirectories,
  pathOfElfString,
  runDirectories,
  tokensOf,
} from './run-directories.ts';

export interface BundledLibrary {
  /** The path ld.so opens it by. */
  readonly path: string;
  readonly elf: ElfFile;
  /** The name it was needed by. */
  readonly name: string;
  /** ld.so finds it only where the farm has a link of that name. */
  readonly linked: boolean;
  /** That name, and with glibc its soname, where nobody asked for that before it was loaded. */
  readonly answersTo: readonly string[];
}

/** A program, and what is known of its libraries beside its run paths. */
export interface ProgramWithAdded {
  readonly path: string;
  readonly elf: ElfFile;
  /** Name → file outside the store that the user added. */
  readonly added?: ReadonlyMap<string, string> | undefined;
  /** Names that the store serves although the program brings its own, where that comes after the farm. */
  readonly fromStore?: ReadonlySet<string> | undefined;
}

interface LoadedFile {
  readonly path: string;
  readonly elf: ElfFile;
  /** The object whose need loaded it first; undefined for the program. */
  readonly loader: LoadedFile | undefined;
  readonly linked: boolean;
}

/** Whose loader searches, and where besides the run paths. */
interface BundledSearch {
  readonly libc: Libc['kind'];
  /** The directories of LD_LIBRARY_PATH. */
  readonly libraryPathDirs: readonly string[];
}

/** Directories that the loader searches for what `object` needs. */
function searched(object: LoadedFile, { libc, libraryPathDirs }: BundledSearch): string[] {
  const searchedBy = libc === 'musl' ? searchedByMusl : searchedByGlibc;
  return searchedBy(object, libraryPathDirs).filter((each) => !isPatchedFarm(each));
}

/** The library path, then its own and its ancestors' run paths (musl ldso/dynlink.c, load_library). */
function searchedByMusl(object: LoadedFile, libraryPathDirs: readonly string[]): string[] {
  const directories = [...libraryPathDirs];
  for (let at: LoadedFile | undefined = object; at !== undefined; at = at.loader)
    directories.push(...muslRunDirectories(at.elf, at.path));
  return directories;
}

/**
 * Its own and its ancestors' rpath, then the library path, then its own runpath (glibc elf/dl-load.c,
 * _dl_map_new_object).
 */
function searchedByGlibc(object: LoadedFile, libraryPathDirs: readonly string[]): string[] {
  if (object.elf.runpath !== undefined)
    return [...libraryPathDirs, ...runDirectories(object.elf.runpath, object.path, object.elf)];
  const directories: string[] = [];
  for (let at: LoadedFile | undefined = object; at !== undefined; at = at.loader) {
    directories.push(...runDirectories(effectiveRpath(at.elf), at.path, at.elf));
  }
  return [...directories, ...libraryPathDirs];
}

/** A hundred plug-ins of one tree lead to the same libraries. By path; as long as the file is the same. */
const readings = new Map<string, { readonly identity: string; readonly reading: FileReading }>();

/** Read at a moment from which on a change of the file shows: the plan will know it by its time stamps. Total. */
function readDistinct(file: string): FileReading {
  let identity: string;
  try {
    identity = identityOfStats(distinctStats(file));
  } catch {
    return readElfFile(file); // it says why
  }
  const known = readings.get(file);
  if (known?.identity === identity) return known.reading;
  const reading = readElfFile(file);
  if (reading.kind === 'elf') readings.set(file, { identity, reading });
  return reading;
}

/** Reads a candidate as ld.so would take it: right class and machine, else it is passed over. */
function readCandidate(
  file: string,
  name: string,
  like: ElfFile,
  tell: (damaged: DamagedLibrary) => void,
): ElfFile | undefined {
  const reading = readDistinct(file);
  const why = whyDamaged(reading, file);
  if (why !== undefined) tell({ name, path: file, why });
  if (reading.kind !== 'elf') return undefined;
  const { class: elfClass, machine } = reading.file;
  return elfClass === like.class && machine === like.machine ? reading.file : undefined;
}

function find(
  name: string,
  by: LoadedFile,
  tell: (damaged: DamagedLibrary) => void,
  search: BundledSearch,
): LoadedFile | undefined {
  const written = pathOfElfString(name);
  const wanted =
    search.libc === 'musl' ? written : (expandTokens(written, tokensOf(by.path, by.elf)) ?? name);
  const files = wanted.includes('/')
    ? [wanted]
    : searched(by, search).map((directory) => `${directory === '' ? '.' : directory}/${wanted}`);
  for (const file of files) {
    const elf = readCandidate(file, name, by.elf, tell);
    // Not shortened: after a linked directory `..` goes up from where the link leads, and $ORIGIN is this very text.
    if (elf !== undefined) {
      // $ORIGIN of what is opened by a link of the farm is the farm: its neighbours need links there too.
      const linked = by.linked && !wanted.includes('/');
      return { path: path.isAbsolute(file) ? file : path.resolve(file), elf, loader: by, linked };
    }
  }
  return undefined;
}

/** What the user added, or what lies in a run path directory under another name than the wanted soname. */
function findToLink(
  name: string,
  by: LoadedFile,
  added: string | undefined,
  libc: Libc['kind'],
): LoadedFile | undefined {
  const file = added ?? underAnotherName(name, searched(by, { libc, libraryPathDirs: [] }), by.elf);
  const elf = file === undefined ? undefined : elfFileAt(file);
  return file === undefined || elf === undefined ? undefined : { path: file, elf, loader: by, linked: true };
}

/**
 * Follows the needs of a program breadth-first through what lies outside the store's choice. With glibc a soname is
 * served by the first object that has it, whoever asks later; who asked before has another file (elf/dl-load.c,
 * _dl_lookup_map). So what the user added, and nothing needs, serves nobody by its soname. To musl a soname is nothing
 * (ldso/dynlink.c, load_library). `tell` hears of each file at which the loader would end the start; unless it throws,
 * the search goes on. `libraryPathDirs`: the directories of LD_LIBRARY_PATH, where they count (run-directories.ts).
 */
export function findBundled(
  program: ProgramWithAdded,
  libc: Libc['kind'],
  tell: (damaged: DamagedLibrary) => void = () => {},
  libraryPathDirs: readonly string[] = [],
): BundledLibrary[] {
  const found: BundledLibrary[] = [];
  const sonamesOf = ({ soname }: ElfFile): string[] =>
    libc === 'musl' || soname === undefined ? [] : [soname];
  const seen = new Set(sonamesOf(program.elf));
  const { added } = program;
  const queue: LoadedFile[] = [{ ...program, loader: undefined, linked: false }];
  for (let object = queue.shift(); object !== undefined; object = queue.shift()) {
    const alsoAdded = object.loader === undefined ? [...(added?.keys() ?? [])] : [];
    const required = requiredNames(object.elf);
    for (const name of [...required, ...alsoAdded]) {
      if (seen.has(name)) continue;
      // Also when nothing is found: then the store serves the name, and whoever asks later gets that.
      seen.add(name);
      const isLeft = program.fromStore?.has(name) === true;
      // The farm comes before a runpath, and after an rpath; for musl before both.
      if (isLeft && (libc === 'musl' || object.elf.runpath !== undefined)) continue;
      const byUser = added?.get(name);
      const byLoader = byUser === undefined ? find(name, object, tell, { libc, libraryPathDirs }) : undefined;
      const loaded = byLoader ?? (isLeft ? undefined : findToLink(name, object, byUser, libc));
      if (loaded === undefined) continue;
      const { path: file, elf, linked } = loaded;
      const sonames = required.includes(name) ? sonamesOf(elf) : [];
      const answersTo = [name, ...sonames.filter((each) => !seen.has(each))];
      for (const each of answersTo) seen.add(each);
      found.push({ path: file, elf, name, linked, answersTo });
      queue.push(loaded);
    }
  }
  return found;
}

/** Name of the link → file, for the bundled libraries that the farm has to have links to. */
export function linksBeside(program: ProgramWithAdded, libc: Libc['kind']): ReadonlyMap<string, string> {
  const linked = findBundled(program, libc).filter((each) => each.linked);
  return new Map(linked.map((each) => [pathOfElfString(each.name), each.path]));
}

/** A file that ends the start instead of being passed over. */
export interface DamagedLibrary {
  /** The name it was needed by. */
  readonly name: string;
  /** The path it is opened by. */
  readonly path: string;
  /** One clause. */
  readonly why: string;
}

function whyNotElf(file: string): string {
  const stats = statSync(file, { throwIfNoEntry: false });
  if (stats?.isFile() === false) return 'it is not a regular file';
  return stats?.size === 0 ? 'it is empty' : 'it is not an ELF file';
}

/**
 * Why neither libc's loader goes on behind a file: once it could be opened, what is no ELF file, damaged or a directory
 * is the end (glibc elf/dl-load.c, open_verify; musl ldso/dynlink.c, load_library). Undefined for what is read well and
 * for what cannot be opened: that is passed over.
 */
function whyDamaged(reading: FileReading, file: string): string | undefined {
  switch (reading.kind) {
    case 'elf':
      return undefined;
    case 'unreadable':
      return errnoOf(reading.error) === 'EISDIR' ? reasonOf(reading.error) : undefined;
    case 'not-elf':
      return whyNotElf(file);
    case 'bad-elf':
      return reading.why;
  }
}

/** What to do depends on how the loader comes to the file; only what lies beside the program may be meant to go. */
function hintFor(program: string, { name, path: file }: DamagedLibrary): string {
  if (name.includes('/')) return 'the program or one of its libraries names that very file: install it again';
  if (!file.startsWith(`${path.dirname(program)}/`))
    return 'a run path leads there before the store is looked at: install the program again, or without that run path';
  return 'install the program again; or remove that file, then the library is looked for in the store';
}

/** The failure to tell of. The loader itself ends with 127 here; for env(1) a program that was found is 126. */
export function damagedLibraryError(program: string, damaged: DamagedLibrary): ForeignError {
  return new ForeignError(`${program}: its library ${damaged.path} cannot be loaded: ${damaged.why}`, {
    code: 'damaged-library',
    hint: hintFor(program, damaged),
    exitCode: 126,
  });
}
