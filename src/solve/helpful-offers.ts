// A whole set and a symbol that nobody in it defines -> the choices of which any other set must make one to have it.
import type { Provider, Requirer } from '../candidates/problem.ts';
import { type Literal, positive } from './clause-kernel.ts';
import type { LoaderNode } from './grounding.ts';
import type { Walk } from './load-walk.ts';
import { needsOf } from './version-needs.ts';

export interface HelpfulOffers {
  /** All false in the set: other providers of its names, other loaders. */
  readonly lits: readonly Literal[];
  /** Files that define the symbol and could be loaded. */
  readonly definers: readonly string[];
}

/**
 * A set that loads a definition differs from this one: follow the needs from the roots to that definition, and there is a last name that
 * both sets need. The other set serves it by another provider, and from there only names lead on that this
 * set does not have. So it makes one of these choices, and whoever makes none of them has no definition.
 */
export function helpfulOffers(w: Walk, symbol: string): HelpfulOffers {
  const { problem } = w.g;
  // Also names that this loader's family does not have, where that was allowed to be.
  const needed = new Set([...w.known].map(({ name }) => name));
  const definers = new Set<string>();
  const defines = (offer: Provider): boolean => {
    const found = problem.symbols?.definedBy(offer.path, symbol) ?? false;
    if (found) definers.add(offer.path);
    return found;
  };
  const newNeeds = (offer: Requirer): string[] =>
    [...needsOf(offer).keys()].filter((name) => !problem.bundled.has(name) && !needed.has(name));

  const offersOf = (name: string): readonly Provider[] =>
    problem.isFamily(name)
      ? w.g.loaders.flatMap(({ candidate }) => candidate.family.get(name) ?? [])
      : problem.providersOf(name);
  const others = [...w.served].flatMap(([node, chosen]) =>
    node.values.filter((value) => value !== chosen && !value.loader),
  );
  const otherLoaders = w.g.loaders.filter((loader) => loader !== w.loader);
  const familyOf = (loader: LoaderNode): Provider[] =>
    [...loader.candidate.family].flatMap(([name, offer]) => (needed.has(name) ? [offer] : []));

  const first = [...others.map(({ provider }) => provider), ...otherLoaders.flatMap(familyOf)];
  const leading = namesLeadingTo(first.flatMap(newNeeds), offersOf, newNeeds, defines);
  const helps = (offer: Provider) => defines(offer) || newNeeds(offer).some((name) => leading.has(name));
  const values = others.filter(({ provider }) => helps(provider));
  // Each loader brings itself, too, which is the family's only member in musl.
  const loaders = otherLoaders.filter(
    (loader) =>
      familyOf(loader).some(helps) || (problem.symbols?.definedBy(loader.candidate.path, symbol) ?? false),
  );
  w.g.kernel.steps += others.length;
  return {
    lits: [...values, ...loaders].map(({ variable }) => positive(variable)),
    definers: [...definers].sort(),
  };
}

/** Of all names that can be reached from some, those that a definition can be reached from. */
function namesLeadingTo(
  from: readonly string[],
  offersOf: (name: string) => readonly Provider[],
  newNeeds: (offer: Requirer) => readonly string[],
  defines: (offer: Provider) => boolean,
): ReadonlySet<string> {
  const neededFor = new Map<string, string[]>();
  const leading = new Set<string>();
  const reached = new Set(from);
  for (const name of reached) {
    for (const offer of offersOf(name)) {
      if (defines(offer)) leading.add(name);
      for (const need of newNeeds(offer)) {
        reached.add(need);
        neededFor.set(need, [...(neededFor.get(need) ?? []), name]);
      }
    }
  }
  for (const name of leading) for (const needer of neededFor.get(name) ?? []) leading.add(needer);
  return leading;
}
