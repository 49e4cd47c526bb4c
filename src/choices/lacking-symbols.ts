// A set, the library that serves a name and another one that could → the symbols that the other one would leave undefined.
import type { Problem, Provider, Requirer } from '../candidates/problem.ts';
import type { ChosenSet } from './weigh-candidates.ts';

/** A symbol without version that is looked up, and who wants it. */
interface Wanted {
  readonly symbol: string;
  readonly by: Requirer;
}

export interface LackingSymbols {
  /** The first object that would miss something, and all that it would miss, sorted. */
  readonly by: string;
  readonly symbols: readonly string[];
}

/** What others in the set find nowhere but in the winner: who defines a symbol does not matter (candidates/NOTES.md). */
function onlyIn(winner: Provider, problem: Problem, set: ChosenSet): Wanted[] {
  const { symbols } = problem;
  if (symbols === undefined) return [];
  const family = [...set.loader.family.values()].map(({ path }) => path);
  const objects = [...problem.roots, ...problem.bundled.values(), ...set.providers.values()];
  const others = new Set([...objects.map(({ path }) => path), ...family, set.loader.path]);
  others.delete(winner.path);
  return objects
    .filter(({ path }) => path !== winner.path)
    .flatMap((by) => symbols.wantedBy(by.path).map((symbol) => ({ symbol, by })))
    .filter(({ symbol }) => symbols.definedBy(winner.path, symbol))
    .filter(
      ({ symbol, by }) => ![...others].some((each) => each !== by.path && symbols.definedBy(each, symbol)),
    )
    .filter(({ symbol, by }) => symbols.boundAt(by.path, symbol) !== 'never');
}

function first(
  lacks: readonly { readonly by: Requirer; readonly symbol: string }[],
): LackingSymbols | undefined {
  const [one] = lacks;
  if (one === undefined) return undefined;
  const symbols = lacks.filter(({ by }) => by === one.by).map(({ symbol }) => symbol);
  return { by: one.by.label, symbols: [...new Set(symbols)].sort() };
}

/** Of another version of the library: what those who need it would miss in it. */
function lacksAsClosest(
  problem: Problem,
  needers: readonly Requirer[],
  name: string,
  other: Provider,
): LackingSymbols | undefined {
  const { closest } = problem;
  if (other.match !== 'closest' || closest === undefined) return undefined;
  const lacks = needers.flatMap((by) => {
    const { missing, missingVersions } = closest.coverage(by, name, other);
    return [...missing, ...(other.hasVerdef ? [] : missingVersions)].map((symbol) => ({ by, symbol }));
  });
  return first(lacks);
}

/**
 * A function that judges candidates of a name. Symbols are read when it is first asked. What a candidate would bring
 * along counts as well, one step far.
 */
export function lackingSymbols(
  problem: Problem,
  set: ChosenSet,
  name: string,
  needers: readonly Requirer[],
): (other: Provider) => LackingSymbols | undefined {
  const winner = set.providers.get(name);
  let wanted: readonly Wanted[] | undefined;
  const brings = (other: Provider, symbol: string): boolean =>
    [
      other,
      ...other.needed.flatMap((each) => (set.providers.has(each) ? [] : problem.providersOf(each))),
    ].some(({ path }) => problem.symbols?.definedBy(path, symbol) ?? true);
  return (other) => {
    const lacks = lacksAsClosest(problem, needers, name, other);
    if (lacks !== undefined || winner === undefined) return lacks;
    wanted ??= onlyIn(winner, problem, set);
    return first(wanted.filter(({ symbol, by }) => by.path !== other.path && !brings(other, symbol)));
  };
}
