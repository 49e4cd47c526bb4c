// A record of patched files → whether one of them is where it was, was moved, or is gone with its content.
import { lstatSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import type { Directories } from '../../host/directories.ts';
import { DAY, isGone } from '../../host/files.ts';
import { mayNameFarm, namesFarm } from './patched-rows.ts';
import { missingMark, type PatchedRecord } from './patched-state.ts';
import { readUndoText } from './undo-record.ts';

type StatePlace = Pick<Directories, 'state'>;

type PatchedFate =
  | { readonly kind: 'there' }
  /** Files that name the farm, found near where they were. */
  | { readonly kind: 'moved'; readonly files: readonly string[] }
  /** `since`: milliseconds since 1970 of when that was seen first. */
  | { readonly kind: 'gone'; readonly since: number };

/** A patched file that is nowhere may come back from a disk that is not mounted. In days. */
export const LONGEST_ABSENCE = 30;

/** More is not looked at: nearest directories first. */
const MOST_ENTRIES = 200_000;
const MOST_TIME = 10_000;

/** The directories above the file that are there, the nearest first, without the root directory. */
function directoriesAbove(file: string): string[] {
  const above = path.dirname(file);
  return above === file || above === '/' ? [] : [above, ...directoriesAbove(above)];
}

function* filesNear(starts: readonly string[]): Generator<string> {
  const queue = [...new Set(starts)];
  const seen = new Set(queue);
  const end = Date.now() + MOST_TIME;
  let entries = 0;
  for (let directory = queue.shift(); directory !== undefined; directory = queue.shift()) {
    if (['/proc', '/sys', '/dev', '/nix/store'].includes(directory)) continue;
    for (const entry of entriesOf(directory)) {
      entries += 1;
      if (entries > MOST_ENTRIES || Date.now() > end) return;
      const file = path.join(directory, entry.name);
      if (entry.isFile()) yield file;
      else if (entry.isDirectory() && !seen.has(file)) {
        seen.add(file);
        queue.push(file);
      }
    }
  }
}

function entriesOf(directory: string) {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch {
    return [];
  }
}

/** Sizes of the patched files, so that few others are read. */
function sizesOf({ undo }: PatchedRecord): Set<number> {
  return new Set((readUndoText(undo) ?? []).map(({ size, added }) => size + (added?.length ?? 0)));
}

function homeOf(): string[] {
  try {
    return [homedir()];
  } catch {
    return []; // a user without a home directory
  }
}

function filesNaming(
  dirs: StatePlace,
  farm: string,
  starts: readonly string[],
  mayBe: (file: string) => boolean,
): string[] {
  const found: string[] = [];
  for (const file of filesNear(starts))
    if (mayBe(file) && namesFarm(dirs, file, farm) === true) found.push(file);
  return found;
}

/** Changes nothing. Where no file is left in its place the directories around are searched, and the user's home. */
export function fateOf(dirs: StatePlace, record: PatchedRecord, now: number): PatchedFate {
  const { farm, files, former = [] } = record;
  if (files.some((file) => mayNameFarm(dirs, file, farm))) return { kind: 'there' };
  const starts = [...[...files, ...former].flatMap(directoriesAbove), ...homeOf()];
  const sizes = sizesOf(record);
  const hasSize = (file: string) => sizes.has(lstatSync(file, { throwIfNoEntry: false })?.size ?? -1);
  const unchanged = filesNaming(dirs, farm, starts, hasSize);
  // What strip(1) made of a file has another size.
  const found = unchanged.length > 0 ? unchanged : filesNaming(dirs, farm, starts, () => true);
  if (found.length > 0) return { kind: 'moved', files: found };
  return { kind: 'gone', since: markedAt(dirs, farm) ?? now };
}

function markedAt(dirs: StatePlace, farm: string): number | undefined {
  return lstatSync(missingMark(dirs, farm), { throwIfNoEntry: false })?.mtimeMs;
}

/** Files that were unpatched or replaced are there, and a patched copy of them may be somewhere. */
export function absenceWords({ files, former = [] }: PatchedRecord): {
  readonly why: string;
  readonly kept: string;
} {
  return [...files, ...former].every(isGone)
    ? { why: 'the patched file is gone', kept: 'no such file was found' }
    : {
        why: 'it is not patched any more',
        kept: 'it is not patched any more, and no patched copy was found',
      };
}

/**
 * Why the next prune drops the root, if it finds no such file elsewhere; undefined where none was missed for long.
 * Searches nothing. `now`: milliseconds since 1970.
 */
export function whyMissed(dirs: StatePlace, record: PatchedRecord, now: number): string | undefined {
  const { farm, files, pending } = record;
  const since = markedAt(dirs, farm);
  if (pending || since === undefined || now - since < LONGEST_ABSENCE * DAY) return undefined;
  return files.some((file) => mayNameFarm(dirs, file, farm)) ? undefined : absenceWords(record).why;
}

/** From now on it is known since when no file names the farm; `there` and `moved` end that. @throws errno errors. */
export function noteFate(dirs: StatePlace, farm: string, fate: PatchedFate): void {
  const mark = missingMark(dirs, farm);
  if (fate.kind !== 'gone') rmSync(mark, { force: true });
  else if (lstatSync(mark, { throwIfNoEntry: false }) === undefined) writeFileSync(mark, '');
}
