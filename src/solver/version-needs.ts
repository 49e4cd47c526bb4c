// What one object needs of a file, and what the file defines → the version that is missing.
import type { Problem, Requirer } from '../candidates/problem.ts';
import type { Verneed } from '../elf/elf-file.ts';
import { compareVersions } from '../elf/versions.ts';

/** The side that serves a name, as far as versions go. */
export interface VersionTable {
  readonly verdef: readonly string[];
  readonly hasVerdef: boolean;
  readonly hasVersym: boolean;
}

export type Versions = Verneed['versions'];

const NONE: Versions = [];

/**
 * The names an object needs served, in load order (DT_NEEDED, then files that only its version needs name), each
 * with all the versions needed of it, weak ones included.
 */
export function needsOf(requirer: Requirer): ReadonlyMap<string, Versions> {
  const needs = new Map<string, Versions>();
  for (const name of requirer.needed) needs.set(name, NONE);
  for (const { file, versions } of requirer.verneed) {
    const known = needs.get(file);
    needs.set(file, known?.length ? [...known, ...versions] : versions);
  }
  return needs;
}

/** What it needs, and of a driver the drivers that it brings along; the rest of these the problem does not have. */
export function namesLoadedBy(object: Requirer, bundled: Problem['bundled']): string[] {
  return [
    ...needsOf(object).keys(),
    ...(object.broughtAlong ?? []).filter((name) => bundled.get(name)?.isDriver),
  ];
}

/** The same as `needsOf(requirer).has(name)`, without making the map. */
export const isNeededBy = (requirer: Requirer, name: string): boolean =>
  requirer.needed.includes(name) || requirer.verneed.some(({ file }) => file === name);

/**
 * The highest version that `table` lacks, or undefined. A file without DT_VERDEF is accepted for any version: ld.so
 * only warns (glibc elf/dl-version.c, match_symbol); a missing weak version is a warning too.
 */
export function missingVersion(versions: Versions, table: VersionTable): string | undefined {
  if (!table.hasVerdef) return undefined;
  let worst: string | undefined;
  for (const { name, weak } of versions) {
    if (weak || table.verdef.includes(name)) continue;
    if (worst === undefined || compareVersions(name, worst) > 0) worst = name;
  }
  return worst;
}

/** The highest version in `defined` of the series `version` belongs to (`OPENSSL_3.2.0` → `OPENSSL_`). */
export function highestOfSeries(version: string, defined: readonly string[]): string | undefined {
  const series = seriesOf(version);
  let best: string | undefined;
  for (const name of defined) {
    if (seriesOf(name) === series && (best === undefined || compareVersions(name, best) > 0)) best = name;
  }
  return best;
}

const seriesOf = (version: string): string => /^[^0-9]*/.exec(version)?.[0] ?? '';
