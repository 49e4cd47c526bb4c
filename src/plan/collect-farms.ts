// The farms, patched copies and unpacked AppImages of a place → only those that a plan still names.
import { readdirSync, readFileSync, readlinkSync, renameSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { unpin } from '../fingerprint/saved-fingerprints.ts';
import { temporaryName, writeFileAtomically } from '../host/atomic-file.ts';
import type { Directories } from '../host/directories.ts';
import { DAY, namesIn } from '../host/files.ts';
import { debug } from '../host/output.ts';
import {
  copiesDirectory,
  copyOf,
  unpackedDirectory,
  unpackedOf,
  VIEW_MARK,
  viewsDirectory,
} from './copy-directories.ts';
import { listPlans, removePlansBelow } from './plan-files.ts';
import { runTimesDirectory } from './run-time-record.ts';
import { removeRunTimeRoots, runTimeRoots } from './run-time-roots.ts';

function farmNamesIn(directory: string): string[] {
  return namesIn(directory).filter((name) => /^[0-9a-f]{32}$/.test(name));
}

/** What proc(5) tells of a process of this user, or of another that may be looked at. */
interface RunningProcess {
  /** Its words, its environment, its mapped files, its program and its working directory. */
  readonly text: string;
  /** Whether such a link is in its root directory. */
  hasLink(path: string): boolean;
}

function orNothing(read: () => string): string {
  try {
    return read();
  } catch {
    return ''; // it has ended, or is somebody else's
  }
}

/** None where there is no /proc. Never throws. */
function runningProcesses(): RunningProcess[] {
  let pids: string[] = [];
  try {
    pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {}
  return pids.map((pid) => {
    const files = ['cmdline', 'environ', 'maps'].map((name) =>
      orNothing(() => readFileSync(`/proc/${pid}/${name}`, 'latin1')),
    );
    const links = ['exe', 'cwd'].map((name) => orNothing(() => readlinkSync(`/proc/${pid}/${name}`)));
    return {
      text: [...files, ...links].join('\n'),
      hasLink: (path) => orNothing(() => readlinkSync(`/proc/${pid}/root${path}`)) !== '',
    };
  });
}

/** A plan that cannot be read now may name a farm. */
function fail(error: unknown): never {
  throw error;
}

/**
 * Absolute paths of those that no plan names and no process needs. A patched copy has a plan of its own, which keeps
 * nothing: `listPlans` leaves it out.
 */
function unusedDirectories(dirs: Directories): string[] {
  const places = [
    dirs.farms,
    copiesDirectory(dirs),
    unpackedDirectory(dirs),
    runTimesDirectory(dirs),
    viewsDirectory(dirs),
  ];
  const all = places.flatMap((directory) => farmNamesIn(directory).map((name) => path.join(directory, name)));
  const used =
    all.length === 0 ? new Set() : new Set(listPlans(dirs, fail).flatMap(({ directories }) => directories));
  return withoutNeeded(
    dirs,
    all.filter((directory) => !used.has(directory)),
  );
}

/**
 * Of these, those that no process needs: it may still open libraries from one, start children by one, or read what it
 * was unpacked to. Which of the views a process is in cannot be told, so then all are needed.
 */
function withoutNeeded(dirs: Directories, directories: readonly string[]): string[] {
  if (directories.length === 0) return [];
  const processes = runningProcesses();
  const isViewNeeded = processes.some((each) => each.hasLink(VIEW_MARK));
  return directories.filter((directory) => {
    const isView = path.dirname(directory) === viewsDirectory(dirs);
    return !(isView && isViewNeeded) && !processes.some(({ text }) => text.includes(directory));
  });
}

/** What lay in a copy was pinned for the program itself; what lay in an AppImage was pinned for its own sake. */
function forgetBelow(dirs: Directories, directory: string): void {
  if (path.dirname(directory) === runTimesDirectory(dirs))
    removeRunTimeRoots({ directory: runTimeRoots(dirs, directory) });
  const unpacked = unpackedOf(dirs, directory) !== undefined;
  if (!unpacked && copyOf(dirs, directory) === undefined) return;
  for (const { root } of removePlansBelow(dirs, directory))
    if (unpacked && root?.startsWith(`${dirs.roots}/`)) unpin(root);
}

/** True as well where that cannot be told: a failing disk, too many open files. */
function isNamed(dirs: Directories, directory: string): boolean {
  try {
    return listPlans(dirs, fail).some(({ directories }) => directories.includes(directory));
  } catch {
    return true;
  }
}

/** Moved aside and looked for again: whoever writes a plan looks after that whether its farm is there (NOTES.md). */
function removeUnlessTaken(dirs: Directories, directory: string): void {
  const aside = temporaryName(directory);
  try {
    renameSync(directory, aside);
    if (isNamed(dirs, directory)) renameSync(aside, directory);
    else forgetBelow(dirs, directory);
  } catch {} // somebody else moved it, or made it again
  rmSync(aside, { recursive: true, force: true });
}

/** Removes farms and copies that no plan of the place and no process uses; none where a plan cannot be read now. */
export function collectFarms(dirs: Directories): void {
  let unused: string[] = [];
  try {
    unused = unusedDirectories(dirs);
  } catch (error) {
    debug(`farms are not collected: ${String(error)}`);
  }
  for (const directory of unused) removeUnlessTaken(dirs, directory);
}

/** What the last look found unused; its time is that of the look. */
function stampFile(dirs: Directories): string {
  return path.join(dirs.cache, 'unused-farms');
}

function isDue(stamp: string): boolean {
  const stats = statSync(stamp, { throwIfNoEntry: false });
  return stats === undefined || Math.abs(Date.now() - stats.mtimeMs) >= DAY;
}

function unusedBefore(stamp: string): Set<string> {
  try {
    return new Set(readFileSync(stamp, 'utf8').split('\n'));
  } catch {
    return new Set();
  }
}

/**
 * The same, at most once a day, and only for farms that were unused a day ago already: plans are replaced now and then
 * without anybody saying `forget`. Costs one stat(2) otherwise. Never throws.
 */
export function collectFarmsDaily(dirs: Directories): void {
  const stamp = stampFile(dirs);
  try {
    if (!isDue(stamp)) return;
    const [before, unused] = [unusedBefore(stamp), unusedDirectories(dirs)];
    writeFileAtomically(stamp, unused.map((each) => path.basename(each)).join('\n'));
    const old = unused.filter((directory) => before.has(path.basename(directory)));
    for (const directory of old) removeUnlessTaken(dirs, directory);
    debug(`${unused.length} farms and copies have no plan, ${old.length} of them are removed`);
  } catch (error) {
    debug(`farms were not looked through: ${String(error)}`);
  }
}
