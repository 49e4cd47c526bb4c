// A program's real path → the strategy that the user wants for it, in the state directory like other decisions.
import { closeSync, constants, fstatSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { writeFileDurably } from '../platform/atomic-file.ts';
import type { Place } from '../platform/places.ts';
import { isStrategy, type Strategy } from './plan.ts';
import { planKey } from './plan-key.ts';

const MAXIMUM_SIZE = 1 << 13;

function fileOf(place: Place, program: string): string {
  return path.join(path.dirname(place.roots), 'strategies', planKey(program));
}

/** As with plans: what somebody else could have written is not believed (PLAN.md). */
function readOwn(file: string): string | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stats = fstatSync(fd);
    const ours = stats.uid === (process.geteuid?.() ?? 0) || stats.uid === 0;
    const believed = stats.isFile() && ours && (stats.mode & 0o022) === 0 && stats.size <= MAXIMUM_SIZE;
    return believed ? readFileSync(fd, 'utf8') : undefined;
  } catch {
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** The first believed wish; undefined where there is none or what is there is damaged. */
export function readStrategy(places: readonly Place[], program: string): Strategy | undefined {
  for (const place of places) {
    const [strategy, of, rest] = readOwn(fileOf(place, program))?.split('\n') ?? [];
    if (of === program && rest === '' && isStrategy(strategy)) return strategy;
  }
  return undefined;
}

/** Keeps a wish, or forgets it: undefined. @throws Node's errors when the place cannot be written. */
export function keepStrategy(place: Place, program: string, strategy: Strategy | undefined): void {
  const file = fileOf(place, program);
  if (strategy === undefined) {
    rmSync(file, { recursive: true, force: true });
    return;
  }
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  writeFileDurably(file, `${strategy}\n${program}\n`);
}
