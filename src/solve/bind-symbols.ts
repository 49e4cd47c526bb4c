// A walk that has become a whole set -> a clause that is false because ld.so would not find a symbol, if there is one.
import type { Requirer } from '../candidates/problem.ts';
import { type Clause, type Literal, negative } from './clause-kernel.ts';
import { type Constraint, constraintKey } from './constraint.ts';
import { helpfulOffers } from './helpful-offers.ts';
import type { Walk } from './load-walk.ts';
import { type UnboundReference, unboundReferences } from './unbound-references.ts';

type UnboundSymbol = Extract<Constraint, { kind: 'unbound-symbol' }>;

/** The references of the walk's set that nobody in it defines. */
export function unboundInWalk(w: Walk): Iterable<UnboundReference> {
  if (w.g.problem.symbols === undefined) return [];
  const served = new Map([...w.served].map(([{ name }, { provider }]) => [name, provider]));
  return unboundReferences(w.g.problem, w.loader.candidate, served);
}

/**
 * What is bound at the start must be defined. What is bound when it is called should be, if that is possible at all and
 * was not given up: many libraries leave such references to plugins, or never make the call.
 */
export function unboundSymbol(w: Walk): Clause | undefined {
  const { problem, tolerated, only, constraints } = w.g;
  for (const { by, symbol } of unboundInWalk(w)) {
    const when = problem.symbols?.boundAt(by.path, symbol) ?? 'never';
    if (when === 'never' || (when === 'call' && tolerated === 'all')) continue;
    const key = constraintKey({ kind: 'unbound-symbol', by, symbol, when, definers: [], lacking: [] });
    if (when === 'call' ? tolerated !== 'all' && tolerated.has(key) : only && !only.has(key)) continue;
    const { lits, definers } = helpfulOffers(w, symbol);
    if (when === 'call' && lits.length === 0) continue;
    const constraint: UnboundSymbol = {
      kind: 'unbound-symbol',
      by,
      symbol,
      when,
      definers,
      lacking: lackingOf(w, by),
    };
    return { lits: [...loadedAs(w, by), ...lits], tag: constraints.push(constraint) - 1, from: [] };
  }
  return undefined;
}

/** The literal that is false because the object is loaded; none for a root. */
function loadedAs(w: Walk, by: Requirer): Literal[] {
  if (w.g.problem.roots.some(({ path }) => path === by.path)) return [];
  const value = [...w.served.values()].find(({ provider }) => provider.path === by.path);
  return value === undefined ? [] : [negative(value.variable)];
}

/** Where the symbol was to be expected: in what the object needs, and there in libraries without versions. */
function lackingOf(w: Walk, by: Requirer): UnboundSymbol['lacking'] {
  const needed = [...w.served].filter(([{ name }, value]) => !value.loader && by.needed.includes(name));
  const plain = needed.filter(([, { provider }]) => !provider.hasVerdef);
  return (plain.length > 0 ? plain : needed).map(([{ name }, { provider }]) => ({
    name,
    offeredBy: provider.path,
    offeredIn: provider.storePath,
  }));
}
