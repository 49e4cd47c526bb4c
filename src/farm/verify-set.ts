// A fingerprint and a program → a farm on disk that the chosen loader has accepted for it, or what speaks against it.
import { existsSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { APP_IMAGE_MARK, isAppImage } from '../elf/app-image.ts';
import type { ElfFile } from '../elf/elf-file.ts';
import { elfFileAt } from '../elf/open-elf.ts';
import type { Fingerprint, StoreFile } from '../fingerprint/fingerprint.ts';
import { temporaryName } from '../host/atomic-file.ts';
import { readStart, realPath } from '../host/files.ts';
import { debug } from '../host/output.ts';
import type { LoadedObject } from '../ldso/ask-loader.ts';
import { listObjects, listWithPlainNames, type Verdict } from '../ldso/list-objects.ts';
import { linksBeside, type ProgramWithAdded } from '../program/bundled.ts';
import type { Libc } from '../program/libc.ts';
import type { PlainNames } from '../program/needed-paths.ts';
import { usesOrigin } from '../program/run-directories.ts';
import { leadsToAnotherLibc } from './another-libc.ts';
import { type FarmLinks, makeFarm } from './farm.ts';
import {
  type ChosenLibrary,
  type FarmLayout,
  type Hiding,
  layOut,
  searchesItsOwnDirectory,
} from './layout.ts';
import type { Vanished } from './vanished.ts';

/** A set that the loader accepted, and of which it would load what was chosen. */
export interface VerifiedSet {
  readonly kind: 'verified';
  readonly loader: string;
  /** The store object of the loader, and so of the whole libc family. */
  readonly loaderObject: string;
  readonly farm: string;
  readonly links: FarmLinks;
  /** For LD_LIBRARY_PATH: the farm, then directories. */
  readonly libraryPath: string;
  /** The same, with what of the user's came before it when the loader accepted the set. */
  readonly askedPath: string;
  /** Files of the set that are not reached through the farm. */
  readonly outside: readonly string[];
  /** What the loader will load, in order. */
  readonly objects: readonly LoadedObject[];
  /** Who said so. */
  readonly verdict: Verdict;
}

export interface Rejected {
  readonly kind: 'rejected';
  readonly complaints: readonly string[];
  /** Chosen libraries in whose place the loader takes another file. */
  readonly mismatches: readonly Mismatch[];
  readonly loader: string;
  /** The one that the complaints are about. */
  readonly libraryPath: string;
}

export function pathOfStoreFile(file: StoreFile): string {
  return path.join(file.storePath, file.file);
}

function readLibrary(name: string, file: string): ChosenLibrary | undefined {
  const elf = elfFileAt(file);
  return elf === undefined ? undefined : { name, path: file, usesOrigin: usesOrigin(elf) };
}

function isBelow(directory: string, file: string): boolean {
  try {
    return realpathSync.native(file).startsWith(`${realpathSync.native(directory)}/`);
  } catch {
    return false;
  }
}

/**
 * No loader sees that it was given the libc of another build: `--list` accepts it and the program crashes.
 * So the whole family must come from the loader's own store object.
 */
function mismatchedFamily(objects: readonly LoadedObject[], libc: Libc, loaderObject: string): Mismatch[] {
  return objects.flatMap(({ name, path: loaded }) => {
    if (loaded === undefined || !libc.isFamily(path.basename(name)) || isBelow(loaderObject, loaded))
      return [];
    return [{ name, chosen: loaderObject, loaded }];
  });
}

function mismatchText({ name, chosen, loaded }: Mismatch): string {
  return `${name} would come from ${loaded}, not from ${chosen}`;
}

/** Where a set is laid out, and how it is asked about. */
interface LayoutTrial {
  readonly program: string;
  readonly libc: Libc;
  readonly fingerprint: Fingerprint;
  readonly libraries: readonly ChosenLibrary[];
  readonly farm: string;
  readonly layout: FarmLayout;
  readonly verdict: Verdict;
  readonly driverDirectories: readonly string[];
  readonly binding?: 'start';
  /** Where it needs libraries by paths where nothing is. */
  readonly plain: { readonly elf: ElfFile; readonly plainNames: PlainNames } | undefined;
}

/** `libraryPathDirs` come first. */
async function attempt(
  trial: LayoutTrial,
  withLoader: boolean,
  libraryPathDirs: readonly string[],
): Promise<VerifiedSet | Rejected> {
  const { program, libc, fingerprint, farm, layout, verdict, binding } = trial;
  const loader = pathOfStoreFile(fingerprint.loader);
  const directories = layout.directories.map((each) => path.resolve(farm, each));
  const ofLoader = withLoader ? [path.dirname(loader)] : [];
  const libraryPath = [farm, ...directories, ...ofLoader, ...trial.driverDirectories].join(':');
  const askedPath = [...libraryPathDirs, libraryPath].join(':');
  const request = { loader, libc: libc.kind, libraryPath: askedPath, program, ...(binding && { binding }) };
  const closest = fingerprint.libraries.filter(({ match }) => match === 'closest');
  const names = new Set(closest.map(({ soname }) => soname));
  const { objects, complaints } =
    trial.plain === undefined
      ? await listObjects(request, libc, verdict, names)
      : await listWithPlainNames(request, libc, verdict, trial.plain);
  const { links, outside } = layout;
  const mismatches = [
    ...mismatchedFamily(objects, libc, fingerprint.loader.storePath),
    ...mismatchesOf(objects, trial.libraries, { farm, links, libraryPathDirs }),
  ];
  const all = [...mismatches.map(mismatchText), ...complaints];
  debug(
    `${verdict === 'loader' ? loader : `the simulation of ${loader}`} was asked: ${all.length} complaints`,
  );
  if (all.length > 0)
    return { kind: 'rejected', complaints: all, mismatches, loader, libraryPath: askedPath };
  const loaderObject = fingerprint.loader.storePath;
  const reached = { farm, links, libraryPath, askedPath, outside };
  return { kind: 'verified', loader, loaderObject, ...reached, objects, verdict };
}

/**
 * With the loader's own directory or without it, then the same with the user's: the first that serves, or the first.
 */
async function firstAccepted(
  trial: LayoutTrial,
  guess: boolean,
  libraryPathDirs: readonly string[],
): Promise<VerifiedSet | Rejected> {
  let first: VerifiedSet | Rejected | undefined;
  for (const before of libraryPathDirs.length === 0 ? [[]] : [[], libraryPathDirs]) {
    for (const withLoader of [guess, !guess]) {
      const outcome = await attempt(trial, withLoader, before);
      if (outcome.kind === 'verified') return outcome;
      first ??= outcome;
    }
  }
  return first as Rejected;
}

/**
 * Whether the loader's own directory is to be in the library path: where the loader does not look there, or what may
 * be opened would find libraries of another libc before it does, as drivers may by the run paths of theirs.
 * @throws Node's errors where the loader is gone.
 */
function wantsOwnDirectory(fingerprint: Fingerprint, { kind, isFamily }: Libc, hasDrivers: boolean): boolean {
  if (kind !== 'glibc') return false;
  const loader = pathOfStoreFile(fingerprint.loader);
  const opened = fingerprint.libraries.filter(({ match }) => match === 'dlopen');
  return (
    !searchesItsOwnDirectory(loader) ||
    hasDrivers ||
    opened.some((each) => leadsToAnotherLibc(pathOfStoreFile(each), { loader, isFamily }))
  );
}

/** Reads of each library of a fingerprint what the layout asks. */
function librariesOf(fingerprint: Fingerprint): ChosenLibrary[] | Vanished {
  const libraries: ChosenLibrary[] = [];
  for (const each of fingerprint.libraries) {
    const library = readLibrary(each.soname, pathOfStoreFile(each));
    if (library === undefined) return { kind: 'vanished', file: pathOfStoreFile(each) };
    libraries.push(library);
  }
  return libraries;
}

/** What is asked of the program that a set is for. */
interface VerifiedProgram {
  readonly path: string;
  readonly libc: Libc;
  /** Searched after all others; nothing in there is part of a set. */
  readonly driverDirectories?: readonly string[];
  readonly plainNames?: PlainNames;
}

/** What is known before a fingerprint is laid out, and how the loader is asked. */
interface VerifyRequest {
  /** Who is asked: `verdictFor`. */
  readonly verdict: Verdict;
  /** The fingerprint's libraries, where they were just read; without it they are read here. */
  readonly known?: readonly ChosenLibrary[];
  /**
   * Directories of the user's LD_LIBRARY_PATH, which come first at the start; the loader is asked with them only if it
   * refuses the set without.
   */
  readonly libraryPathDirs?: readonly string[] | undefined;
  /** See `ListRequest`. */
  readonly binding?: 'start';
}

/**
 * Builds the farm for a fingerprint and asks the chosen loader about the program.
 * A directory that hides a chosen library is mirrored without what hides it, and the loader is asked again.
 * @throws Node's errors when the farm cannot be written.
 */
export async function layOutAndVerify(
  fingerprint: Fingerprint,
  foreign: ProgramWithAdded & VerifiedProgram,
  farms: string,
  { known, libraryPathDirs = [], ...asking }: VerifyRequest,
): Promise<VerifiedSet | Rejected | Vanished> {
  const { path: program, libc } = foreign;
  const libraries = known ?? librariesOf(fingerprint);
  if ('kind' in libraries) return libraries;
  const beside = linksBeside(foreign, libc.kind);
  const loader = pathOfStoreFile(fingerprint.loader);
  let guess: boolean;
  try {
    guess = wantsOwnDirectory(fingerprint, libc, (foreign.driverDirectories ?? []).length > 0);
  } catch {
    return { kind: 'vanished', file: loader };
  }
  const hiding = { storeDir: path.dirname(fingerprint.loader.storePath), isFamily: libc.isFamily };
  const mirror = new Set<string>();
  for (;;) {
    const alone = layOutNow(libraries, mirror.size === 0 ? undefined : { ...hiding, directories: mirror });
    if ('kind' in alone) return alone;
    const laid = { ...alone, links: new Map([...beside, ...alone.links]) };
    const farm = makeFarm(farms, new Map([...laid.neighbours, ...laid.links]));
    const trial = {
      ...asking,
      program,
      libc,
      fingerprint,
      libraries,
      farm,
      layout: laid,
      driverDirectories: foreign.driverDirectories ?? [],
      plain:
        foreign.plainNames === undefined ? undefined : { elf: foreign.elf, plainNames: foreign.plainNames },
    };
    const outcome = await withPlainImage(program, farms, (file) =>
      firstAccepted({ ...trial, program: file }, guess, libraryPathDirs),
    ).catch((error: unknown) => {
      if (existsSync(loader)) throw error;
      return { kind: 'vanished', file: loader } as const;
    });
    if (outcome.kind !== 'rejected') return outcome;
    // Without its farm no set is accepted: somebody collected it meanwhile.
    if (!existsSync(farm)) return { kind: 'vanished', file: farm };
    const inTheWay = outcome.mismatches
      .map(({ loaded }) => path.dirname(loaded))
      .filter((directory) => laid.directories.includes(directory));
    if (inTheWay.length === 0) return outcome;
    debug(`mirrored, since they hide chosen libraries: ${inTheWay.join(', ')}`);
    for (const directory of inTheWay) mirror.add(directory);
  }
}

/** A directory to be mirrored can vanish with its store object. */
function layOutNow(libraries: readonly ChosenLibrary[], hiding: Hiding | undefined): FarmLayout | Vanished {
  try {
    return layOut(libraries, hiding);
  } catch (error) {
    const gone = hiding && [...hiding.directories].find((directory) => !existsSync(directory));
    if (gone === undefined) throw error;
    return { kind: 'vanished', file: gone };
  }
}

type OpeningSet = Pick<VerifiedSet, 'loader' | 'loaderObject' | 'askedPath' | 'verdict'>;

/** Whether the loader refuses any of these names of a verified set beside it. One start of the loader. */
export async function isRefusedWhenOpened(
  { loader, loaderObject, askedPath, verdict }: OpeningSet,
  { path: program, libc, elf, plainNames }: ProgramWithAdded & VerifiedProgram,
  opened: readonly string[],
): Promise<boolean> {
  if (opened.length === 0) return false;
  const request = { loader, libc: libc.kind, libraryPath: askedPath, program, opened };
  const { complaints, objects } =
    plainNames === undefined
      ? await listObjects(request, libc, verdict)
      : await listWithPlainNames(request, libc, verdict, { elf, plainNames });
  return complaints.length + mismatchedFamily(objects, libc, loaderObject).length > 0;
}

/**
 * Of the names of a verified set that the program may open, those that the loader refuses beside it. One start of the
 * loader where it refuses none.
 */
export async function refusedWhenOpened(
  set: OpeningSet,
  program: ProgramWithAdded & VerifiedProgram,
  names: readonly string[],
): Promise<string[]> {
  if (!(await isRefusedWhenOpened(set, program, names))) return [];
  const good: string[] = [];
  const refused: string[] = [];
  for (const name of names)
    ((await isRefusedWhenOpened(set, program, [...good, name])) ? refused : good).push(name);
  return refused;
}

interface Mismatch {
  /** The name it is needed by. */
  readonly name: string;
  readonly chosen: string;
  /** The path that the loader opens instead. */
  readonly loaded: string;
}

/** Where a library may come from. */
interface Reached {
  readonly farm: string;
  readonly links: FarmLinks;
  /** Directories of the user's that were asked for, and come first. */
  readonly libraryPathDirs: readonly string[];
}

/**
 * Where a loader looks below each directory (glibc sysdeps/x86_64/dl-hwcaps-subdirs.c; before 2.37 elf/dl-hwcaps.c).
 */
const FOR_PROCESSORS =
  /^(?:glibc-hwcaps\/[^/]+\/|(?:(?:tls|haswell|xeon_phi|avx512_1|x86_64|i[3-6]86|sse2)\/)*)$/;

/** The library itself, under its name or that of its file, or its variant for better processors. */
function isOf(file: string, { name, path: chosen }: ChosenLibrary): boolean {
  const directory = `${path.dirname(chosen)}/`;
  if (file === chosen) return true;
  if (!file.startsWith(directory) || !file.endsWith(`/${name}`)) return false;
  return FOR_PROCESSORS.test(file.slice(directory.length, -name.length));
}

function isMismatch(
  opened: string,
  library: ChosenLibrary,
  { farm, links, libraryPathDirs }: Reached,
): boolean {
  const target = opened.startsWith(`${farm}/`) ? links.get(opened.slice(farm.length + 1)) : undefined;
  if (isOf(target ?? opened, library)) return false;
  if (libraryPathDirs.some((directory) => opened.startsWith(`${directory}/`))) return false;
  return realPath(opened) !== realPath(library.path);
}

/**
 * Compares by the needed name. A name that is not listed is served by an object that is, under another name: whoever is
 * loaded first under a soname has it (glibc elf/dl-load.c, _dl_lookup_map), which is the solver's business.
 */
export function mismatchesOf(
  objects: readonly LoadedObject[],
  libraries: readonly ChosenLibrary[],
  reached: Reached,
): Mismatch[] {
  const chosen = new Map(libraries.map((library) => [library.name, library]));
  return objects.flatMap(({ name, path: loaded }) => {
    const library = chosen.get(name);
    if (library === undefined || loaded === undefined || !isMismatch(loaded, library, reached)) return [];
    return [{ name, chosen: library.path, loaded }];
  });
}

/**
 * glibc's loader refuses the mark ("ELF file ABI version invalid", elf/dl-load.c, open_verify) in what it opens itself,
 * the kernel does not. Every other program is handed to `ask` as it is. The file lies in `scratch`, for as long as
 * `ask` takes. @throws Node's errors.
 */
async function withPlainImage<T>(
  program: string,
  scratch: string,
  ask: (file: string) => Promise<T>,
): Promise<T> {
  const end = isAppImage(readStart(program, 16)) ? elfFileAt(program)?.end : undefined;
  if (end === undefined) return await ask(program);
  const file = temporaryName(path.join(scratch, 'image'));
  try {
    const bytes = readStart(program, end);
    bytes.fill(0, APP_IMAGE_MARK.offset, APP_IMAGE_MARK.offset + APP_IMAGE_MARK.size);
    writeFileSync(file, bytes, { mode: 0o700 });
    return await ask(file);
  } finally {
    rmSync(file, { force: true });
  }
}
