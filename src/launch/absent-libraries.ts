// A program with run paths of its own → the files that, if they appeared there, would be loaded before the chosen ones.
import { statSync } from 'node:fs';
import path from 'node:path';
import { effectiveRpath, runDirectories } from '../candidates/run-directories.ts';
import type { ElfFile } from '../elf/elf-file.ts';
import { elfFileAt } from '../store/read-elf-file.ts';

function directoriesOf(file: string, elf: ElfFile): string[] {
  return [...runDirectories(effectiveRpath(elf), file), ...runDirectories(elf.runpath, file)];
}

/** A place that cannot be looked at, as one with a path too long or below a closed directory, does not become a file unnoticed. */
function canAppear(file: string): boolean {
  try {
    return statSync(file, { throwIfNoEntry: false }) === undefined;
  } catch {
    return false;
  }
}

/**
 * Every `DIRECTORY/NAME` that is not there now, for the directories of the run paths of the program and of the libraries
 * beside it, and the names that the store serves. DT_RPATH comes before the farm, and even DT_RUNPATH before the
 * loader's own directory, from which libc.so.6 comes (ld.so(8)). Only what ENOENT or ENOTDIR is said of, as the launcher
 * asks (PLAN.md). Sorted. Store directories never change.
 */
export function absentLibraries(
  program: { readonly path: string; readonly elf: ElfFile },
  bundled: readonly string[],
  served: readonly string[],
  storeDir: string,
): string[] {
  const objects = [program, ...bundled.map((file) => ({ path: file, elf: elfFileAt(file) }))];
  const directories = new Set(
    objects.flatMap(({ path: file, elf }) => (elf === undefined ? [] : directoriesOf(file, elf))),
  );
  const changeable = [...directories].filter(
    (each) => path.isAbsolute(each) && !each.startsWith(`${storeDir}/`),
  );
  const files = changeable.flatMap((directory) => served.map((name) => `${directory}/${name}`));
  return [...new Set(files)].filter(canAppear).sort();
}
