// The user's LD_LIBRARY_PATH and a program → the directories that belong to the program, as its run paths do.
//
// At the start that path comes before everything but an rpath, whatever was chosen (launch/PLAN.md). It decides nothing
// as long as the store has every name; where only that path has one, the program was made to be started with it.
import path from 'node:path';
import type { ElfFile } from '../elf/elf-file.ts';
import { libraryPathDirectories } from '../elf/run-path.ts';
import { elfFileAt } from '../store/read-elf-file.ts';
import { pathOfElfString } from './run-directories.ts';

/**
 * The directories of an LD_LIBRARY_PATH, absolute: ld.so takes relative ones, also the empty one, from the working
 * directory. Without `workingDirectory` these are left out.
 */
export function usersDirectories(
  libraryPath: string | undefined,
  workingDirectory: string | undefined,
  program: string,
): string[] {
  const tokens = { origin: path.dirname(program), lib: 'lib', platform: 'x86_64' };
  return libraryPathDirectories(libraryPath ?? '', tokens).flatMap((each) => {
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
    elf.needed.some((name) => !name.includes('/') && !known(name) && isThere(name, elf)),
  );
}
