// A place → every root in it with the program that it is for, when that was last started, and whether it may go.
import { lstatSync, type Stats } from 'node:fs';
import path from 'node:path';
import type { LaunchPlan } from '../launch/plan.ts';
import { readPlanFile } from '../launch/plan-files.ts';
import { sha256OfFile } from '../platform/content-hash.ts';
import { identityOf } from '../platform/identity.ts';
import type { Place } from '../platform/places.ts';
import { allLinks } from '../roots/links-of-program.ts';
import { pinned } from '../roots/pin.ts';

const DAY = 24 * 60 * 60 * 1000;

export interface RootRow {
  /** The link. */
  readonly link: string;
  /** The store object that is the fingerprint. */
  readonly storePath: string;
  readonly sha256: string;
  /** Undefined where the plan is gone: a cache was deleted. The next start makes it anew. */
  readonly plan: LaunchPlan | undefined;
  /** Milliseconds since 1970; exact to a day (launch/PLAN.md). */
  readonly lastUse: number;
  /** Why nobody needs it any more, whenever it was used. */
  readonly expired: 'the program is gone' | 'the program changed' | undefined;
}

function statusOf(file: string): Stats | undefined {
  try {
    return lstatSync(file, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** What cannot be looked at now (EACCES in another's directory, ESTALE or EIO of a network's) may be there. */
function isGone(program: string): boolean {
  try {
    lstatSync(program);
    return false;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' || code === 'ENOTDIR';
  }
}

/** Only when they were made or touched counts: Nix reads the link, and backups read the plan, which changes their other time. */
function lastUseOf(link: string, file: string): number {
  return Math.max(statusOf(link)?.mtimeMs ?? 0, statusOf(file)?.mtimeMs ?? 0);
}

/** A touched program of the same content needs its root still. */
function hasChanged(plan: LaunchPlan, sha256: string): boolean {
  try {
    return identityOf(plan.program) !== plan.identity && sha256OfFile(plan.program) !== sha256;
  } catch {
    return false; // it cannot be read now, which says nothing
  }
}

function expiryOf(plan: LaunchPlan | undefined, sha256: string): RootRow['expired'] {
  if (plan === undefined) return undefined;
  if (isGone(plan.program)) return 'the program is gone';
  return hasChanged(plan, sha256) ? 'the program changed' : undefined;
}

/** Sorted by program, those without a plan last. */
export function keptRoots(place: Place): RootRow[] {
  const rows = allLinks(place).map((link): RootRow | undefined => {
    const storePath = pinned(link);
    if (storePath === undefined) return undefined;
    const sha256 = path.basename(path.dirname(link));
    const file = path.join(place.plans, path.basename(link));
    const plan = readPlanFile(file);
    const lastUse = lastUseOf(link, file);
    return { link, storePath, sha256, plan, lastUse, expired: expiryOf(plan, sha256) };
  });
  const nameOf = ({ plan, link }: RootRow) => plan?.program ?? `\uffff${link}`;
  return rows.filter((row) => row !== undefined).sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
}

/** Why a root may go; undefined for one that is needed. `unused`: in days; `now` in milliseconds since 1970. */
export function whyPrunable(row: RootRow, unused: number | undefined, now: number): string | undefined {
  if (row.expired !== undefined) return row.expired;
  const days = Math.floor((now - row.lastUse) / DAY);
  return unused !== undefined && days >= unused ? `not started for ${days} days` : undefined;
}
