// Problems on which a search without learning takes exponentially long.
import type { Problem, Provider } from '../../src/candidates/problem.ts';
import { createRandom } from './random-problem.ts';
import { glibc, problem, provider, requirer } from './small-problem.ts';

const libc = glibc('2.41', ['GLIBC_2.2.5']);

/**
 * Each of `names` libraries comes in as many generations, each of which needs its own generation of the next library;
 * only one generation of the last library is there.
 */
export function generations(names: number, count: number): Problem {
  const offers: Record<string, Provider[]> = {};
  for (let i = 0; i < names; i++) {
    const kept = i === names - 1 ? [count - 1] : Array.from({ length: count }, (_, nth) => nth);
    offers[`lib${i}.so`] = kept.map((nth) =>
      provider(`lib${i}-${nth}`, `lib${i}.so`, {
        defines: [`G_${nth}`],
        rank: [nth],
        versions: i + 1 < names ? { [`lib${i + 1}.so`]: [`G_${nth}`] } : {},
      }),
    );
  }
  const needed = Object.keys(offers);
  return problem({ roots: [requirer('/opt/app/program', { needed })], loaders: [libc], offers });
}

/** A random 3-SAT formula: each clause is a library of three builds, each needing one version of a variable's library. */
export function formula(variables: number, clauses: number, seed: number): Problem {
  const random = createRandom(seed);
  const offers: Record<string, Provider[]> = {};
  for (let v = 0; v < variables; v++) {
    offers[`var${v}.so`] = ['T', 'F'].map((value) =>
      provider(`var${v}-${value}`, `var${v}.so`, { defines: [value], rank: [value] }),
    );
  }
  for (let c = 0; c < clauses; c++) {
    offers[`clause${c}.so`] = [0, 1, 2].map((nth) => {
      const versions = { [`var${random(variables)}.so`]: [random(2) ? 'T' : 'F'] };
      return provider(`clause${c}-${nth}`, `clause${c}.so`, { versions, rank: [nth] });
    });
  }
  const needed = Array.from({ length: clauses }, (_, c) => `clause${c}.so`);
  return problem({ roots: [requirer('/opt/app/program', { needed })], loaders: [libc], offers });
}
