// A load trace → each object with who needs it, the rule by which it is that file, and what LD_LIBRARY_PATH would hide.
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { ElfFile } from '../../elf/elf-file.ts';
import { requiredNames } from '../../elf/library-names.ts';
import { type MachineKey, platformOf } from '../../elf/machine.ts';
import { elfFileAt } from '../../elf/open-elf.ts';
import { libraryPathDirectories, muslSearchPath } from '../../elf/run-path.ts';
import { type LoaderAndPath, libraryOrder } from '../../farm/library-order.ts';
import type { VerifiedSet } from '../../farm/verify-set.ts';
import type { Fingerprint, Match } from '../../fingerprint/fingerprint.ts';
import { realPath } from '../../host/files.ts';
import type { Finding, LoadTrace, ObjectRequest, OpenAttempt } from '../../ldso/simulation/trace.ts';
import type { Strategy } from '../../plan/plan-format.ts';
import type { ProgramFile } from '../../program/inspect-program.ts';
import type { Libc } from '../../program/libc.ts';
import { storeObjectOf } from '../../store/store-location.ts';

/** How ld.so comes to an object. */
type FoundIn = 'farm' | 'own directory' | 'bundled' | 'LD_LIBRARY_PATH' | 'libc of the loader' | 'loader';

export interface MapEntry {
  /** The name it is needed by. */
  readonly name: string;
  /** The file behind all links. */
  readonly file: string;
  readonly storePath: string | null;
  readonly found: FoundIn;
  /** By which rule, as the simulated loader has it; null where that one took another file. */
  readonly how: HowFound | null;
  readonly match: Match | null;
  /** Base names of the objects that need it, in load order. */
  readonly neededBy: readonly string[];
}

/** Where the objects of a start may come from. */
interface ObjectSources {
  readonly set: VerifiedSet;
  readonly loaderObject: string;
  readonly libraryPathDirs: readonly string[];
}

function foundAs(
  file: string,
  opened: string,
  { set, loaderObject, libraryPathDirs }: ObjectSources,
): FoundIn {
  if (file === realPath(set.loader)) return 'loader';
  if (opened.startsWith(`${set.farm}/`)) return 'farm';
  if (file.startsWith(`${loaderObject}/`)) return 'libc of the loader';
  if (set.outside.includes(opened)) return 'own directory';
  const isOfLibraryPath = set.askedPath !== set.libraryPath && libraryPathDirs.includes(path.dirname(opened));
  return isOfLibraryPath ? 'LD_LIBRARY_PATH' : 'bundled';
}

/** A verified set, and the trace of its start. */
interface TracedSet {
  readonly set: VerifiedSet;
  readonly fingerprint: Fingerprint;
  readonly storeDir: string;
  readonly trace: LoadTrace;
}

/** The load map of a verified set, in load order; `trace` is the simulated start. */
export function loadMap(program: ProgramFile, { set, fingerprint, storeDir, trace }: TracedSet): MapEntry[] {
  const rules = howFound(trace, set);
  const objects = set.objects.map(({ name, path: opened }) => ({
    name: path.basename(name),
    opened: opened ?? name,
    file: realPath(opened ?? name),
  }));
  const needsOf = (elf: ElfFile | undefined) => (elf === undefined ? [] : requiredNames(elf));
  const readers = [{ label: path.basename(program.path), needed: needsOf(program.elf) }];
  for (const { name, file } of objects) readers.push({ label: name, needed: needsOf(elfFileAt(file)) });
  const matches = new Map(fingerprint.libraries.map(({ soname, match }) => [soname, match]));
  return objects.map(({ name, opened, file }) => {
    const how = rules.get(opened) ?? null;
    // One object serves several names, such as a closest match that others need by its own soname.
    const names = new Set([name, ...(how?.requests ?? []).map((each) => path.basename(each.name))]);
    return {
      name,
      file,
      storePath: storeObjectOf(storeDir, file) ?? null,
      found: foundAs(file, opened, {
        set,
        loaderObject: fingerprint.loader.storePath,
        libraryPathDirs: program.libraryPathDirs ?? [],
      }),
      how,
      match: matches.get(name) ?? null,
      neededBy: readers
        .filter(({ needed }) => needed.some((each) => names.has(path.basename(each))))
        .map(({ label }) => label),
    };
  });
}

