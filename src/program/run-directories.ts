// An object's rpath or runpath → the directories it searches itself, as paths of the file system.
// The user's LD_LIBRARY_PATH and a program → the directories that belong to the program, as its run paths do.
//
// At the start that path comes before everything but an rpath, whatever was chosen (plan/PLAN.md). It decides nothing
// as long as the store has every name; where only that path has one, the program was made to be started with it.
import path from 'node:path';
import type { ElfFile } from '../elf/elf-file.ts';
import { requiredNames } from '../elf/library-names.ts';
import { type MachineKey, platformOf } from '../elf/machine.ts';
import { elfFileAt } from '../elf/open-elf.ts';
import {
  libraryPathDirectories,
  muslRunPathDirectories,
  muslSearchPath,
  runPathDirectories,
  type TokenValues,
  withoutTrailingSlashes,
} from '../elf/run-path.ts';

/** ELF strings are read as latin1 so that no byte is lost; paths of the file system are UTF-8 here. */
export function pathOfElfString(text: string): string {
  return Buffer.from(text, 'latin1').toString('utf8');
}

/**
 * `$ORIGIN` is the directory of the path the object is opened by; `$LIB` and `$PLATFORM` are `lib` and, say, `x86_64`,
 * as nixpkgs' glibc and a plain CPU of the machine have them.
 */
export function tokensOf(openedAs: string, machine: MachineKey): TokenValues {
  return { origin: path.dirname(openedAs), lib: 'lib', platform: platformOf(machine) };
}

/**
 * Whether a directory is the farm of a patched file, by its name: what it has is what was chosen, and is chosen anew
 * when the program is.
 */
export function isPatchedFarm(directory: string): boolean {
  return /\/[0-9a-z]{32}-f$|\/patched\/[0-9a-z]{32}\/farm$/.test(directory);
}

/** The directories of one run path. */
export function runDirectories(runPath: string | undefined, openedAs: string, machine: MachineKey): string[] {
  if (runPath === undefined) return [];
  return runPathDirectories(pathOfElfString(runPath), tokensOf(openedAs, machine));
}

/** Those of an object's run path for musl's loader, to which both kinds are one (musl ldso/dynlink.c, load_library). */
export function muslRunDirectories(
  { rpath, runpath }: Pick<ElfFile, 'rpath' | 'runpath'>,
  openedAs: string,
): string[] {
  const text = pathOfElfString(runpath ?? rpath ?? '');
  return muslRunPathDirectories(text, path.dirname(openedAs)).map(withoutTrailingSlashes);
}

/** DT_RPATH, where it counts: ld.so ignores it in an object that has DT_RUNPATH too (glibc elf/get-dynamic-info.h). */
export function effectiveRpath(elf: Pick<ElfFile, 'rpath' | 'runpath'>): string | undefined {
  return elf.runpath === undefined ? elf.rpath : undefined;
}

/** True when an object reaches its neighbours by its own place, so it must be opened where it lies. */
export function usesOrigin(elf: Pick<ElfFile, 'rpath' | 'runpath'>): boolean {
  return /\$(ORIGIN|\{ORIGIN\})/.test(elf.runpath ?? elf.rpath ?? '');
}

/**
 * The directories of an LD_LIBRARY_PATH, absolute: ld.so takes relative ones, also the empty one, from the working
 * directory. Without `workingDirectory` these are left out.
 */
export function libraryPathDirectories_(
  libraryPath: string | undefined,
  workingDirectory: string | undefined,
  program: string,
  machine: MachineKey,
): string[] {
  return absolute(libraryPathDirectories(libraryPath ?? '', tokensOf(program, machine)), workingDirectory);
}

/** The same for musl's loader, which knows no tokens there (musl ldso/dynlink.c, path_open). */
export function muslLibraryPathDirectories(
  libraryPath: string | undefined,
  workingDirectory: string | undefined,
): string[] {
  const directories = muslSearchPath(libraryPath ?? '').map(withoutTrailingSlashes);
  return absolute([...new Set(directories)], workingDirectory);
}

function absolute(directories: readonly string[], workingDirectory: string | undefined): string[] {
  return directories.flatMap((each) => {
    if (path.isAbsolute(each)) return [each];
    return workingDirectory === undefined ? [] : [path.resolve(workingDirectory, each)];
  });
}

/**
 * True where one of the directories has a needed name that is not `known` elsewhere. Never where they hold a libc: it
 * would be loaded with the loader of another build, so they cannot serve at all.
 */
export function needsDirectories(
  objects: readonly ElfFile[],
  directories: readonly string[],
  known: (name: string) => boolean,
): boolean {
  if (directories.length === 0) return false;
  const holdsLibc = (directory: string): boolean => elfFileAt(`${directory}/libc.so.6`) !== undefined;
  if (directories.some(holdsLibc)) return false;
  const isThere = (name: string, like: ElfFile): boolean =>
    directories.some((directory) => {
      const elf = elfFileAt(`${directory}/${pathOfElfString(name)}`);
      return elf?.class === like.class && elf.machine === like.machine;
    });
  return objects.some((elf) =>
    requiredNames(elf).some((name) => !name.includes('/') && !known(name) && isThere(name, elf)),
  );
}
