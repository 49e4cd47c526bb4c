// The farms directory → only the farms that a plan still names.
import { readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { temporaryName, writeFileAtomically } from '../platform/atomic-file.ts';
import type { Place } from '../platform/places.ts';
import { debug } from '../platform/report.ts';
import { listPlans } from './plan-files.ts';

/** Milliseconds between two looks. */
const DAY = 24 * 60 * 60 * 1000;

function unusedFarms(place: Place): string[] {
  let names: string[];
  try {
    names = readdirSync(place.farms);
  } catch {
    return [];
  }
  const used = new Set(listPlans(place).flatMap(({ directories }) => directories));
  return names.filter((name) => /^[0-9a-f]{32}$/.test(name) && !used.has(path.join(place.farms, name)));
}

/** Moved aside and looked for again: whoever writes a plan looks after that whether its farm is there (NOTES.md). */
function removeUnlessTaken(place: Place, name: string): void {
  const farm = path.join(place.farms, name);
  const aside = temporaryName(farm);
  try {
    renameSync(farm, aside);
    if (listPlans(place).some(({ directories }) => directories.includes(farm))) renameSync(aside, farm);
  } catch {} // somebody else moved it, or made it again
  rmSync(aside, { recursive: true, force: true });
}

/** Removes farms that no plan of the place uses. A program that is running has its libraries mapped already. */
export function collectFarms(place: Place): void {
  for (const name of unusedFarms(place)) removeUnlessTaken(place, name);
}

/** What the last look found unused; its time is that of the look. */
function stampFile(place: Place): string {
  return path.join(place.cache, 'unused-farms');
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
export function collectFarmsDaily(place: Place): void {
  const stamp = stampFile(place);
  try {
    if (!isDue(stamp)) return;
    const [before, unused] = [unusedBefore(stamp), unusedFarms(place)];
    writeFileAtomically(stamp, unused.join('\n'));
    const old = unused.filter((name) => before.has(name));
    for (const name of old) removeUnlessTaken(place, name);
    debug(`${unused.length} farms have no plan, ${old.length} of them are removed`);
  } catch (error) {
    debug(`farms were not looked through: ${String(error)}`);
  }
}
