// A program with run paths of its own → the files that, if they appeared there, would be loaded before the chosen ones.
import { statSync } from 'node:fs';
import path from 'node:path';
import type { ElfFile } from '../elf/elf-file.ts';
import { elfFileAt } from '../elf/open-elf.ts';
import { distinctStats, identityOfStats } from '../host/file-identity.ts';
import { effectiveRpath, runDirectories } from './run-directories.ts';

/** Of a longer path nothing can be said (limits.h). */
const PATH_MAX = 4096;

function directoriesOf(file: string, elf: ElfFile): string[] {
  return [...runDirectories(effectiveRpath(elf), file, elf), ...runDirectories(elf.runpath, file, elf)];
}

/**
 * A place that cannot be looked at, as one with a path too long or below a closed directory, does not become a file
 * unnoticed.
 */
function canAppear(file: string): boolean {
  try {
    return statSync(file, { throwIfNoEntry: false }) === undefined;
  } catch {
    return false;
  }
}

/**
 * The shortest path above or at `directory` where nothing is: while that is so, nothing is below. Undefined where it is
 * there.
 */
function missingPart(directory: string, missing: (prefix: string) => boolean): string | undefined {
  for (let at = directory.indexOf('/', 1); at !== -1 && at < PATH_MAX; at = directory.indexOf('/', at + 1)) {
    const prefix = directory.slice(0, at);
    if (missing(prefix)) return prefix;
  }
  return missing(directory) ? directory : undefined;
}

/** Bytes of paths, of the 1 MiB that a plan may have (PLAN.md); a start asks for each. */
const MOST_ABSENT = 640 << 10;

interface Vacancies {
  readonly absent: string[];
  /** Directories in which nothing at all may change: the names would be too many. */
  readonly watched: { readonly identity: string; readonly path: string }[];
}

/** None where it cannot be looked at: nothing appears in it unnoticed (canAppear). */
function watchedDirectory(directory: string): Vacancies['watched'] {
  try {
    return [{ identity: identityOfStats(distinctStats(directory)), path: directory }];
  } catch {
    return [];
  }
}

/**
 * Every `DIRECTORY/NAME` that is not there now, for the directories of the run paths of the program and of the
 * libraries beside it, and the names that the store serves; of a directory that is not there, the directory, or the
 * first above it that is missing as well. Where that would be too much, the directory itself is watched. DT_RPATH comes
 * before the farm, and even DT_RUNPATH before the loader's own directory, from which libc.so.6 comes (ld.so(8)). Only
 * what ENOENT or ENOTDIR is said of, as the launcher asks (PLAN.md). Sorted. Store directories never change.
 */
export function absentLibraries(
  program: { readonly path: string; readonly elf: ElfFile },
  bundled: readonly string[],
  served: readonly string[],
  storeDir: string,
): Vacancies {
  const objects = [program, ...bundled.map((file) => ({ path: file, elf: elfFileAt(file) }))];
  const directories = new Set(
    objects.flatMap(({ path: file, elf }) => (elf === undefined ? [] : directoriesOf(file, elf))),
  );
  const known = new Map<string, boolean>();
  const missing = (prefix: string): boolean => {
    const answer = known.get(prefix) ?? canAppear(prefix);
    known.set(prefix, answer);
    return answer;
  };
  const absent = new Set<string>();
  const watched: Vacancies['watched'] = [];
  let room = MOST_ABSENT;
  for (const directory of directories) {
    if (!path.isAbsolute(directory) || directory.startsWith(`${storeDir}/`)) continue;
    const part = missingPart(directory, missing);
    if (part !== undefined) {
      absent.add(part);
      continue;
    }
    const places = served.map((name) => `${directory}/${name}`).filter(canAppear);
    const size = Buffer.byteLength(places.join(''));
    if (size > room) {
      watched.push(...watchedDirectory(directory));
      continue;
    }
    room -= size;
    for (const place of places) absent.add(place);
  }
  return { absent: [...absent].sort(), watched };
}
