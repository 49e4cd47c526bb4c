// An object that was chosen -> the clauses that follow: what it needs, and whom its needs rule out.

import type { LoaderCandidate, Provider, Requirer } from '../candidates/problem.ts';
import { addClause, type Clause, type Literal, negative, positive } from './clause-kernel.ts';
import { constrain, type Grounding, type NameNode, type Value } from './grounding.ts';
import { nameNode } from './name-node.ts';
import { isClosest } from './objective.ts';
import { missingVersion, needsOf, type Versions, type VersionTable } from './version-needs.ts';

/**
 * @param variable the one for "this object is loaded"
 * @param needs receives the nodes of the names that the store has to serve, in load order. */
export function groundRequirer(
  g: Grounding,
  by: Requirer | Provider,
  variable: number,
  needs: NameNode[],
): void {
  for (const [name, versions] of needsOf(by)) {
    const bundled = g.problem.bundled.get(name);
    if (bundled) {
      groundBundled(g, by, variable, name, versions, bundled);
      continue;
    }
    const node = nameNode(g, name);
    needs.push(node);
    const need = constrain(g, [negative(variable), positive(node.active)], { kind: 'need', name, by });
    if (!versions.length && !g.problem.closest) continue;
    const fitting: Literal[] = [];
    const against: Clause[] = [];
    for (const value of node.values) {
      const clause = groundOffer(g, by, variable, versions, value);
      if (clause) against.push(clause);
      else fitting.push(positive(value.variable));
    }
    // Says nothing new, but lets a provider be ruled out as soon as all that fit it are.
    if (against.length && need && node.choice) {
      addClause(g.kernel, [negative(variable), ...fitting], -1, [need, node.choice, ...against]);
    }
  }
}

function groundBundled(
  g: Grounding,
  by: Requirer,
  variable: number,
  name: string,
  versions: Versions,
  offer: Requirer & VersionTable,
): void {
  const version = missingVersion(versions, offer);
  if (version !== undefined) {
    constrain(g, [negative(variable)], { kind: 'missing-version', name, version, offers: 1, by, offer });
  }
  if (!versions.length || offer.hasVersym) return;
  for (const { candidate, variable: loader } of g.loaders) {
    if (!abortsOnUnversioned(candidate)) continue;
    const constraint = { kind: 'unversioned', name, by, offer, loader: candidate } as const;
    constrain(g, [negative(variable), negative(loader)], constraint);
  }
}

/** Returns the clause that keeps the two apart whatever the loader is, if there is one. */
function groundOffer(
  g: Grounding,
  by: Requirer | Provider,
  variable: number,
  versions: Versions,
  value: Value,
): Clause | undefined {
  const offer = value.provider;
  const { name } = value.name;
  const symbols = missingSymbols(g, by, name, offer);
  if (symbols.length)
    return constrain(g, apart(variable, value), { kind: 'missing-symbols', name, by, offer, symbols });
  const version = missingVersion(versions, offer);
  if (version !== undefined) {
    const offers = value.name.values.length;
    return constrain(g, apart(variable, value), {
      kind: 'missing-version',
      name,
      version,
      offers,
      by,
      offer,
    });
  }
  if (value.loader && needsPrivate(versions) && !belongsTo(by, value.loader.candidate)) {
    return constrain(g, apart(variable, value), { kind: 'private-version', name, by, offer });
  }
  if (offer.hasVersym || !versions.length) return undefined;
  for (const { candidate, variable: loader } of value.loader ? [value.loader] : g.loaders) {
    if (!abortsOnUnversioned(candidate)) continue;
    const constraint = { kind: 'unversioned', name, by, offer, loader: candidate } as const;
    constrain(g, [...apart(variable, value), negative(loader)], constraint);
  }
  return undefined;
}

const apart = (variable: number, value: Value): Literal[] => [negative(variable), negative(value.variable)];

const nothing: readonly string[] = [];

/** Only of another version of the library is it asked, and not if the user chose that file. */
function missingSymbols(g: Grounding, by: Requirer, name: string, offer: Provider): readonly string[] {
  if (!isClosest(offer) || g.problem.pins?.has(name)) return nothing;
  const coverage = g.problem.closest?.coverage(by, name, offer);
  if (!coverage) return nothing;
  // Other versions than the needed ones are a constraint of their own.
  return offer.hasVerdef ? coverage.missing : [...coverage.missing, ...coverage.missingVersions];
}

const needsPrivate = (versions: Versions): boolean => versions.some(({ name }) => name === 'GLIBC_PRIVATE');

/** GLIBC_PRIVATE is an agreement inside one build of glibc: another build may keep it differently or not at all. */
function belongsTo(by: Requirer | Provider, loader: LoaderCandidate): boolean {
  if (!('storePath' in by)) return false;
  return by.storePath === loader.storePath || by.builtWith === loader.storePath;
}

/** Up to glibc 2.40 a versioned reference to a file without DT_VERSYM fails an assertion; bdaf500353 lets it pass. */
function abortsOnUnversioned(loader: LoaderCandidate): boolean {
  const [major, minor = 0] = loader.version ?? [];
  return major !== undefined && (major < 2 || (major === 2 && minor <= 40));
}
