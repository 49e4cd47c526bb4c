// Objects that need a name, and a candidate → how many of the symbols that they take from the name it has.
import { coverageOf, homelessOf, neededFrom } from '../candidates/coverage.ts';
import type { Problem, Provider, Requirer } from '../candidates/problem.ts';
import { symbolReader } from '../candidates/symbol-tables.ts';

export interface SymbolCoverage {
  /** How many symbols are needed ... */
  readonly needed: number;
  /** ... and those that the candidate lacks, sorted, as `name` or `name@version`. */
  readonly missing: readonly string[];
}

/** A function that judges candidates of a problem; it reads each file once. */
export function symbolCoverage(
  problem: Problem,
): (needers: readonly Requirer[], name: string, candidate: Provider) => SymbolCoverage {
  const symbolsOf = symbolReader();
  // Nobody serves the name while it is asked what is to be found under it.
  const without = (name: string): Problem => ({
    ...problem,
    providersOf: (each) => (each === name ? [] : problem.providersOf(each)),
  });
  return (needers, name, candidate) => {
    const scope = without(name);
    const needed = new Set<string>();
    const missing = new Set<string>();
    for (const by of needers) {
      const symbols = neededFrom(by, name, homelessOf(scope, by, symbolsOf), symbolsOf);
      const coverage = coverageOf(symbols, by, name, candidate, symbolsOf);
      for (const symbol of coverage.needed) needed.add(symbol);
      for (const symbol of coverage.missing) missing.add(symbol);
    }
    return { needed: needed.size, missing: [...missing].sort() };
  };
}
