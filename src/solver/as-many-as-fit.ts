// Things in their order, and whether some of them fit together → those that do, in few questions. Pure.
import type { Requirer } from '../candidates/problem.ts';
import type { Solution, Undecided } from './solution.ts';
import type { NoSet } from './solve.ts';

/** `unfit`: not all of them, and `never` none of these with any of the others. `undecided`: no time is left to tell. */
export type Fit<T> =
  | { readonly kind: 'fits' }
  | { readonly kind: 'unfit'; readonly never: ReadonlySet<T> }
  | { readonly kind: 'undecided' };

/** What a search with the objects of all things says of them. One that took too long may succeed with fewer. */
export function fitOf<T>(
  outcome: Solution | Undecided | NoSet,
  things: readonly T[],
  objectsOf: (thing: T) => readonly Requirer[],
): Fit<T> {
  if (outcome.kind === 'solution') return { kind: 'fits' };
  const isUnserved = ({ path }: Requirer) => outcome.kind === 'none' && outcome.unserved.has(path);
  return { kind: 'unfit', never: new Set(things.filter((each) => objectsOf(each).some(isUnserved))) };
}

/**
 * The first, and each later one that fits beside those taken before it. What fits together has to fit also with some of
 * it left out: then all are asked for at once, and of those that do not fit each half, so that a few that do not fit
 * among hundreds cost few questions.
 * @param instead what to try in place of one that does not fit
 */
export function asManyAsFit<T>(
  things: readonly T[],
  fits: (all: readonly T[]) => Fit<T>,
  instead: (unfit: T) => T | undefined = () => undefined,
): T[] {
  const taken: T[] = [];
  /** `isUnfit`: it is known that they do not fit together. @returns whether all were taken as they are */
  const take = (some: readonly T[], isUnfit: boolean): boolean => {
    const [first] = some;
    if (first === undefined) return true;
    if (!isUnfit) {
      const fit = fits([...taken, ...some]);
      if (fit.kind === 'fits') taken.push(...some);
      if (fit.kind !== 'unfit') return fit.kind === 'fits';
      const { never } = fit;
      if (some.some((each) => never.has(each))) {
        const rest = some.flatMap((each) => (never.has(each) ? (instead(each) ?? []) : [each]));
        take(rest, false);
        return false;
      }
    }
    if (some.length === 1) {
      const other = instead(first);
      if (other !== undefined) take([other], false);
      return false;
    }
    const middle = Math.ceil(some.length / 2);
    const isFirstTaken = take(some.slice(0, middle), false);
    take(some.slice(middle), isFirstTaken);
    return false;
  };
  take(things, false);
  return taken;
}
