// What a user decided of a program → a file in the state directory by which the launcher leaves the plan for everybody.
import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';
import { choicesFile } from '../choices/choices-file.ts';
import { writeFileDurably } from '../host/atomic-file.ts';
import type { Directories } from '../host/directories.ts';
import { makeDirectories } from '../host/files.ts';
import { withLock } from '../host/mutex.ts';
import { planKey, type Strategy } from './plan-format.ts';
import { saveStrategy, strategyFile } from './strategy.ts';

/** Where the launcher looks; whatever is in it (PLAN.md). */
function markFile(dirs: Directories, program: string): string {
  return path.join(path.dirname(dirs.roots), 'decided', planKey(program));
}

function isAnythingSaved(dirs: Directories, program: string): boolean {
  return [choicesFile(dirs, planKey(program)), strategyFile(dirs, program)].some((file) => existsSync(file));
}

/** Also true where choices were removed by hand: the launcher asks no more than the mark. */
export function hasDecisions(dirs: Directories, program: string): boolean {
  return existsSync(markFile(dirs, program)) || isAnythingSaved(dirs, program);
}

/**
 * Before something is saved, whatever ends us in between; both under the program's lock.
 * @throws Node's errors when the place cannot be written.
 */
export function markDecided(dirs: Directories, program: string): void {
  const file = markFile(dirs, program);
  if (existsSync(file)) return;
  makeDirectories(path.dirname(file));
  writeFileDurably(file, 'by hand\n');
}

/** When nothing is saved any more. @throws Node's errors when the place cannot be written. */
export function unmarkUndecided(dirs: Directories, program: string): void {
  if (!isAnythingSaved(dirs, program)) rmSync(markFile(dirs, program), { recursive: true, force: true });
}

/**
 * Saves a strategy, or forgets it: undefined. Under the program's lock: who takes choices back at the same time would
 * remove the mark of it. @throws Node's errors when the place cannot be written.
 */
export async function decideStrategy(
  program: string,
  strategy: Strategy | undefined,
  dirs: Directories,
  others: readonly Directories[],
): Promise<void> {
  await withLock(path.join(dirs.locks, planKey(program)), async () => {
    if (strategy !== undefined && dirs.shared !== true) markDecided(dirs, program);
    saveStrategy(dirs, program, strategy);
    for (const each of others) saveStrategy(each, program, undefined);
    for (const each of [dirs, ...others]) unmarkUndecided(each, program);
  });
}
