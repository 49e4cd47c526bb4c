// A verified set → what a patched program names: the farm's contents, the run path, the names renamed and lifted.
import { existsSync, readdirSync, readlinkSync, realpathSync } from 'node:fs';
import path from 'node:path';
import type { ElfFile } from '../../elf/elf-file.ts';
import { elfFileAt } from '../../elf/open-elf.ts';
import { pathOfStoreFile, type VerifiedSet } from '../../farm/verify-set.ts';
import type { Fingerprint } from '../../fingerprint/fingerprint.ts';
import { filesBelow } from '../../host/files.ts';
import { linksBeside, type ProgramWithAdded } from '../../program/bundled.ts';
import type { Libc } from '../../program/libc.ts';
import type { PlainNames } from '../../program/needed-paths.ts';
import { pathOfElfString, runDirectories } from '../../program/run-directories.ts';
import { storeObjectOf } from '../../store/store-location.ts';

type PatchedProgram = ProgramWithAdded & { readonly libc: Libc; readonly plainNames?: PlainNames };

export interface PatchedSet {
  /** Relative names in the farm → absolute targets. */
  readonly links: ReadonlyMap<string, string>;
  /** Directories to search behind the farm: absolute, or relative to it. */
  readonly directories: readonly string[];
  readonly renamed: ReadonlyMap<string, string>;
  /** Names in the farm that lead to files of the program's own, where `renamed` or a name more makes up for them. */
  readonly neighbours: ReadonlyMap<string, string>;
  /** Names of the set that the program does not need itself, in the order of loading. */
  readonly transitive: readonly string[];
  /** Store paths that the farm refers to, sorted. */
  readonly references: readonly string[];
}

/** The loader's name in the farm. */
export const LOADER_NAME = 'ld';

/** Everything in a farm on disk, mirrored directories too. */
function linksIn(farm: string): Map<string, string> {
  const links = [...filesBelow(farm)].filter(({ kind }) => kind === 'link');
  return new Map(links.map(({ file }) => [path.relative(farm, file), readlinkSync(file)]));
}

/** The libraries of one libc, all from beside the loader: else the user's LD_LIBRARY_PATH decides. */
function familyLinks(loader: string, libc: Libc): [string, string][] {
  if (libc.kind === 'musl') return [];
  const directory = path.dirname(loader);
  return readdirSync(directory)
    .filter((name) => libc.isFamily(name))
    .map((name) => [name, path.join(directory, name)]);
}

/** Needed names of the program that another version of the library serves, where that has a name of its own. */
function renamesOf({ libraries }: Fingerprint, needed: readonly string[], links: Map<string, string>) {
  const renamed = new Map<string, string>();
  for (const library of libraries) {
    if (library.match !== 'closest') continue;
    const file = pathOfStoreFile(library);
    const own = elfFileAt(file)?.soname;
    if (own === undefined || own === library.soname || own.includes('/')) continue;
    const taken = links.get(own);
    if (taken !== undefined && realpathSync(taken) !== realpathSync(file)) continue;
    links.set(own, taken ?? file);
    if (needed.includes(library.soname)) renamed.set(library.soname, own);
  }
  return renamed;
}

/** What is found in the farm or behind it; a library beside the program may have a run path of its own to it. */
function transitiveOf(
  { objects, farm }: VerifiedSet,
  elf: ElfFile,
  found: (name: string) => boolean,
): string[] {
  const names = objects.flatMap(({ name, path: file }) =>
    file === undefined || file === name ? [] : [name],
  );
  const others = names.filter((name) => !name.includes('/') && !elf.needed.includes(name) && found(name));
  return farm === '' ? [] : [...new Set(others)];
}

/**
 * Libraries beside the program that its run path leads to, under another file name: npm and zip carry no links. By
 * that name they are found wherever the tree is moved. Needed name → file name.
 */
function neighboursOf(program: PatchedProgram): Map<string, string> {
  const { elf, added, libc } = program;
  const searched = runDirectories(elf.runpath ?? elf.rpath, program.path, elf);
  const directories = searched.map((each) => path.resolve(each));
  const own = [...linksBeside(program, libc.kind)].filter(
    ([name, file]) => added?.has(name) !== true && directories.includes(path.dirname(file)),
  );
  const elfString = (text: string): string => Buffer.from(text).toString('latin1');
  return new Map(own.map(([name, file]) => [elfString(name), elfString(path.basename(file))]));
}

