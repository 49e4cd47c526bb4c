// A program and the catalogue → the problem the solver is given.
import path from 'node:path';
import type { ElfFile } from '../elf/elf-file.ts';
import { requiredNames } from '../elf/library-names.ts';
import { canRun } from '../host/processor.ts';
import {
  type BundledLibrary,
  type DamagedLibrary,
  damagedLibraryError,
  findBundled,
} from '../program/bundled.ts';
import { type DriverLibrary, driverLibraries, isForDriverOnly } from '../program/drivers.ts';
import { type Libc, libcOf } from '../program/libc.ts';
import { needsDirectories } from '../program/run-directories.ts';
import type { Catalogue, CataloguedLibrary } from '../store/catalogue.ts';
import { boundMemo, symbolBindings } from './candidate-symbols.ts';
import { closestIn } from './closest.ts';
import { findLoaders } from './loaders.ts';
import type { Problem, Provider, Requirer } from './problem.ts';
import { canServe, type Listings, providersFrom, toProvider } from './providers.ts';
import { preferSameSource } from './same-source.ts';
import { withSearchedNames } from './searched-names.ts';

function requirer(label: string, file: string, elf: ElfFile): Requirer {
  return { label, path: file, needed: requiredNames(elf), verneed: elf.verneed };
}

/** Every name that a bundled library answers to. */
function bundledByName(bundled: readonly BundledLibrary[]): Problem['bundled'] {
  const byName = new Map<string, Requirer & Pick<ElfFile, 'verdef' | 'hasVerdef' | 'hasVersym'>>();
  for (const { name, path: file, elf, answersTo } of bundled) {
    const { verdef, hasVerdef, hasVersym } = elf;
    const object = { ...requirer(name, file, elf), verdef, hasVerdef, hasVersym };
    for (const each of answersTo) byName.set(each, object);
  }
  return byName;
}

/** Names of the libc family that lie beside the program would mix two libcs: the loader's own are taken instead. */
function withoutFamily(bundled: readonly BundledLibrary[], libc: Libc): BundledLibrary[] {
  return bundled.filter(({ name }) => !libc.isFamily(name));
}

export interface InspectedProgram {
  readonly path: string;
  readonly elf: ElfFile;
  readonly libc: 'glibc' | 'musl';
  /** The directories of the user's LD_LIBRARY_PATH, absolute; they count only where the program needs them. */
  readonly libraryPathDirs?: readonly string[] | undefined;
  /** Name → file outside the store that the user added. */
  readonly added?: ReadonlyMap<string, string> | undefined;
  /** Names of bundled libraries that are too old for the rest; see program/bundled.ts. */
  readonly fromStore?: ReadonlySet<string> | undefined;
  /** Directories of the running graphics driver. */
  readonly driverDirectories?: readonly string[] | undefined;
}

/** Which providers come first, and how far from the needed name one may be. */
interface ProblemScope {
  readonly preference: 'same-source' | 'none';
  readonly reach: 'exact' | 'closest';
}

/** What lies beside the program; also what LD_LIBRARY_PATH has, where it has a name that nobody else has. */
function bundledOf(program: InspectedProgram, catalogue: Catalogue, libc: Libc): BundledLibrary[] {
  const { elf, libraryPathDirs = [] } = program;
  const tell = (damaged: DamagedLibrary) => {
    if (!libc.isFamily(damaged.name)) throw damagedLibraryError(program.path, damaged);
  };
  const own = findBundled(program, libc.kind, tell);
  const names = new Set(own.flatMap((each) => each.answersTo));
  const known = (name: string): boolean =>
    names.has(name) ||
    libc.isFamily(name) ||
    catalogue.librariesOffering(name, elf.class, elf.machine).length > 0;
  const needed = needsDirectories([elf, ...own.map((each) => each.elf)], libraryPathDirs, known);
  return withoutFamily(needed ? findBundled(program, libc.kind, tell, libraryPathDirs) : own, libc);
}

/** What the program needs and nobody else has, and all that only a driver may serve. */
function driversOf(
  { elf, driverDirectories = [] }: InspectedProgram,
  bundled: readonly BundledLibrary[],
  catalogue: Catalogue,
): DriverLibrary[] {
  if (driverDirectories.length === 0) return [];
  const needed = [elf, ...bundled.map((each) => each.elf)].flatMap(requiredNames);
  const wanted = needed.filter(
    (name) => catalogue.librariesOffering(name, elf.class, elf.machine).length === 0,
  );
  return driverLibraries(driverDirectories, elf, new Set(wanted));
}

type Preference = Parameters<typeof providersFrom>[1]['prefer'];

/** The newest of a driver in the store is not the one that runs. */
function withoutDrivers(directories: readonly string[], prefer: Preference): Preference {
  return (name, providers) => (isForDriverOnly(name, directories) ? [] : prefer(name, providers));
}

