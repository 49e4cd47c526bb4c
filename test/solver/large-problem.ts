// Names x providers -> a large synthetic Problem, with or without forced conflicts.
import type { Problem, Provider } from '../../src/candidates/problem.ts';
import { createRandom } from './random-problem.ts';
import { glibc, problem, provider, requirer } from './small-problem.ts';

export interface Size {
  readonly names: number;
  readonly providers: number;
  /** How many of ten names have diamonds that rule most providers out. */
  readonly conflicts: number;
}

/**
 * Each name needs about five later ones; nth providers are of the nth generation: built with the generation's libc, and their own
 * runpaths lead to it. With conflicts, a generation lacks versions that others need.
 */
export function largeProblem({ names, providers, conflicts }: Size, seed = 1): Problem {
  const random = createRandom(seed);
  const libcs = ['2.43', '2.41', '2.36', '2.31'].map((version, i) =>
    glibc(version, ['GLIBC_2.2.5', 'GLIBC_2.34', 'GLIBC_2.38', 'GLIBC_2.41'].slice(0, 4 - i)),
  );
  const offers: Record<string, Provider[]> = {};
  for (let i = 0; i < names; i++) {
    const needed = Array.from(
      { length: Math.min(5, names - i - 1) },
      () => `lib${i + 1 + random(names - i - 1)}.so.1`,
    );
    offers[`lib${i}.so.1`] = Array.from({ length: providers }, (_, nth) =>
      nthProvider(random, `lib${i}.so.1`, nth, [...new Set(needed)], providers, conflicts),
    );
  }
  const needed = Array.from({ length: names }, (_, i) => `lib${i}.so.1`);
  const roots = [requirer('/opt/app/program', { needed: [...needed.slice(0, 20), 'libc.so.6'] })];
  const rest = needed.slice(20).map((name) => requirer(`/opt/app/plugins/${name}`, { needed: [name] }));
  return problem({ roots: [...roots, ...rest], loaders: libcs, offers });
}

function nthProvider(
  random: (below: number) => number,
  name: string,
  nth: number,
  needed: readonly string[],
  providers: number,
  conflicts: number,
): Provider {
  const versions: Record<string, string[]> = { 'libc.so.6': ['GLIBC_2.2.5'] };
  const strict = random(10) < conflicts;
  for (const need of needed) versions[need] = strict ? ['V_1', `V_${2 + random(providers)}`] : ['V_1'];
  const own = (need: string) => [need, `/nix/store/${need}-${nth}/lib/${need}`] as const;
  return provider(`${name}-${nth}`, name, {
    versions,
    defines: [
      'V_1',
      ...Array.from({ length: providers }, (_, v) => `V_${2 + v}`).filter(() => !conflicts || random(2)),
    ],
    builtWith: `glibc-${['2.43', '2.41', '2.36', '2.31'][nth % 4]}`,
    ownChoice: Object.fromEntries(needed.map(own)),
    rank: [nth],
  });
}
