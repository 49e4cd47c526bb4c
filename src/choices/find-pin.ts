// What a user names for a soname (a file, a store object, a directory in one) → the one library in the store.
import { realpathSync } from 'node:fs';
import path from 'node:path';
import { whyNotLoaded } from '../candidates/providers.ts';
import { isSameLibrary } from '../candidates/soname.ts';
import type { ElfFile } from '../elf/elf-file.ts';
import { whyNoLibraryName } from '../elf/library-names.ts';
import { machineName, sameMachine } from '../elf/machine.ts';
import { elfFileAt } from '../elf/open-elf.ts';
import { ForeignError, reasonOf } from '../host/errors.ts';
import { shellWord } from '../host/shell-words.ts';
import type { Libc } from '../program/libc.ts';
import type { Catalogue, NamedLibrary } from '../store/catalogue.ts';
import { nameOfStoreObject, storeObjectOf } from '../store/store-location.ts';

function refuse(soname: string, cause: string, hint: string): ForeignError {
  return new ForeignError(`${soname} cannot be pinned: ${cause}`, { code: 'bad-pin', hint, exitCode: 125 });
}

/** Links, such as those of a profile, are followed; what is saved is the path in the store. */
function realPath(soname: string, typedName: string, refusal = refuse): string {
  try {
    return realpathSync(typedName);
  } catch (error) {
    throw refusal(
      soname,
      `${typedName}: ${reasonOf(error)}`,
      'see what there is to choose from with: nix-foreign choose PROGRAM',
    );
  }
}

function isWithin(directory: string, file: string): boolean {
  return file === directory || file.startsWith(`${directory}/`);
}

/** The library of the catalogue that is this very file, named by its absolute path. */
export function libraryAt(file: string, catalogue: Catalogue, like: ElfFile): NamedLibrary | undefined {
  const object = storeObjectOf(catalogue.storeDir, file);
  if (object === undefined) return undefined;
  return catalogue
    .librariesIn(object, like.class, like.machine)
    .find((each) => `${object}/${each.file}` === file);
}

/** Why a pinned file cannot be loaded by a program, in a clause; undefined where it can, or is not there. */
export function whyUnusable(file: string, catalogue: Catalogue, { elf, libc }: Chooser): string | undefined {
  const library = libraryAt(file, catalogue, elf);
  return library && whyNotLoaded(library.elf, libc);
}

/** Of several files the shortest path: `lib/libz.so.1` and not `lib/glibc-hwcaps/x86-64-v3/libz.so.1`. */
function plainest(libraries: readonly NamedLibrary[]): NamedLibrary | undefined {
  return libraries.toSorted((a, b) => a.file.split('/').length - b.file.split('/').length)[0];
}

/** What of a program decides which libraries it can load. */
export interface Chooser {
  readonly elf: ElfFile;
  readonly libc: Libc;
}

/**
 * The library meant, as an absolute path in the store: in a directory the one that offers the soname, else the only
 * one of another version of it.
 * @throws ForeignError `bad-pin` where there is none, which one is not clear, or no such program could load it.
 */
export function findPin(soname: string, typedName: string, catalogue: Catalogue, program: Chooser): string {
  const file = findFile(soname, typedName, catalogue, program.elf);
  const why = whyUnusable(file, catalogue, program);
  if (why !== undefined)
    throw refuse(soname, `${file}: ${why}`, 'name a library that such a program can load');
  return file;
}

function refuseAdded(soname: string, cause: string, hint: string): ForeignError {
  return new ForeignError(`${soname} cannot be added: ${cause}`, { code: 'bad-pin', hint, exitCode: 125 });
}

/** @throws ForeignError `bad-pin` for a name that no link in a directory can serve, and for those of a libc. */
export function addableName(soname: string, { libc }: Chooser): string {
  const why = whyNoLibraryName(soname);
  if (why !== undefined)
    throw refuseAdded(soname, why, 'name a library as programs do, e.g. --add libz.so.1');
  if (!libc.isFamily(soname)) return soname;
  throw refuseAdded(
    soname,
    'it belongs to the C library, which comes with its loader',
    'take another C library with: --prefer glibc-VERSION',
  );
}

