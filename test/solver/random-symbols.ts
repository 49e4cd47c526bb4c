// A small Problem and a seed -> the same with symbols that carry no version: who wants which, and who defines it.
import type { Problem, SymbolBindings } from '../../src/candidates/problem.ts';
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
  const stated = randomProblem(seed);
  const problem = seed % 3 === 0 ? { ...stated, bundled: asDrivers(stated.bundled) } : stated;
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
  return { ...problem, symbols: symbolsOf({ wanted, defined, bound }) };
}

/** Each brings along another, and that a third one. */
function asDrivers(bundled: Problem['bundled']): Problem['bundled'] {
  return new Map(
    [...bundled].flatMap(([name, file]) => {
      const driver = (path: string, broughtAlong: string[]) =>
        ({ ...file, path, isDriver: true, broughtAlong }) as const;
      return [
        [name, driver(file.path, ['libnear.so.0'])],
        ['libnear.so.0', driver('/opt/driver/libnear.so.0', ['libfar.so.0'])],
        ['libfar.so.0', driver('/opt/driver/libfar.so.0', [name, 'libabsent.so.0'])],
      ] as const;
    }),
  );
}

function timeOf(random: Random, calls: number): 'start' | 'call' | 'never' {
  if (random(12) === 0) return 'never';
  return random(10) < calls ? 'call' : 'start';
}
