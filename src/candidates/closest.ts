// A name that no library in the store has → libraries that are other versions of it, and which of the symbols and
// versions that are needed each of them has.
import type { DynamicSymbol } from '../elf/symbols.ts';
import type { CataloguedLibrary } from '../store/catalogue.ts';
import { binds, type Symbols, serves, symbolReader } from './candidate-symbols.ts';
import type { ClosestMatches, Coverage, Judgement, Problem, Provider, Requirer } from './problem.ts';
import { rankOf } from './rank.ts';
import { distance, otherVersionsOf } from './soname.ts';

interface Closest extends ClosestMatches {
  /** Other versions of the library, nearest first. */
  providersOf(name: string): readonly Provider[];
}

/** The part of the catalogue that is asked, for the class and machine of the program. */
interface StoreNames {
  namesBeginning(stem: string): readonly string[];
  librariesOffering(name: string): readonly CataloguedLibrary[];
}

/** More numbers than any version after `.so` has. */
const FAR = 100;

/** Ranks by the distance of the nearest of the names that the file answers to. */
function nearest(wanted: string, offers: StoreNames, toProvider: (library: CataloguedLibrary) => Provider) {
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

/** What an object misses, whichever library is looked at for it. */
interface MissingFromLibrary {
  readonly missing: readonly string[];
  readonly undefinedSymbols: readonly DynamicSymbol[];
}

function isMissing(scope: ClosestScope, name: string): boolean {
  return !scope.bundled.has(name) && !scope.isFamily(name) && scope.providersOf(name).length === 0;
}

/**
 * Closest matches within a scope, in which symbols without version count as needed from a library unless somebody else
 * has them: an exact library, or another version of one that is missing as well. Symbols are
 * read when they are first asked for.
 */
export function closestIn(
  scope: ClosestScope,
  offers: StoreNames,
  toProvider: (library: CataloguedLibrary) => Provider,
): Closest {
  const symbolsOf = symbolReader();
  const providers = new Map<string, readonly Provider[]>();
  const needed = new Map<string, readonly DynamicSymbol[]>();
  const objects = new Map<string, MissingFromLibrary>();
  const judgements = new Map<string, Map<string, Judgement>>();
  const possible = new Map<string, ReadonlySet<string>>();

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

  /** The set may take another provider than the best one for the library that the symbol is from. */
  const anyDefines = (by: Requirer, symbol: DynamicSymbol): boolean => {
    let others = possible.get(by.path);
    if (others === undefined) {
      others = new Set([...othersInScope(scope, by, 'all')].map((each) => each.path));
      possible.set(by.path, others);
    }
    for (const file of others) if (binds(symbol, symbolsOf(file).defined.get(symbol.name))) return true;
    return false;
  };

  const missingIn = (by: Requirer): MissingFromLibrary => {
    let lacking = objects.get(by.path);
    if (lacking === undefined) {
      const missing = by.needed.filter((each) => isMissing(scope, each));
      lacking = { missing, undefinedSymbols: undefinedSymbolsOf(scope, by, symbolsOf) };
      objects.set(by.path, lacking);
    }
    return lacking;
  };

  const neededBy = (by: Requirer, name: string): readonly DynamicSymbol[] => {
    const key = `${by.path}\0${name}`;
    let symbols = needed.get(key);
    if (symbols === undefined) {
      const { missing, undefinedSymbols } = missingIn(by);
      const isOthers = (symbol: DynamicSymbol) =>
        symbol.from === undefined && missing.some((each) => each !== name && someDefines(each, symbol));
      symbols = neededFrom(by, name, undefinedSymbols, symbolsOf).filter(
        (symbol) => !isOthers(symbol) || someDefines(name, symbol),
      );
      needed.set(key, symbols);
    }
    return symbols;
  };

  const covered = (question: CoverageQuestion): Coverage => {
    const { by, name } = question;
    const needed = neededBy(by, name);
    const coverage = coverageOf(needed, question);
    if (coverage.missing.length === 0) return coverage;
    // No version of this library has it, and some other library does: it is none of this library's.
    const isOthers = (symbol: DynamicSymbol): boolean =>
      symbol.version === undefined &&
      symbol.from === undefined &&
      coverage.missing.includes(symbol.name) &&
      !someDefines(name, symbol) &&
      anyDefines(by, symbol);
    return coverageOf(
      needed.filter((symbol) => !isOthers(symbol)),
      question,
    );
  };

  return {
    providersOf,
    coverage: (by, name, provider) => {
      const known = judgements.get(name) ?? new Map<string, Judgement>();
      judgements.set(name, known);
      const key = `${by.path}\0${provider.path}`;
      const judged = known.get(key);
      if (judged !== undefined) return judged.coverage;
      const coverage = covered({ by, name, provider, symbolsOf });
      known.set(key, { provider, by, coverage });
      return coverage;
    },
    judged: (name) => [...(judgements.get(name)?.values() ?? [])],
  };
}

/**
 * A solved problem, in which other versions of libraries serve the chosen names alone. For what is looked for beside
 * the set nobody judged them: dlopen(3) does not say which symbols are wanted.
 */
export function closestOnlyFor(problem: Problem, chosen: ReadonlySet<string>): Problem {
  if (problem.closest === undefined) return problem;
  const exact = new Map<string, readonly Provider[]>();
  const providersOf = (name: string): readonly Provider[] => {
    if (chosen.has(name)) return problem.providersOf(name);
    const known = exact.get(name) ?? problem.providersOf(name).filter(({ match }) => match !== 'closest');
    exact.set(name, known);
    return known;
  };
  return { ...problem, providersOf };
}

/** What of a problem tells who else is loaded: the exact providers, best first. */
type ClosestScope = Pick<Problem, 'roots' | 'bundled' | 'providersOf' | 'loaders' | 'isFamily'>;

/** `SSL_CTX_new@OPENSSL_1_1_0`, as nm(1) writes it. */
function spelled({ name, version }: DynamicSymbol): string {
  return version === undefined ? name : `${name}@${version}`;
}

/** Who serves a name: the best provider, or any that could. */
type Servers = 'best' | 'all';

function serversOf(scope: ClosestScope, name: string, servers: Servers): readonly Requirer[] {
  const bundled = scope.bundled.get(name);
  if (bundled) return [bundled];
  const every = scope.isFamily(name)
    ? scope.loaders.flatMap(({ family }) => family.get(name) ?? [])
    : scope.providersOf(name);
  return servers === 'all' ? every : every.slice(0, 1);
}

/**
 * The objects that a reference of `by` may bind to besides the library it lacks: all that is loaded with such providers
 * (glibc elf/dl-lookup.c: the program's scope first).
 */
function* othersInScope(scope: ClosestScope, by: Requirer, servers: Servers): Generator<Requirer> {
  const queue: Requirer[] = [by, ...scope.roots];
  const seen = new Set<string>();
  for (let object = queue.shift(); object !== undefined; object = queue.shift()) {
    if (object.path !== by.path) yield object;
    for (const name of object.needed) {
      if (seen.has(name)) continue;
      seen.add(name);
      queue.push(...serversOf(scope, name, servers));
    }
  }
}

/**
 * The symbols without version, and so without a file, that `by` needs and nobody else in its scope, with the best
 * providers, defines. The same for every library it lacks.
 */
export function undefinedSymbolsOf(
  scope: ClosestScope,
  by: Requirer,
  symbolsOf: (file: string) => Symbols,
): readonly DynamicSymbol[] {
  let undefinedSymbols = symbolsOf(by.path).wanted.filter(({ version }) => version === undefined);
  for (const other of othersInScope(scope, by, 'best')) {
    if (undefinedSymbols.length === 0) break;
    const { defined } = symbolsOf(other.path);
    undefinedSymbols = undefinedSymbols.filter((symbol) => !binds(symbol, defined.get(symbol.name)));
  }
  return undefinedSymbols;
}

/**
 * The symbols that `by` needs from the library `name`: those whose version it needs from that file, and those that
 * carry no version.
 */
export function neededFrom(
  by: Requirer,
  name: string,
  undefinedSymbols: readonly DynamicSymbol[],
  symbolsOf: (file: string) => Symbols,
): readonly DynamicSymbol[] {
  return [...symbolsOf(by.path).wanted.filter(({ from }) => from === name), ...undefinedSymbols];
}

/**
 * Versions that ld.so would look for in the file and not find (glibc elf/dl-version.c, match_symbol). In a file without
 * any it would only warn, on every start.
 */
function missingVersions(by: Requirer, name: string, provider: Provider): string[] {
  return by.verneed
    .filter(({ file }) => file === name)
    .flatMap(({ versions }) => versions.filter(({ weak }) => !weak).map((version) => version.name))
    .filter((version) => !provider.verdef.includes(version));
}

/** Who needs the symbols, under which name, and what is looked at for them. */
interface CoverageQuestion {
  readonly by: Requirer;
  readonly name: string;
  readonly provider: Provider;
  readonly symbolsOf: (file: string) => Symbols;
}

/** Compares what is needed with what a library of another version defines. */
export function coverageOf(
  needed: readonly DynamicSymbol[],
  { by, name, provider, symbolsOf }: CoverageQuestion,
): Coverage {
  const { defined } = symbolsOf(provider.path);
  const missing = needed.filter((symbol) => !serves(symbol, defined.get(symbol.name)));
  return {
    needed: [...new Set(needed.map(spelled))],
    missing: [...new Set(missing.map(spelled))].sort(),
    missingVersions: [...new Set(missingVersions(by, name, provider))].sort(),
  };
}
