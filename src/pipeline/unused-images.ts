// A place → the AppImages unpacked in it that nobody needs any more, and why.
import { statSync } from 'node:fs';
import type { LaunchPlan } from '../launch/plan.ts';
import { listPlans, planFile } from '../launch/plan-files.ts';
import { unpackedOf } from '../launch/unpacked.ts';
import { sha256OfFile } from '../platform/content-hash.ts';
import { identityOf } from '../platform/identity.ts';
import type { Place } from '../platform/places.ts';

const DAY = 24 * 60 * 60 * 1000;

export interface UnusedImage {
  /** The AppImage. */
  readonly program: string;
  readonly why: string;
}

/** Milliseconds since 1970; exact to a day (launch/PLAN.md). */
function lastUseOf(file: string): number {
  const stats = statSync(file, { throwIfNoEntry: false });
  return stats === undefined ? 0 : Math.max(stats.atimeMs, stats.mtimeMs);
}

/** A touched AppImage of the same content needs its files still. */
function whyExpired({ program, identity, sha256 }: LaunchPlan): string | undefined {
  if (statSync(program, { throwIfNoEntry: false }) === undefined) return 'the program is gone';
  try {
    const changed = identityOf(program) !== identity && sha256OfFile(program) !== sha256;
    return changed ? 'the program changed' : undefined;
  } catch {
    return undefined; // it cannot be read now, which says nothing
  }
}

/** `unused`: in days; `now` in milliseconds since 1970. Sorted by program. */
export function unusedImages(place: Place, unused: number | undefined, now: number): UnusedImage[] {
  const images = listPlans(place).filter(({ directories }) =>
    directories.some((directory) => unpackedOf(place, directory) !== undefined),
  );
  return images.flatMap((plan) => {
    const days = Math.floor((now - lastUseOf(planFile(place, plan.program))) / DAY);
    const idle = unused !== undefined && days >= unused ? `not started for ${days} days` : undefined;
    const why = whyExpired(plan) ?? idle;
    return why === undefined ? [] : [{ program: plan.program, why }];
  });
}
