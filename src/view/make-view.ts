// What this machine lacks of the usual layout → what a view puts in place, and what has to stay true for that.
import { accessSync, constants, existsSync, lstatSync } from 'node:fs';
import path from 'node:path';
import type { Machine } from '../elf/machine.ts';
import type { Directories } from '../host/directories.ts';
import { identityOf } from '../host/file-identity.ts';
import { VIEW_MARK } from '../plan/copy-directories.ts';
import type { LaunchPlan, ViewEntry } from '../plan/plan-format.ts';
import { whyLauncherFails } from '../plan/strategy.ts';
import { type HostPlace, hostPlace, withoutLinks } from './host-place.ts';
import { findSharedData } from './shown-data.ts';
import {
  interpreterPaths,
  isVacant,
  LIBRARY_PLACES,
  type LibraryRequest,
  libraryDirectoriesOf,
  shownLibraries,
} from './shown-libraries.ts';
import { commandDirectories, PROGRAM_PLACES, shownPrograms } from './shown-programs.ts';
import { linkTo, makeViewDirectory, type ViewDirectory, viewDirectory } from './view-directory.ts';

/** The program that it is for. */
export interface ViewedProgram {
  readonly interpreter?: string | undefined;
  readonly farm?: LibraryRequest['farm'];
  /** Path where nothing is → the file that is to be found there. */
  readonly byPath?: ReadonlyMap<string, string> | undefined;
}

/** The machine and the user that it is made for. */
interface ViewingUser {
  readonly launchers: LibraryRequest['launchers'];
  readonly uid: number;
  /** PATH. */
  readonly searchPath: string | undefined;
  readonly storeDir: string;
  readonly dirs: Directories;
  /** The Node and the script that answer `ldd` and `ldconfig` there. */
  readonly manager?: { readonly node: string; readonly script: string } | undefined;
}

/** The parts of a plan that make it one with a view. */
export type View = Required<
  Pick<LaunchPlan, 'view' | 'directories' | 'files' | 'watchedOutside' | 'absentOutside'>
>;

/** A system profile may be linked to /usr/share or /usr: a view opens no directory of the store. */
function isInStore(target: string, storeDir: string): boolean {
  return target.startsWith(`${withoutLinks(storeDir) ?? storeDir}/`);
}

/** Of these places those where something can be put, each once. */
function openPlaces(wanted: readonly string[], storeDir: string): HostPlace[] {
  const places = wanted
    .flatMap((each) => hostPlace(each) ?? [])
    .filter(({ state, target }) => state !== 'there' && !isInStore(target, storeDir));
  return [...new Map(places.map((place) => [place.target, place])).values()];
}

function isBelow(target: string, places: readonly HostPlace[]): HostPlace | undefined {
  return places.find((place) => target.startsWith(`${place.target}/`));
}

interface PutInPlace {
  readonly served: ViewEntry[];
  /** Paths at which nothing can be put. */
  readonly unserved: string[];
}

/**
 * Interpreters that no directory of libraries brings along: beside others of the host, or somewhere of their own. The
 * program may name one where the user writes, as it does where it was built.
 */
function loneInterpreters(
  launchers: LibraryRequest['launchers'],
  interpreter: string | undefined,
  { places, storeDir }: Pick<ShownPlaces, 'places' | 'storeDir'>,
): PutInPlace {
  const [own, ...others] = launchers;
  // Without a source: the launcher itself.
  const usual = new Map<string, string | undefined>([
    ...(own === undefined ? [] : interpreterPaths(own.machine)).map((each) => [each, undefined] as const),
    ...others.flatMap(({ machine, file }) => interpreterPaths(machine).map((each) => [each, file] as const)),
  ]);
  const named = interpreter === undefined || usual.has(interpreter) ? [] : [interpreter];
  const served: ViewEntry[] = [];
  const unserved: string[] = [];
  for (const each of [...named, ...usual.keys()].filter(isVacant)) {
    const directory = withoutLinks(path.dirname(each));
    const target = directory === undefined ? undefined : path.join(directory, path.basename(each));
    if (target === undefined || /\s/.test(target) || isBelow(target, places)) continue;
    const source = usual.get(each);
    const isNamed = named.includes(each);
    const isOpen = !isInStore(target, storeDir) && (!isNamed || isOthers(existingAbove(target)));
    if (isOpen) served.push(source === undefined ? { target } : { target, source });
    else if (each === interpreter) unserved.push(each);
  }
  return { served, unserved };
}

