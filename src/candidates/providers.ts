// Libraries of the catalogue → providers: ranked, and with what the solver asks of each.
import { existsSync, realpathSync } from 'node:fs';
import path from 'node:path';
import type { ElfFile } from '../elf/elf-file.ts';
import type { Provider } from '../solve/problem.ts';
import type { Catalogue, CataloguedLibrary } from '../store/catalogue.ts';
import { storeObjectOf } from '../store/store-location.ts';
import type { Libc } from './libc.ts';
import { compareRanks, rankOf } from './rank.ts';
import { runDirectories } from './run-directories.ts';

/** e_ident[EI_OSABI] that glibc takes: System V and GNU (elf/dl-load.c, open_verify). */
const OS_ABIS = [0, 3];

/** A library that needs the other libc cannot be loaded beside this one. */
function fitsLibc(elf: ElfFile, libc: Libc): boolean {
  const other = libc.kind === 'glibc' ? /^libc\.(so$|musl-)/ : /^libc\.so\.6$/;
  return !elf.needed.some((name) => other.test(name));
}

/** What the provider's own run path would take for each name that it needs. */
function ownChoiceOf(file: string, elf: ElfFile): ReadonlyMap<string, string> {
  const directories = runDirectories(elf.runpath ?? elf.rpath, file);
  const choice = new Map<string, string>();
  for (const name of elf.needed) {
    const found = directories.map((directory) => path.join(directory, name)).find((each) => existsSync(each));
    if (found !== undefined) choice.set(name, realpathSync(found));
  }
  return choice;
}

/** Turns a catalogued library into a provider. `libcObjects`: store objects that hold a loader. */
export function toProvider(
  library: CataloguedLibrary,
  storeDir: string,
  libcObjects: ReadonlySet<string>,
): Provider {
  const { storePath, file, elf } = library;
  const absolute = path.join(storePath, file);
  const runObjects = runDirectories(elf.runpath ?? elf.rpath, absolute).map((each) =>
    storeObjectOf(storeDir, each),
  );
  let ownChoice: ReadonlyMap<string, string> | undefined;
  return {
    label: elf.soname ?? path.basename(file),
    path: absolute,
    storePath,
    file,
    soname: elf.soname,
    needed: elf.needed,
    verneed: elf.verneed,
    verdef: elf.verdef,
    hasVerdef: elf.hasVerdef,
    hasVersym: elf.hasVersym,
    builtWith: runObjects.find((each) => each !== undefined && libcObjects.has(each)),
    // Read when first asked for: most providers are never looked at so closely.
    get ownChoice() {
      ownChoice ??= ownChoiceOf(absolute, elf);
      return ownChoice;
    },
    rank: rankOf(library),
  };
}

/** A function from a name to its providers, best first; each name is read from the catalogue once. */
export function providersFrom(
  catalogue: Catalogue,
  like: ElfFile,
  libc: Libc,
  libcObjects: ReadonlySet<string>,
): (name: string) => readonly Provider[] {
  const known = new Map<string, readonly Provider[]>();
  return (name) => {
    let providers = known.get(name);
    if (providers === undefined) {
      providers = catalogue
        .librariesOffering(name, like.class, like.machine)
        .filter(({ elf }) => OS_ABIS.includes(elf.osAbi) && fitsLibc(elf, libc))
        .map((library) => toProvider(library, catalogue.storeDir, libcObjects))
        .sort((a, b) => compareRanks(a.rank, b.rank));
      known.set(name, providers);
    }
    return providers;
  };
}