export interface HowFound {
  /** The list of directories that led to it; `farm` is the first of the library path. */
  readonly by: Finding['by'] | 'farm';
  /** Path of the object whose rpath or runpath it is. */
  readonly of: string | null;
  /** The searched directory; null where none was searched. */
  readonly directory: string | null;
  /** The subdirectory for this processor, e.g. `glibc-hwcaps/x86-64-v3`. */
  readonly hwcaps: string | null;
  /** Every request that it answers, the one that loaded it first. `from` is a path. */
  readonly requests: readonly Pick<ObjectRequest, 'name' | 'from' | 'how'>[];
  /** Files of that name that were met before and could not be taken. */
  readonly passedOver: readonly OpenAttempt[];
}

const SEARCHED: ReadonlySet<string> = new Set(['library path', 'default directory', 'rpath', 'runpath']);

function directoryOf(opened: string, { by }: Finding, hwcaps: string | undefined): string | null {
  if (!SEARCHED.has(by)) return null;
  const directory = path.dirname(opened);
  return hwcaps === undefined ? directory : directory.slice(0, -hwcaps.length - 1);
}

/** Objects by the path they are opened by. musl's loader calls itself by the program's interpreter. */
export function howFound(
  trace: LoadTrace,
  { farm, loader }: { readonly farm: string; readonly loader: string },
): ReadonlyMap<string, HowFound> {
  const found = new Map<string, HowFound>();
  for (const object of trace.objects) {
    if (object.path === undefined) continue;
    const directory = directoryOf(object.path, object.found, object.hwcaps);
    found.set(object.role === 'loader' ? loader : object.path, {
      by: object.found.by === 'library path' && directory === farm ? 'farm' : object.found.by,
      of: 'of' in object.found ? object.found.of : null,
      directory,
      hwcaps: object.hwcaps ?? null,
      requests: object.requests.map(({ name, from, how }) => ({ name, from, how })),
      passedOver: object.tried.filter(({ why }) => why !== 'ENOENT'),
    });
  }
  return found;
}

/**
 * ld.so and nix-ld search the user's own path first. In all other ways the launcher is entered as the interpreter, of
 * the program or of its copy, and does so only where it is told to.
 */
export function libraryPathComesFirst(
  strategy: Strategy,
  env: Readonly<Record<string, string | undefined>>,
): boolean {
  const isByLauncher = strategy !== 'loader' && strategy !== 'nix-ld';
  return !isByLauncher || env['NIX_RUN_FOREIGN_LIBRARY_ORDER'] === 'user-first';
}

/**
 * What of the user's path has the name of a chosen library, and comes before it at a start by that loader. Sorted by
 * name.
 */
export function shadowingEntries(
  libraryPath: string | undefined,
  names: readonly string[],
  { libc, ...machine }: MachineKey & { readonly libc?: Libc['kind'] },
  loaderAndPath?: LoaderAndPath,
): { name: string; by: string }[] {
  if (libraryPath === undefined) return [];
  const tokens = { origin: undefined, lib: 'lib', platform: platformOf(machine) };
  const all = libc === 'musl' ? muslSearchPath(libraryPath) : libraryPathDirectories(libraryPath, tokens);
  const directories = loaderAndPath === undefined ? all : libraryOrder(all, loaderAndPath).first;
  return [...names].sort().flatMap((name) => {
    const by = directories.map((directory) => path.resolve(directory, name)).find((file) => existsSync(file));
    return by === undefined ? [] : [{ name, by }];
  });
}
