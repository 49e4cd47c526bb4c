// A fingerprint and a program → a farm on disk that the chosen loader has accepted for it.
import { existsSync, realpathSync } from 'node:fs';
import path from 'node:path';
import type { Libc } from '../candidates/libc.ts';
import { usesOrigin } from '../candidates/run-directories.ts';
import type { Fingerprint, StoreFile } from '../fingerprint/fingerprint.ts';
import type { ListOutput, LoadedObject } from '../loader/list-output.ts';
import { debug } from '../platform/report.ts';
import { elfFileAt } from '../store/read-elf-file.ts';
import { closestComplaints } from './closest-proof.ts';
import type { FarmLinks } from './farm.ts';
import { makeFarm } from './farm.ts';
import { type ChosenLibrary, type Layout, layOut, searchesItsOwnDirectory } from './layout.ts';
import { proveByLoader } from './proof.ts';

/** A set that the loader accepted. */
export interface Proven {
  readonly kind: 'proven';
  readonly loader: string;
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
}

export interface Rejected {
  readonly kind: 'rejected';
  readonly complaints: readonly string[];
  readonly loader: string;
  /** The one that the complaints are about. */
  readonly libraryPath: string;
}

/** A file of the set is not there: its store object vanished, or the farm was collected. */
export interface Vanished {
  readonly kind: 'vanished';
  readonly file: string;
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
    return realpathSync(file).startsWith(`${realpathSync(directory)}/`);
  } catch {
    return false;
  }
}

/**
 * No loader sees that it was given the libc of another build: `--list` accepts it and the program crashes.
 * So the whole family must come from the loader's own store object.
 */
function familyComplaints(output: ListOutput, libc: Libc, loaderObject: string): string[] {
  return output.objects
    .filter(({ name, path: file }) => file !== undefined && libc.isFamily(path.basename(name)))
    .filter(({ path: file }) => !isBelow(loaderObject, file ?? ''))
    .map(
      ({ name, path: file }) => `${name} would come from ${file}, not from the loader's own ${loaderObject}`,
    );
}

function prove(program: string, libc: Libc, fingerprint: Fingerprint, libraryPath: string): ListOutput {
  const loader = pathOfStoreFile(fingerprint.loader);
  const request = { loader, libc: libc.kind, libraryPath, program };
  const output = proveByLoader(request);
  const mixed = familyComplaints(output, libc, fingerprint.loader.storePath);
  const closest = fingerprint.libraries.filter(({ match }) => match === 'closest');
  const names = new Set(closest.map(({ soname }) => soname));
  const unbound = closestComplaints(request, output.objects, names);
  return { objects: output.objects, complaints: [...output.complaints, ...mixed, ...unbound] };
}

function searchPath(farm: string, layout: Layout, loader: string, withLoader: boolean): string {
  return [farm, ...layout.directories, ...(withLoader ? [path.dirname(loader)] : [])].join(':');
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

/**
 * Builds the farm for a fingerprint and asks the chosen loader about the program. `known`: the fingerprint's
 * libraries, where they were just read; without it they are read here. `users`: directories of the user's
 * LD_LIBRARY_PATH, which come first at the start; the loader is asked with them only if it refuses the set without.
 * @throws Node's errors when the farm cannot be written.
 */
export async function enact(
  fingerprint: Fingerprint,
  program: string,
  libc: Libc,
  farms: string,
  known?: readonly ChosenLibrary[],
  users: readonly string[] = [],
): Promise<Proven | Rejected | Vanished> {
  const libraries = known ?? librariesOf(fingerprint);
  if ('kind' in libraries) return libraries;
  const loader = pathOfStoreFile(fingerprint.loader);
  let guess: boolean;
  try {
    guess = libc.kind === 'glibc' && !searchesItsOwnDirectory(loader);
  } catch {
    return { kind: 'vanished', file: loader };
  }
  const layout = layOut(libraries);
  const farm = makeFarm(farms, layout.links);
  const attempt = (withLoader: boolean, before: readonly string[]): Proven | Rejected => {
    const libraryPath = searchPath(farm, layout, loader, withLoader);
    const askedPath = [...before, libraryPath].join(':');
    const { objects, complaints } = prove(program, libc, fingerprint, askedPath);
    debug(`${loader} was asked: ${complaints.length} complaints`);
    if (complaints.length > 0) return { kind: 'rejected', complaints, loader, libraryPath: askedPath };
    const { links, outside } = layout;
    return { kind: 'proven', loader, farm, links, libraryPath, askedPath, outside, objects };
  };
  let rejected: Rejected | undefined;
  for (const before of users.length === 0 ? [[]] : [[], users]) {
    const first = attempt(guess, before);
    if (first.kind === 'proven') return first;
    const second = attempt(!guess, before);
    if (second.kind === 'proven') return second;
    rejected = first;
  }
  // Without its farm no set is accepted: somebody collected it meanwhile.
  return rejected && existsSync(farm) ? rejected : { kind: 'vanished', file: farm };
}