interface ShownDirectory {
  readonly place: HostPlace;
  readonly source: ViewDirectory;
}

/**
 * Where nothing is, a link to a neighbour that shows the same does, as distributions have /sbin: each mount makes a
 * start longer. Both lie in the same directory, to which `..` leads.
 */
function entryOf({ place, source }: ShownDirectory, at: number, all: readonly ShownDirectory[]): ViewEntry {
  const { target, state } = place;
  const same = all.find(
    (each, index) =>
      each.source.directory === source.directory &&
      path.dirname(each.place.target) === path.dirname(target) &&
      (index < at || each.place.state !== 'missing'),
  );
  if (state === 'missing' && same !== undefined) return { target, source: same.place.target };
  return { target, source: `${source.directory}/` };
}

function programDirectories(
  { dirs, uid, searchPath, storeDir, manager }: ViewingUser,
  machine: Machine,
): { programs: ShownDirectory[]; places: HostPlace[]; from: string[] } {
  const places = openPlaces(PROGRAM_PLACES, storeDir);
  if (places.length === 0) return { programs: [], places, from: [] };
  const directories = commandDirectories(searchPath, uid, [
    ...PROGRAM_PLACES,
    ...places.map(({ target }) => target),
  ]);
  const shown = shownPrograms({ places, directories, machine, manager });
  const source = viewDirectory(dirs, shown);
  return { programs: places.map((place) => ({ place, source })), places, from: directories };
}

type Data = ReadonlyMap<string, string>;

/** What of it stands in this directory. */
function dataIn({ target: directory }: HostPlace, data: Data): ViewEntry[] {
  return [...data]
    .filter(([target]) => path.dirname(target) === directory)
    .map(([target, source]) => ({ target, source }));
}

function libraryDirectories(
  request: Omit<LibraryRequest, 'place'>,
  dirs: Directories,
  places: readonly HostPlace[],
  data: Data,
): ShownDirectory[] {
  return places.map((place) => {
    const shown = shownLibraries({ ...request, place });
    for (const { target, source = '' } of dataIn(place, data))
      shown.set(path.basename(target), linkTo(source));
    return { place, source: viewDirectory(dirs, shown) };
  });
}

function dataEntries(
  data: Data,
  { places, storeDir }: Pick<ShownPlaces, 'places' | 'storeDir'>,
): ViewEntry[] {
  return [...data].flatMap(([wanted, source]) => {
    const place = hostPlace(wanted);
    const isTaken = place?.state !== 'missing' || isBelow(place.target, places);
    return isTaken || isInStore(place.target, storeDir) ? [] : [{ target: place.target, source }];
  });
}

/** The directory in which it, or the first that is missing above it, would be made. */
function existingAbove(file: string): string {
  for (let above = path.dirname(file); ; above = path.dirname(above))
    if (above === '/' || existsSync(above)) return above;
}

/** Root could write in them too, and programs do not. */
const SYSTEM_DIRECTORIES: ReadonlySet<string> = new Set(['/', '/opt', '/usr', '/usr/local']);

/** Around what is put there the view is read-only: a directory that the user writes is left alone. */
function isOthers(directory: string): boolean {
  if (SYSTEM_DIRECTORIES.has(directory)) return true;
  try {
    accessSync(directory, constants.W_OK);
    return false;
  } catch {
    return true;
  }
}

interface ShownPlaces {
  /** Directories in which the farm's names are seen. */
  readonly libraryDirectories: readonly string[];
  /** Names of the farm. */
  readonly names: readonly string[];
  /** All places that get a directory of the view. */
  readonly places: readonly HostPlace[];
  readonly storeDir: string;
}

function isShown(target: string, { libraryDirectories, names }: ShownPlaces): boolean {
  return libraryDirectories.includes(path.dirname(target)) && names.includes(path.basename(target));
}

/** What a needed path gets of its own, and where nothing can be put: below a directory that is shown already. */
export function entriesByPath(byPath: ReadonlyMap<string, string>, shown: ShownPlaces): PutInPlace {
  const { places, storeDir } = shown;
  const served: ViewEntry[] = [];
  const unserved: string[] = [];
  for (const [file, source] of byPath) {
    const target = hostPlace(file)?.state === 'missing' ? withoutLinks(file) : undefined;
    if (target !== undefined && isShown(target, shown)) continue;
    const isBlocked =
      target === undefined || isBelow(target, places) !== undefined || isInStore(target, storeDir);
    if (isBlocked || !isOthers(existingAbove(target))) unserved.push(file);
    else served.push({ target, source });
  }
  return { served, unserved };
}

