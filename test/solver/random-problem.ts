// A seed -> a small Problem with diamonds, versions, several libcs, wishes, aliases; the same every time.
import type { LoaderCandidate, Provider, Requirer } from '../../src/candidates/problem.ts';
import { glibc, type Parts, type ProviderParts, problem, provider, requirer } from './small-problem.ts';

export type Random = (below: number) => number;

/** A 32-bit linear congruential generator (Numerical Recipes), its high bits. */
export function createRandom(seed: number): Random {
  let state = (seed * 2654435761 + 12345) >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const libcVersions = ['GLIBC_2.2.5', 'GLIBC_2.34', 'GLIBC_2.36', 'GLIBC_2.38'];

export function randomParts(seed: number): Parts {
  const random = createRandom(seed);
  const names = Array.from({ length: 2 + random(4) }, (_, i) => `lib${'uvwxyz'[i]}.so.1`);
  const loaders = ['2.41', '2.36', '2.31'].slice(0, 1 + random(3)).map((v) => randomLoader(random, v));
  const tightness = random(4);
  const object = (path: string, from: number) => requirer(path, randomNeeds(random, names, from, tightness));
  const roots: Requirer[] = [object('/opt/app/program', 0)];
  if (random(4) === 0) roots.push(object('/opt/app/libplugin.so', 0));
  const offers: Record<string, Provider[]> = {};
  names.forEach((name, i) => {
    offers[name] = Array.from({ length: random(8) ? 1 + random(3) : 0 }, (_, j) =>
      randomProvider(random, names, i, j, tightness, loaders),
    );
  });
  const some = Object.values(offers).flat();
  const pick = () => some[random(some.length)];
  const pinned = random(5) === 0 ? pick() : undefined;
  const excluded = random(4) === 0 ? [pick(), pick()].flatMap((p) => p?.storePath ?? []) : undefined;
  const spare = names.at(-1) as string;
  return {
    roots,
    loaders,
    offers,
    ...(random(6) === 0 ? { bundled: { [spare]: provider('app', spare, { defines: ['V_1'] }) } } : {}),
    ...(pinned ? { pins: { [names[random(names.length)] as string]: pinned.path } } : {}),
    ...(excluded ? { excluded } : {}),
  };
}

export const randomProblem = (seed: number) => problem(randomParts(seed));

function randomLoader(random: Random, version: string): LoaderCandidate {
  const count = { '2.41': 4, '2.36': 3, '2.31': 1 }[version] ?? 4;
  return glibc(version, libcVersions.slice(0, count), random(6) ? ['libm.so.6'] : []);
}

function randomNeeds(random: Random, names: readonly string[], from: number, tightness: number) {
  const versions: Record<string, string[]> = {};
  for (const name of names.slice(from)) {
    if (random(2)) continue;
    versions[name] = random(4) < tightness ? [`V_${1 + random(3)}`] : [];
    if (random(12) === 0) versions[name]?.push(`~V_${1 + random(3)}`);
  }
  if (random(2)) versions['libc.so.6'] = [libcVersions[random(random(2) ? 4 : 2)] as string];
  if (random(10) === 0) versions['libm.so.6'] = ['GLIBC_2.2.5'];
  if (random(24) === 0) versions['libc.so.6'] = ['GLIBC_PRIVATE'];
  return { versions };
}

function randomProvider(
  random: Random,
  names: readonly string[],
  index: number,
  nth: number,
  tightness: number,
  loaders: readonly LoaderCandidate[],
): Provider {
  const name = names[index] as string;
  const from = random(5) ? index + 1 : 0;
  const needs = randomNeeds(random, names, from, tightness);
  const ownChoice: Record<string, string> = {};
  for (const need of Object.keys(needs.versions)) {
    if (random(2)) ownChoice[need] = `/nix/store/${need}-${random(3)}/lib/${need}`;
  }
  const built = loaders[random(loaders.length)];
  const parts: ProviderParts = {
    ...needs,
    ownChoice,
    rank: [nth],
    ...(random(8) ? { defines: ['V_1', 'V_2', 'V_3'].filter(() => random(3) > 0) } : {}),
    ...(random(10) ? {} : { hasVersym: false }),
    ...(random(3) && built ? { builtWith: built.storePath.slice(11) } : {}),
    ...(random(6) ? {} : { closest: true as const }),
    ...(random(10) ? {} : { soname: names[random(names.length)] as string }),
  };
  return provider(`${name}-${nth}`, name, parts);
}