/** A driver brings along what it needs; only the libc is the program's. */
export function driverRequirer(
  { name, path: file, elf }: DriverLibrary,
  { isFamily }: Pick<Problem, 'isFamily'>,
): Requirer {
  return {
    label: name,
    path: file,
    needed: elf.needed.filter((each) => isFamily(each)),
    verneed: elf.verneed.filter((each) => isFamily(each.file)),
    isDriver: true,
    broughtAlong: elf.needed.filter((each) => !isFamily(each)),
  };
}

function withDrivers(
  bundled: Problem['bundled'],
  drivers: readonly DriverLibrary[],
  libc: Libc,
): Problem['bundled'] {
  const byName = new Map(bundled);
  for (const driver of drivers) {
    const { verdef, hasVerdef, hasVersym } = driver.elf;
    byName.set(driver.name, { ...driverRequirer(driver, libc), verdef, hasVerdef, hasVersym });
  }
  return byName;
}

/**
 * States the problem for a dynamic program. `excluded` names store objects that must not be chosen, such as those that
 * vanished since the catalogue saw them. With `same-source`, providers built from the program's own source are
 * preferred over all others; where that leaves no set, the problem is to be stated again without. With `closest`, other
 * versions of a library serve where nobody has the exact one; that reads symbols, so it is for problems without another
 * solution. @throws ForeignError `damaged-library` for a file beside the program at which the loader would end the
 * start, `odd-name` for a name that it would never search for.
 */
export function buildProblem(
  program: InspectedProgram,
  catalogue: Catalogue,
  excluded: ReadonlySet<string>,
  { preference, reach }: ProblemScope,
): Problem {
  const libc = libcOf(program.elf, program.libc);
  const bundled = bundledOf(program, catalogue, libc);
  const drivers = driversOf(program, bundled, catalogue);
  const neededDirectly = new Set([program.elf, ...bundled.map((each) => each.elf)].flatMap(requiredNames));
  const loaders = findLoaders(catalogue, program.elf, libc).filter(
    ({ storePath }) => !excluded.has(storePath),
  );
  const libcObjects = new Set(loaders.map(({ storePath }) => storePath));
  const exact: Problem = {
    roots: [
      requirer(path.basename(program.path), program.path, program.elf),
      ...bundled.map(({ name, path: file, elf }) => requirer(name, file, elf)),
      ...drivers.filter(({ name }) => neededDirectly.has(name)).map((driver) => driverRequirer(driver, libc)),
    ],
    bundled: withDrivers(bundledByName(bundled), drivers, libc),
    providersOf: providersFrom(catalogue, {
      like: program.elf,
      libc,
      libcObjects,
      prefer: withoutDrivers(
        program.driverDirectories ?? [],
        preference === 'same-source'
          ? preferSameSource(program.path, program.elf.needed)
          : (_, providers) => providers,
      ),
    }),
    loaders,
    isFamily: libc.isFamily,
    symbols: symbolBindings(libc.kind, boundMemo(catalogue)),
    excluded: (provider: Provider) => excluded.has(provider.storePath),
    beyondProcessor: [program, ...bundled]
      .filter(({ elf }) => !canRun(elf.isaNeeded))
      .map((each) => each.path),
  };
  const stated =
    reach === 'exact'
      ? exact
      : withClosest(exact, {
          like: program.elf,
          catalogue,
          libc,
          gone: excluded,
          drivers: program.driverDirectories ?? [],
        });
  return withSearchedNames(stated, program.path);
}

/** Where other versions of missing libraries are looked for. */
interface ClosestSearch {
  readonly like: ElfFile;
  readonly catalogue: Catalogue;
  readonly libc: Libc;
  readonly gone: ReadonlySet<string>;
  /** Directories of drivers. */
  readonly drivers: readonly string[];
}

/** The problem in which a name that nobody has is served by other versions of the library. */
function withClosest(exact: Problem, { like, catalogue, libc, gone, drivers }: ClosestSearch): Problem {
  const libcObjects = new Set(exact.loaders.map(({ storePath }) => storePath));
  // The libc is chosen with its loader, and is no other version of anything.
  const isOthers = ({ elf, storePath }: CataloguedLibrary): boolean =>
    !gone.has(storePath) && !(elf.soname !== undefined && libc.isFamily(elf.soname));
  const offers = {
    namesBeginning: (letters: string) => catalogue.namesBeginning(letters, like.class, like.machine),
    librariesOffering: (name: string) =>
      catalogue
        .librariesOffering(name, like.class, like.machine)
        .filter((library) => canServe(library, libc) && isOthers(library)),
  };
  const listings: Listings = new Map();
  const closest = closestIn(exact, offers, (library) =>
    toProvider(library, catalogue.storeDir, libcObjects, listings),
  );
  const providersOf = (name: string): readonly Provider[] => {
    const all = exact.providersOf(name);
    const someLeft = all.some(({ storePath }) => !gone.has(storePath));
    const isOthers = libc.isFamily(name) || isForDriverOnly(name, drivers);
    return someLeft || isOthers ? all : closest.providersOf(name);
  };
  return { ...exact, providersOf, closest };
}
