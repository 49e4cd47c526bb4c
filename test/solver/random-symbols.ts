// A small Problem and a seed -> the same with symbols that carry no version: who wants which, and who defines it.
import type { Problem, Requirer, SymbolBindings } from '../../src/candidates/problem.ts';
import { createRandom, type Random, randomProblem } from './random-problem.ts';

export interface Named {
  /** Path -> symbols. */
  readonly wanted: Readonly<Record<string, readonly string[]>>;
  readonly defined: Readonly<Record<string, readonly string[]>>;
  /** `path symbol` -> when it is bound; at the start if absent. */
  readonly bound?: Readonly<Record<string, 'start' | 'call' | 'never'>>;
}

export const symbolsOf = ({ wanted, defined, bound = {} }: Named): SymbolBindings => ({
  wantedBy: (path) => wanted[path] ?? [],
  definedBy: (path, symbol) => defined[path]?.includes(symbol) ?? false,
  boundAt: (path, symbol) => bound[`${path} ${symbol}`] ?? 'start',
});

const all = ['red', 'green', 'blue', 'grey'];

/** `calls`: how many of ten references are bound when they are called. */
export function randomSymbolProblem(seed: number, calls: number): Problem {
  const problem = randomProblem(seed);
  const random = createRandom(seed + 77_777);
  const [wanting, defining] = [3 + random(8), 2 + random(4)];
  const some = (oneOf: number) => all.filter(() => random(oneOf) === 0);
  const wanted: Record<string, readonly string[]> = {};
  const defined: Record<string, readonly string[]> = {};
  const bound: Record<string, 'start' | 'call' | 'never'> = {};
  for (const { path } of problem.roots) wanted[path] = some(wanting);
  const names = [...'uvwxyz'].map((letter) => `lib${letter}.so.1`);
  const offers = [...problem.bundled.values(), ...names.flatMap((name) => problem.providersOf(name))];
  for (const { path } of offers) {
    wanted[path] = some(wanting);
    defined[path] = some(defining);
  }
  for (const { family } of problem.loaders) for (const { path } of family.values()) defined[path] = some(12);
  for (const [path, symbols] of Object.entries(wanted)) {
    for (const symbol of symbols) bound[`${path} ${symbol}`] = timeOf(random, calls);
  }
  const bundled = new Map([...problem.bundled].map(([name, file]) => [name, { ...file, ...kindOf(seed) }]));
  return { ...problem, bundled, symbols: symbolsOf({ wanted, defined, bound }) };
}

const kindOf = (seed: number): Pick<Requirer, 'isDriver'> => (seed % 3 === 0 ? { isDriver: true } : {});

function timeOf(random: Random, calls: number): 'start' | 'call' | 'never' {
  if (random(12) === 0) return 'never';
  return random(10) < calls ? 'call' : 'start';
}