/** Named by the program itself it comes before the user's LD_LIBRARY_PATH; by a library beside it, behind. */
function isInRunPath({ elf, path: file }: ProgramWithAdded, name: string): boolean {
  const directories = runDirectories(elf.runpath ?? elf.rpath, file, elf);
  return directories.some((each) => existsSync(path.join(each, pathOfElfString(name))));
}

/** The directories that the launcher has the loader search, without the farm and the loader's own. */
function directoriesOf({ libraryPath, farm, loader }: VerifiedSet): string[] {
  return libraryPath
    .split(':')
    .slice(1)
    .filter((each) => each !== path.dirname(loader))
    .map((each) => (each.startsWith(`${farm}/`) ? path.relative(farm, each) : each));
}

/** Needed paths where nothing is become plain names, or those of the libraries that serve them. */
function renamePaths(renamed: Map<string, string>, plainNames: PlainNames): void {
  for (const [name, plain] of plainNames) renamed.set(name, renamed.get(plain) ?? plain);
}

export function patchedSet(
  { program, storeDir }: { program: PatchedProgram; storeDir: string },
  fingerprint: Fingerprint,
  verified: VerifiedSet,
  choices: { rename: boolean },
): PatchedSet {
  const { elf, libc } = program;
  const links = new Map([...familyLinks(verified.loader, libc), ...linksIn(verified.farm)]);
  const renamed = choices.rename ? renamesOf(fingerprint, elf.needed, links) : new Map<string, string>();
  const neighbours = choices.rename ? neighboursOf(program) : new Map<string, string>();
  for (const [name, file] of neighbours) if (elf.needed.includes(name)) renamed.set(name, file);
  renamePaths(renamed, program.plainNames ?? new Map());
  links.set(LOADER_NAME, verified.loader);
  const directories = directoriesOf(verified);
  const outside = new Set(verified.outside.map((file) => path.basename(file)));
  const loaderName = path.basename(verified.loader);
  const found = (name: string) =>
    name !== loaderName &&
    name !== libc.loaderName &&
    (links.has(name) || outside.has(name) || isInRunPath(program, name));
  const own = new Set([...elf.needed, ...renamed.values()]);
  const targets = [...links.values(), ...directories.filter(path.isAbsolute)];
  const references = new Set(targets.flatMap((each) => storeObjectOf(storeDir, each) ?? []));
  return {
    links,
    directories,
    renamed,
    neighbours,
    transitive: transitiveOf(verified, elf, found)
      .map((name) => neighbours.get(name) ?? name)
      .filter((name) => !own.has(name)),
    references: [...references].sort(),
  };
}

/** The names that a copy with these changes does not look for in the farm go from it: a tree may be moved. */
export function withoutNeighbours(
  set: PatchedSet,
  { renamed, lifted }: { renamed: ReadonlyMap<string, string>; lifted: readonly string[] },
): PatchedSet {
  const isNamed = (name: string, file: string) => renamed.get(name) === file || lifted.includes(file);
  const gone = new Set([...set.neighbours].flatMap(([name, file]) => (isNamed(name, file) ? [name] : [])));
  return { ...set, links: new Map([...set.links].filter(([name]) => !gone.has(name))) };
}

/**
 * Whether the farm comes before the program's own entries: as at a start by the launcher, whose library path comes
 * after a DT_RPATH and before a DT_RUNPATH (ld.so(8)), and for musl before both. So an own library gives way there too.
 */
export function farmPlace({ elf, libc }: Pick<PatchedProgram, 'elf' | 'libc'>): FarmPlace {
  return libc.kind === 'musl' || elf.runpath !== undefined ? 'first' : 'last';
}

/** Whether the program would take a name of another one's farm where it has a library of its own. */
export function hidesOwnLibrary(
  links: PatchedSet['links'],
  { program, set }: { readonly program: PatchedProgram; readonly set: Pick<PatchedSet, 'links'> },
): boolean {
  if (farmPlace(program) === 'last') return false;
  return [...links.keys()].some((name) => !set.links.has(name) && isInRunPath(program, name));
}

type FarmPlace = 'first' | 'last';

/** The own entries as they are, and the farm's. Bytes as latin1, as ELF strings are read. */
export function runPathWith(
  farm: string,
  directories: readonly string[],
  { rpath, runpath }: Pick<ElfFile, 'rpath' | 'runpath'>,
  place: FarmPlace,
): string {
  const raw = (text: string) => Buffer.from(text).toString('latin1');
  const own = [runpath ?? rpath ?? ''].filter((each) => each !== '');
  const ours = [farm, ...directories.map((each) => path.resolve(farm, each))].map(raw);
  return (place === 'first' ? [...ours, ...own] : [...own, ...ours]).join(':');
}
