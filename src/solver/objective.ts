// Two providers, or two sets → which one is better: the whole objective, in one place.
import type { LoaderCandidate, Provider } from '../candidates/problem.ts';

/** The costs that are counted over a whole set, the most important first. */
export const COST_KINDS = ['closest', 'foreign', 'overrides'] as const;
export type CostKind = (typeof COST_KINDS)[number];

export const isClosest = (provider: Provider): boolean => provider.match === 'closest';

/** Known to be built with another libc than the loader's. */
export const isForeign = (provider: Provider, loader: LoaderCandidate): boolean =>
  provider.builtWith !== undefined && provider.builtWith !== loader.storePath;

/** True if `path`, absolute, is the provider's file, by either of its names. */
export const sameFile = (provider: Provider, path: string): boolean =>
  path === provider.path || path === `${provider.storePath}/${provider.file}`;

/** What `overrides` compares paths with. */
interface PlacedProvider {
  readonly provider: Provider;
  /** Its store path with a slash at the end. */
  readonly inside: string;
}

/** True if taking this provider overrides a runpath that leads to `path`: another store object. */
export const overrides = (place: PlacedProvider, path: string): boolean =>
  path !== place.provider.path && !path.startsWith(place.inside);

/** How often one cost comes with a provider; `wanted` as for `localCost`. */
export function costOf(
  kind: CostKind,
  place: PlacedProvider,
  loader: LoaderCandidate,
  wanted: readonly { readonly path: string }[],
): number {
  switch (kind) {
    case 'closest':
      return Number(isClosest(place.provider));
    case 'foreign':
      return Number(isForeign(place.provider, loader));
    case 'overrides': {
      let overridden = 0;
      for (const { path } of wanted) if (overrides(place, path)) overridden++;
      return overridden;
    }
  }
}

/** The first cost in which `other` differs, if it is the dearer one there. */
export function dearerBy(costs: (kind: CostKind) => number, other: typeof costs): CostKind | undefined {
  const kind = COST_KINDS.find((each) => costs(each) !== other(each));
  return kind !== undefined && other(kind) > costs(kind) ? kind : undefined;
}

/**
 * What choosing a provider for a name costs there and then, smaller is better; equal costs leave the decision to
 * the rank. One number, the three counts weighted so that the more important ones come first.
 * @param wanted paths that the runpaths of the objects loaded before would take for this name
 */
export function localCost(
  place: PlacedProvider,
  loader: LoaderCandidate,
  wanted: readonly { readonly path: string }[],
): number {
  const counts = 2 * costOf('closest', place, loader, wanted) + costOf('foreign', place, loader, wanted);
  return counts * (wanted.length + 1) + costOf('overrides', place, loader, wanted);
}
