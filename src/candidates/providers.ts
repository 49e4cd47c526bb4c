// Libraries of the catalogue → providers: ranked, and with what the solver asks of each.
import { readdirSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import type { ElfFile } from '../elf/elf-file.ts';
import { isMuslLibc, requiredNames } from '../elf/library-names.ts';
import { realPath } from '../host/files.ts';
import { canRun } from '../host/processor.ts';
import type { Libc } from '../program/libc.ts';
import { runDirectories, usesOrigin } from '../program/run-directories.ts';
import type { Catalogue, CataloguedLibrary } from '../store/catalogue.ts';
import { storeObjectOf } from '../store/store-location.ts';
import type { Provider } from './problem.ts';
import { breakTies, compareRanks, type Rank, rankOf } from './rank.ts';

/** e_ident[EI_OSABI] that glibc takes: System V and GNU (elf/dl-load.c, open_verify). */
const OS_ABIS = [0, 3];

/** A library that needs the other libc cannot be loaded beside this one. */
function fitsLibc(elf: ElfFile, libc: Libc): boolean {
  return !elf.needed.some(libc.kind === 'glibc' ? isMuslLibc : (name) => name === 'libc.so.6');
}

/**
 * Why no process with this libc could load a library here, whatever name it serves, in a clause; undefined if it could.
 * Not all of it shows in `ld.so --list`.
 */
export function whyNotLoaded(elf: ElfFile, libc: Libc): string | undefined {
  if (elf.loadError !== undefined) return `the loader refuses it: ${elf.loadError}`;
  if (!OS_ABIS.includes(elf.osAbi)) return `it is built for another system (OS ABI ${elf.osAbi})`;
  if (!canRun(elf.isaNeeded)) return 'this processor cannot run it: CPU ISA level is lower than required';
  if (fitsLibc(elf, libc)) return undefined;
  return libc.kind === 'glibc'
    ? 'it is built with musl, and the program with glibc'
    : 'it is built with glibc, and the program with musl';
}

/**
 * The same of all libraries that have a name, in a clause about them; undefined where there are none, or one could be.
 */
export function whyNoneLoaded(libraries: readonly CataloguedLibrary[], libc: Libc): string | undefined {
  const reasons = libraries.map(({ elf }) => whyNotLoaded(elf, libc));
  const [first] = reasons;
  if (first === undefined || reasons.includes(undefined)) return undefined;
  if (libraries.every(({ elf }) => elf.loadError === undefined && !fitsLibc(elf, libc))) {
    const other = libc.kind === 'glibc' ? 'musl' : 'glibc';
    return `the store has it for ${other} only, and this program is for ${libc.kind}`;
  }
  return `the store has it, but ${first}`;
}

/** Directory → the names in it; a library's run path names the same few directories as its neighbours'. */
export type Listings = Map<string, ReadonlySet<string>>;

function namesIn(directory: string, listings: Listings): ReadonlySet<string> {
  let names = listings.get(directory);
  if (names === undefined) {
    try {
      names = new Set(readdirSync(directory));
    } catch {
      names = new Set();
    }
    listings.set(directory, names);
  }
  return names;
}

/** A variant for better processors (glibc-hwcaps) comes with the library it is a variant of, never by itself. */
export function canServe({ file, elf }: CataloguedLibrary, libc: Libc): boolean {
  return !file.split('/').includes('glibc-hwcaps') && whyNotLoaded(elf, libc) === undefined;
}

/** Where a link in a store object leads to another one (nixpkgs' libgcc_s.so.1): there the library is catalogued. */
function throughLink(file: string): string {
  try {
    return readlinkSync(file).includes('/') ? realPath(file) : file;
  } catch {
    return file; // mostly no link
  }
}

/** What the provider's own run path would take for each name that it needs. */
function ownChoiceOf(
  directories: readonly string[],
  needed: readonly string[],
  listings: Listings,
): ReadonlyMap<string, string> {
  const choice = new Map<string, string>();
  for (const name of needed) {
    const directory = directories.find((each) => namesIn(each, listings).has(name));
    if (directory !== undefined) choice.set(name, throughLink(`${directory}/${name}`));
  }
  return choice;
}

/** Turns a catalogued library into a provider. `libcObjects`: store objects that hold a loader. */
export function toProvider(
  library: CataloguedLibrary,
  storeDir: string,
  libcObjects: ReadonlySet<string>,
  listings: Listings,
): Provider {
  const { storePath, file, elf } = library;
  const absolute = path.join(storePath, file);
  // What follows is worked out when it is first asked for: of the libc families, and of most providers, it never is.
  let directories: readonly string[] | undefined;
  const runPath = () => {
    directories ??= runDirectories(elf.runpath ?? elf.rpath, absolute, elf);
    return directories;
  };
  let ownChoice: ReadonlyMap<string, string> | undefined;
  let rank: Rank | undefined;
  let builtWith: { readonly object: string | undefined } | undefined;
  return {
    label: elf.soname ?? path.basename(file),
    path: absolute,
    storePath,
    file,
    soname: elf.soname,
    needed: requiredNames(elf),
    verneed: elf.verneed,
    verdef: elf.verdef,
    hasVerdef: elf.hasVerdef,
    hasVersym: elf.hasVersym,
    get builtWith() {
      builtWith ??= { object: libcObjectIn(runPath(), storeDir, libcObjects) };
      return builtWith.object;
    },
    get ownChoice() {
      ownChoice ??= ownChoiceOf(runPath(), requiredNames(elf), listings);
      return ownChoice;
    },
    get rank() {
      rank ??= rankOf(library);
      return rank;
    },
    get usesOrigin() {
      return usesOrigin(elf);
    },
  };
}

/** The first store object of a run path that holds a loader. */
function libcObjectIn(
  directories: readonly string[],
  storeDir: string,
  libcObjects: ReadonlySet<string>,
): string | undefined {
  return directories
    .map((each) => storeObjectOf(storeDir, each))
    .find((each) => each !== undefined && libcObjects.has(each));
}

/** For which program providers are read, and which are left out. */
interface ProviderSearch {
  readonly like: ElfFile;
  readonly libc: Libc;
  readonly libcObjects: ReadonlySet<string>;
  readonly prefer: (name: string, providers: readonly Provider[]) => readonly Provider[];
}

/**
 * A function from a name to its providers, best first; each name is read from the catalogue once. `prefer` may leave
 * some of them out.
 */
export function providersFrom(
  catalogue: Catalogue,
  { like, libc, libcObjects, prefer }: ProviderSearch,
): (name: string) => readonly Provider[] {
  const known = new Map<string, readonly Provider[]>();
  const listings: Listings = new Map();
  return (name) => {
    let providers = known.get(name);
    if (providers === undefined) {
      const all = catalogue
        .librariesOffering(name, like.class, like.machine)
        .filter((library) => canServe(library, libc))
        .map((library) => toProvider(library, catalogue.storeDir, libcObjects, listings))
        .sort((a, b) => compareRanks(a.rank, b.rank));
      providers = prefer(name, breakTies(all, catalogue.popularity));
      known.set(name, providers);
    }
    return providers;
  };
}
