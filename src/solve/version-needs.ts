// What one object needs of a file, and what the file defines -> the version that is missing.
import type { Verneed } from '../elf/elf-file.ts';
import type { Requirer } from './problem.ts';

/** The side that serves a name, as far as versions go. */
export interface VersionTable {
  readonly verdef: readonly string[];
  readonly hasVerdef: boolean;
  readonly hasVersym: boolean;
}

/** Names an object needs served, in load order: DT_NEEDED, then files that only its version needs name. */
export function namesNeeded(requirer: Requirer): readonly string[] {
  return [...new Set([...requirer.needed, ...requirer.verneed.map((need) => need.file)])];
}

/** All versions `requirer` needs of the file called `name`, weak ones included. */
export function versionsOf(requirer: Requirer, name: string): Verneed['versions'] {
  const needs = requirer.verneed.filter((need) => need.file === name);
  return needs.length === 1 ? (needs[0] as Verneed).versions : needs.flatMap((need) => need.versions);
}

/**
 * The highest version that `table` lacks, or undefined. A file without DT_VERDEF is accepted for any version: ld.so
 * only warns (glibc elf/dl-version.c, match_symbol); a missing weak version is a warning too.
 */
export function missingVersion(versions: Verneed['versions'], table: VersionTable): string | undefined {
  if (!table.hasVerdef) return undefined;
  let worst: string | undefined;
  for (const { name, weak } of versions) {
    if (weak || table.verdef.includes(name)) continue;
    if (worst === undefined || compareVersions(name, worst) > 0) worst = name;
  }
  return worst;
}

/** The highest version in `defined` of the series `version` belongs to (`OPENSSL_3.2.0` -> `OPENSSL_`). */
export function highestOfSeries(version: string, defined: readonly string[]): string | undefined {
  const series = seriesOf(version);
  let best: string | undefined;
  for (const name of defined) {
    if (seriesOf(name) === series && (best === undefined || compareVersions(name, best) > 0)) best = name;
  }
  return best;
}

const seriesOf = (version: string): string => /^[^0-9]*/.exec(version)?.[0] ?? '';

/** Orders `GLIBC_2.9` before `GLIBC_2.34`: runs of digits by value, the rest by code unit. */
export function compareVersions(a: string, b: string): number {
  const left = a.match(/\d+|\D+/g) ?? [];
  const right = b.match(/\d+|\D+/g) ?? [];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const x = left[i] as string;
    const y = right[i] as string;
    if (x === y) continue;
    const numeric = Number(x) - Number(y);
    if (numeric) return numeric;
    return x < y ? -1 : 1;
  }
  return left.length - right.length;
}
