// The state directory → the GC roots of what programs without a fingerprint were given while they ran, and whose they
// are.
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { removeLeftovers, writeFileAtomically } from '../host/atomic-file.ts';
import type { Directories } from '../host/directories.ts';
import { allNamesIn, makeDirectories } from '../host/files.ts';
import { isHalfMadeRoot, readRoot } from '../store/root-link.ts';
import { readRunTimeRecord, runTimesDirectory } from './run-time-record.ts';

type RootsPlace = Pick<Directories, 'state' | 'cache'>;

interface RunTimeRoots {
  /** Holds the links. */
  readonly directory: string;
  /** Undefined where it cannot be told any more. */
  readonly program: string | undefined;
  /** Sorted. */
  readonly links: readonly string[];
}

export function runTimeRootsDirectory({ state }: Pick<Directories, 'state'>): string {
  return path.join(state, 'run-time');
}

/** Holds those of one run-time directory, by its name. */
export function runTimeRoots(dirs: Pick<Directories, 'state'>, directory: string): string {
  return path.join(runTimeRootsDirectory(dirs), path.basename(directory));
}

function programFile(directory: string): string {
  return path.join(directory, 'program');
}

/** Roots outlive plan and record when the cache is deleted. @throws Node's errno errors. */
export function noteProgram(directory: string, program: string): void {
  makeDirectories(directory);
  removeLeftovers(directory);
  writeFileAtomically(programFile(directory), program);
}

function programOf(dirs: RootsPlace, directory: string): string | undefined {
  try {
    return readFileSync(programFile(directory), 'utf8');
  } catch {
    return readRunTimeRecord(path.join(runTimesDirectory(dirs), path.basename(directory)))?.program;
  }
}

/** Sorted by directory. @throws Node's errors. */
export function listRunTimeRoots(dirs: RootsPlace): RunTimeRoots[] {
  return allNamesIn(runTimeRootsDirectory(dirs)).map((name) => {
    const directory = path.join(runTimeRootsDirectory(dirs), name);
    const files = allNamesIn(directory).map((each) => path.join(directory, each));
    const links = files.filter((file) => !isHalfMadeRoot(file) && readRoot(file) !== undefined);
    return { directory, program: programOf(dirs, directory), links };
  });
}

/** Nix drops its own entries for them at the next collection. */
export function removeRunTimeRoots({ directory }: Pick<RunTimeRoots, 'directory'>): void {
  rmSync(directory, { recursive: true, force: true });
}