/**
 * The file meant: in the store as for a pin, else the very file, so that a link which moves to a new version counts.
 * @throws ForeignError `bad-pin` where there is none, or no such program could load it.
 */
export function findAdded(soname: string, typedName: string, catalogue: Catalogue, program: Chooser): string {
  addableName(soname, program);
  if (storeObjectOf(catalogue.storeDir, realPath(soname, typedName, refuseAdded)) !== undefined)
    return findPin(soname, typedName, catalogue, program);
  const file = path.resolve(typedName);
  const elf = elfFileAt(file);
  const hint = 'name a library that such a program can load';
  if (elf === undefined) throw refuseAdded(soname, `${file} is no library`, hint);
  if (!sameMachine(elf, program.elf)) {
    const cause = `${file} is for ${machineName(elf)}, the program for ${machineName(program.elf)}`;
    throw refuseAdded(soname, cause, hint);
  }
  const why = whyNotLoaded(elf, program.libc);
  if (why !== undefined) throw refuseAdded(soname, `${file}: ${why}`, hint);
  return file;
}

function findFile(soname: string, typedName: string, catalogue: Catalogue, like: ElfFile): string {
  const wanted = realPath(soname, typedName);
  const object = storeObjectOf(catalogue.storeDir, wanted);
  if (object === undefined) {
    const isStore = wanted === catalogue.storeDir;
    const hint = isStore
      ? `name a store object, or a library in it: --pin ${shellWord(`${soname}=${catalogue.storeDir}/HASH-NAME`)}`
      : `only store objects can be pinned: they do not change; a file of the program: --add ${shellWord(`${soname}=${wanted}`)}`;
    throw refuse(
      soname,
      isStore ? `${wanted} is the whole store` : `${wanted} does not lie in ${catalogue.storeDir}`,
      hint,
    );
  }
  const all = catalogue.librariesIn(object, like.class, like.machine);
  const within = all.filter(({ file }) => isWithin(wanted, path.join(object, file)));
  const exact = plainest(within.filter(({ names }) => names.includes(soname)));
  if (exact !== undefined) return path.join(object, exact.file);
  const named = wanted !== object && within.length === 1 ? within : [];
  const similar = within.filter(({ names }) => names.some((name) => isSameLibrary(name, soname)));
  const files = [...new Set((named.length > 0 ? named : similar).map(({ file }) => file))].sort();
  if (files.length === 1) return path.join(object, files[0] ?? '');
  if (files.length > 1) {
    const hint = `name the file itself: --pin ${shellWord(`${soname}=${object}/${files[0]}`)}`;
    throw refuse(soname, `${nameOfStoreObject(object)} has several: ${files.join(', ')}`, hint);
  }
  throw refuseEmpty(soname, wanted, within, like);
}

/** Nothing in it answers to the name: it is for another machine, or the user means a file of another name. */
function refuseEmpty(
  soname: string,
  wanted: string,
  within: readonly NamedLibrary[],
  like: ElfFile,
): ForeignError {
  const other = elfFileAt(wanted);
  const machine = machineName(like);
  if (other !== undefined && !sameMachine(other, like)) {
    const cause = `${wanted} is for ${machineName(other)}, the program for ${machine}`;
    return refuse(soname, cause, `name a library for ${machine}`);
  }
  const hint =
    within.length > 0
      ? `name the file itself, e.g. --pin ${shellWord(`${soname}=${path.join(wanted, 'FILE')}`)}; nix-foreign choose lists what serves`
      : 'name another store object; nix-foreign choose lists what serves';
  return refuse(soname, `${wanted} holds no such library for ${machine}`, hint);
}