/** The directory around another one takes no new entries in a view, which would be noticed there. */
const USUAL_STORE = '/nix/store';

/**
 * Root could write to the store through the links that lead there, under names that the machine has not: so it is what
 * it is on NixOS, read-only. Nix makes it writable for itself (libstore/local-store.cc, makeStoreWritable).
 */
function storeEntry(storeDir: string, uid: number): ViewEntry[] {
  const isUsual = storeDir === USUAL_STORE && withoutLinks(storeDir) === USUAL_STORE;
  return uid === 0 && isUsual ? [{ target: USUAL_STORE, source: `${USUAL_STORE}/` }] : [];
}

/** NixOS' setuid programs; the links to them stay right (nixpkgs, nixos/modules/security/wrappers). */
const NEW_WITH_EACH_BOOT = '/run/wrappers/';

/** What was copied: the files that they lead to, since a system makes the links anew with each boot. */
function linksIn({ target, names }: HostPlace): string[] {
  return names
    .map((name) => path.join(target, name))
    .filter((file) => existsSync(file) && lstatSync(file).isSymbolicLink());
}

/** What would have to be made first for something to be there; undefined where it is. `/` always is. */
function firstMissing(target: string): string | undefined {
  if (target === '/' || existsSync(target)) return undefined;
  const above = path.dirname(target);
  return firstMissing(above) ?? target;
}

/** A view, and the directories that it shows, which are still to be made. */
export interface ViewToMake {
  readonly view: View;
  /** Paths that the program names and at which nothing can be put. */
  readonly unserved: readonly string[];
  readonly directories: readonly ViewDirectory[];
}

/** Undefined where nothing is missing. Writes nothing. */
export function findView(
  machine: Machine,
  user: ViewingUser,
  { interpreter, farm, byPath = new Map() }: ViewedProgram,
): ViewToMake | undefined {
  const { launchers, storeDir, dirs } = user;
  const data = findSharedData(storeDir);
  const { programs, places, from } = programDirectories(user, machine);
  const libraries = openPlaces(LIBRARY_PLACES, storeDir);
  const lone = loneInterpreters(launchers, interpreter, { places: libraries, storeDir });
  const request = { machine, launchers, interpreter, farm };
  const directories = [...programs, ...libraryDirectories(request, dirs, libraries, data)];
  const needed = entriesByPath(byPath, {
    libraryDirectories: libraries.flatMap((place) => libraryDirectoriesOf(place, machine)),
    names: farm?.names ?? [],
    places: [...libraries, ...places],
    storeDir,
  });
  const ofData = dataEntries(data, { places: libraries, storeDir });
  const shown = [...needed.served, ...directories.map(entryOf), ...lone.served, ...ofData];
  const unserved = [...lone.unserved, ...needed.unserved];
  if (shown.length === 0 && unserved.length === 0) return undefined;
  const watched = [
    ...[...places, ...libraries].flatMap(linksIn),
    ...from.filter((each) => !`${each}/`.startsWith(NEW_WITH_EACH_BOOT)),
    ...lone.served.map(({ target }) => target).filter((each) => existsSync(each)),
  ];
  const view = {
    view: [...shown, ...storeEntry(storeDir, user.uid)],
    directories: [...new Set(directories.map(({ source }) => source.directory))],
    // Nothing keeps the store from losing them.
    files: [...ofData, ...libraries.flatMap((place) => dataIn(place, data))].flatMap(
      ({ source }) => source ?? [],
    ),
    watchedOutside: [...new Set(watched)].map((file) => ({ identity: identityOf(file), path: file })),
    absentOutside: [...new Set(shown.flatMap(({ target }) => firstMissing(target) ?? []))],
  };
  return { view, unserved, directories: directories.map(({ source }) => source) };
}

/** @throws Node's errors when the cache cannot be written. */
export function makeView({ view, directories }: ViewToMake): View {
  for (const directory of directories) makeViewDirectory(directory);
  return view;
}

/** Has the launcher try it (launcher/view.c). Undefined where it works, else why not, as one clause. */
export function whyNoView(launcher: string | undefined): string | undefined {
  return whyLauncherFails(launcher, ['--try-view']);
}

/** The link that every view has (launcher/view.c). */
export function isInView(): boolean {
  return withoutLinks(VIEW_MARK) !== VIEW_MARK;
}
