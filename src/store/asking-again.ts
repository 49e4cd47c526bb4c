// A catalogue that stays open while somebody looks at it → one whose questions are asked again where they get no lock.
import type { Catalogue, Popularity } from './catalogue.ts';
import { isBusy, LOCK_PATIENCE } from './sqlite-error.ts';

function waitNow(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

/** Each question alone: what was done with the answers before it, such as a dialogue, is not done once more. */
function askingFor<Words extends unknown[], Answer>(
  question: (...words: Words) => Answer,
): (...words: Words) => Answer {
  return (...words) => {
    for (const until = Date.now() + LOCK_PATIENCE.longest; ; ) {
      try {
        return question(...words);
      } catch (error) {
        if (!isBusy(error) || Date.now() > until) throw error;
        waitNow(LOCK_PATIENCE.between);
      }
    }
  };
}

function popularityAskingAgain(popularity: Popularity | undefined): Pick<Catalogue, 'popularity'> {
  if (popularity === undefined) return {};
  const { referrersOf, closureSizeOf } = popularity;
  return {
    popularity: { referrersOf: askingFor(referrersOf), closureSizeOf: askingFor(closureSizeOf) },
  };
}

/** Work that can be done anew as a whole has `withStore`. */
export function askingAgain(catalogue: Catalogue): Catalogue {
  return {
    ...catalogue,
    ...popularityAskingAgain(catalogue.popularity),
    objectNames: askingFor(catalogue.objectNames),
    librariesOffering: askingFor(catalogue.librariesOffering),
    namesBeginning: askingFor(catalogue.namesBeginning),
    librariesBySoname: askingFor(catalogue.librariesBySoname),
    librariesIn: askingFor(catalogue.librariesIn),
    objectsNaming: askingFor(catalogue.objectsNaming),
    memo: askingFor(catalogue.memo),
    counts: askingFor(catalogue.counts),
  };
}
