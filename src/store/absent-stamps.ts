// A source that lacked a program's fingerprint → not asked again on the same day, by an empty file.
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { sha256OfText } from '../platform/content-hash.ts';

/** Where the stamps are, and which day it is: `2024-02-29`. */
export interface Stamps {
  readonly directory: string;
  readonly day: string;
}

/** `2024-02-29`, in UTC: a day must not begin twice. */
export function dayOf(time: Date): string {
  return time.toISOString().slice(0, 10);
}

/** `<directory>/<day>/<program>-<source>`: the source is hashed, because it may hold a password and slashes. */
function stampFile({ directory, day }: Stamps, source: string, sha256: string): string {
  return path.join(directory, day, `${sha256}-${sha256OfText(source).slice(0, 16)}`);
}

export function isStamped(stamps: Stamps, source: string, sha256: string): boolean {
  return existsSync(stampFile(stamps, source, sha256));
}

/** The first stamp of a day sweeps away the days before. A place that cannot be written is asked again, that is all. */
export function stamp(stamps: Stamps, source: string, sha256: string): void {
  const file = stampFile(stamps, source, sha256);
  try {
    const made = mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
    writeFileSync(file, '', { mode: 0o600 });
    if (made !== undefined) removeOtherDays(stamps);
  } catch {}
}

function removeOtherDays({ directory, day }: Stamps): void {
  for (const name of readdirSync(directory)) {
    if (/^\d{4}-\d\d-\d\d$/.test(name) && name !== day) {
      rmSync(path.join(directory, name), { recursive: true, force: true });
    }
  }
}
