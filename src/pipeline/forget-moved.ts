// A content that was planned at several paths → only those paths where a program still is.
import { lstatSync, rmSync } from 'node:fs';
import path from 'node:path';
import { rootLink } from '../fingerprint/records.ts';
import { readPlanFile } from '../launch/plan-files.ts';
import type { Place } from '../platform/places.ts';
import { debug } from '../platform/report.ts';
import { keysPinning } from '../roots/links-of-program.ts';
import { unpin } from '../roots/pin.ts';

/** Forgets plan and root of every path of this content at which nothing is any more: it was moved or renamed. */
export function forgetMoved(place: Place, sha256: string): void {
  for (const key of keysPinning(place, sha256)) {
    const file = path.join(place.plans, key);
    const plan = readPlanFile(file);
    if (plan === undefined || lstatSync(plan.program, { throwIfNoEntry: false }) !== undefined) continue;
    debug(`${plan.program} is gone; its plan and its root go too`);
    rmSync(file, { force: true });
    unpin(rootLink(place, sha256, key));
  }
}
