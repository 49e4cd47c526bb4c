// A program as it was named → work on a fingerprint from elsewhere, with the program's lock held.
import path from 'node:path';
import { planKey } from '../launch/plan-key.ts';
import { withLock } from '../platform/lock.ts';
import type { Search } from './arrivals.ts';
import type { Context } from './context.ts';
import { openProgram } from './open-program.ts';
import { openSearch } from './plan-from-elsewhere.ts';
import { inUsablePlace } from './usable-place.ts';

/** @throws ForeignError for what needs no fingerprint or is no program; whatever `work` throws. */
export async function withSearch<T>(
  given: string,
  context: Context,
  work: (search: Search) => Promise<T>,
): Promise<T> {
  const { subject, sha256 } = openProgram(given, context);
  return await inUsablePlace(context.surroundings.uid, (place) =>
    withLock(path.join(place.locks, planKey(subject.program.path)), async () => {
      const search = await openSearch(subject, sha256, context, place);
      try {
        return await work(search);
      } finally {
        search.pinners.close();
      }
    }),
  );
}
