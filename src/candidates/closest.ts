// A name that no library in the store has → libraries that are other versions of it, and how well each would serve.
import type { DynamicSymbol } from '../elf/read-symbols.ts';
import type { CataloguedLibrary } from '../store/catalogue.ts';
import { coverageOf, homelessOf, neededFrom, type Scope } from './coverage.ts';
import type { ClosestMatches, Judgement, Provider, Requirer } from './problem.ts';
import { rankOf } from './rank.ts';
import { distance, otherVersionsOf } from './soname-stem.ts';
import { serves, symbolReader } from './symbol-tables.ts';

export interface Closest extends ClosestMatches {
  /** Other versions of the library, nearest first. */
  providersOf(name: string): readonly Provider[];
}

/** The part of the catalogue that is asked, for the class and machine of the program. */
export interface Offers {
  namesBeginning(stem: string): readonly string[];
  librariesOffering(name: string): readonly CataloguedLibrary[];
}

/** More numbers than any version after `.so` has. */
const FAR = 100;

/** Ranks by the distance of the nearest of the names that the file answers to. */
function nearest(wanted: string, offers: Offers, toProvider: (library: CataloguedLibrary) => Provider) {
  const names = otherVersionsOf(wanted, offers.namesBeginning)
    .map((name) => ({ name, far: distance(wanted, name) }))
    .sort(
      (a, b) =>
        a.far[0] - b.far[0] || a.far[1] - b.far[1] || a.far[2] - b.far[2] || (a.name < b.name ? -1 : 1),
    );
  const found = new Map<string, Provider>();
  for (const { name, far } of names) {
    for (const library of offers.librariesOffering(name)) {
      const provider = toProvider(library);
      if (found.has(provider.path)) continue;
      const rank = rankOf(library, FAR * (1 + far[0]) + far[1] + far[2]);
      found.set(provider.path, { ...provider, match: 'closest', rank });
    }
  }
  return [...found.values()];
}

/** What an object lacks, whichever library is looked at for it. */
interface Lacking {
  readonly missing: readonly string[];
  readonly homeless: readonly DynamicSymbol[];
}

function isMissing(scope: Scope, name: string): boolean {
  return !scope.bundled.has(name) && !scope.isFamily(name) && scope.providersOf(name).length === 0;
}

/**
 * Closest matches within a scope, in which symbols without version count as needed from a library unless somebody else
 * has them: an exact library, or another version of one that is missing as well. Symbols are
 * read when they are first asked for.
 */
export function closestIn(
  scope: Scope,
  offers: Offers,
  toProvider: (library: CataloguedLibrary) => Provider,
): Closest {
  const symbolsOf = symbolReader();
  const providers = new Map<string, readonly Provider[]>();
  const needed = new Map<string, readonly DynamicSymbol[]>();
  const objects = new Map<string, Lacking>();
  const judgements = new Map<string, Map<string, Judgement>>();

  const providersOf = (name: string): readonly Provider[] => {
    let found = providers.get(name);
    if (found === undefined) {
      found = nearest(name, offers, toProvider);
      providers.set(name, found);
    }
    return found;
  };
  const someDefines = (name: string, symbol: DynamicSymbol): boolean =>
    providersOf(name).some((each) => serves(symbol, symbolsOf(each.path).defined.get(symbol.name)));

  const lackingIn = (by: Requirer): Lacking => {
    let lacking = objects.get(by.path);
    if (lacking === undefined) {
      const missing = by.needed.filter((each) => isMissing(scope, each));
      lacking = { missing, homeless: homelessOf(scope, by, symbolsOf) };
      objects.set(by.path, lacking);
    }
    return lacking;
  };

  const neededBy = (by: Requirer, name: string): readonly DynamicSymbol[] => {
    const key = `${by.path}\0${name}`;
    let symbols = needed.get(key);
    if (symbols === undefined) {
      const { missing, homeless } = lackingIn(by);
      const isOthers = (symbol: DynamicSymbol) =>
        symbol.from === undefined && missing.some((each) => each !== name && someDefines(each, symbol));
      symbols = neededFrom(by, name, homeless, symbolsOf).filter(
        (symbol) => !isOthers(symbol) || someDefines(name, symbol),
      );
      needed.set(key, symbols);
    }
    return symbols;
  };

  return {
    providersOf,
    coverage: (by, name, provider) => {
      const known = judgements.get(name) ?? new Map<string, Judgement>();
      judgements.set(name, known);
      const key = `${by.path}\0${provider.path}`;
      const judged = known.get(key);
      if (judged !== undefined) return judged.coverage;
      const coverage = coverageOf(neededBy(by, name), by, name, provider, symbolsOf);
      known.set(key, { provider, by, coverage });
      return coverage;
    },
    judged: (name) => [...(judgements.get(name)?.values() ?? [])],
  };
}
