// Real programs and a real loader → how many of them the simulation lists as the loader does, and the first difference.
import { readdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { ElfFile } from '../../src/elf/elf-file.ts';
import { filesOfMachine } from '../../src/ldso/simulate-start.ts';
import type { Loader, Probe } from '../../src/ldso/simulation/request.ts';
import { simulate } from '../../src/ldso/simulation/simulate.ts';
import { answerOf, askLoader } from './ask-loader.ts';

/** What one comparison came to. */
export interface Tally {
  compared: number;
  same: number;
  /** Those whose list was complete. */
  loaded: number;
  /** Of the first few that differ. */
  readonly differences: string[];
}

export function emptyTally(): Tally {
  return { compared: 0, same: 0, loaded: 0, differences: [] };
}

const elves = new Map<string, Probe>();

/** The object at `path`, if it is one that a glibc loader of this class would be started for. */
function programAt(path: string, wanted: 32 | 64): ElfFile | undefined {
  const probe = filesOfMachine(elves).probe(path);
  if (probe.kind !== 'elf' || !probe.elf.dynamic || probe.elf.class !== wanted) return undefined;
  return probe.elf.interpreter?.includes('ld-linux') ? probe.elf : undefined;
}

/** Dynamic programs of a directory by their real paths, sorted. */
export function programsIn(directory: string, loader: Loader): string[] {
  const paths = readdirSync(directory).flatMap((name) => {
    try {
      return [realpathSync(join(directory, name))];
    } catch {
      return [];
    }
  });
  return [...new Set(paths)].sort().filter((path) => programAt(path, loader.elf.class));
}

/** List, status and words of one start. */
export function compareProgram(tally: Tally, loader: Loader, program: string, libraryPath: string): void {
  const elf = programAt(program, loader.elf.class);
  if (elf === undefined) throw new Error(`${program} is no program for ${loader.path}`);
  const trace = simulate({
    program: { path: program, elf },
    loader,
    libraryPath,
    files: filesOfMachine(elves),
  });
  const simulated = answerOf(trace);
  const asked = askLoader({ loader: loader.path, program, libraryPath, cwd: process.cwd() });
  tally.compared += 1;
  if (isDeepStrictEqual(simulated, asked)) {
    tally.same += 1;
    if (asked.status === 0) tally.loaded += 1;
  } else if (tally.differences.length < 3) {
    const lines = [`${loader.path} --library-path '${libraryPath}' ${program}`, simulated, asked];
    tally.differences.push(lines.map((line) => JSON.stringify(line, null, 1)).join('\n'));
  }
}
