// An object that was chosen -> the clauses that follow: what it needs, and whom its needs rule out.
import { negative, positive } from './clause-kernel.ts';
import { constrain, type Grounding, type NameNode, nameNode, type Value } from './ground-problem.ts';
import type { LoaderCandidate, Provider, Requirer } from './problem.ts';
import { missingVersion, needsOf, type Versions, type VersionTable } from './version-needs.ts';

/** @param needs receives the nodes of the names that the store has to serve, in load order. */
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
    constrain(g, [negative(variable), positive(node.active)], { kind: 'need', name, by });
    if (!versions.length) continue;
    for (const value of node.values) groundOffer(g, by, variable, versions, value);
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

function groundOffer(
  g: Grounding,
  by: Requirer | Provider,
  variable: number,
  versions: Versions,
  value: Value,
): void {
  const offer = value.provider;
  const { name } = value.name;
  const against = [negative(variable), negative(value.variable)];
  const version = missingVersion(versions, offer);
  if (version !== undefined) {
    const offers = value.name.values.length;
    constrain(g, against, { kind: 'missing-version', name, version, offers, by, offer });
    return;
  }
  if (value.loader && needsPrivate(versions) && !belongsTo(by, value.loader.candidate)) {
    constrain(g, against, { kind: 'private-version', name, by, offer });
    return;
  }
  if (offer.hasVersym) return;
  for (const { candidate, variable: loader } of value.loader ? [value.loader] : g.loaders) {
    if (!abortsOnUnversioned(candidate)) continue;
    const constraint = { kind: 'unversioned', name, by, offer, loader: candidate } as const;
    constrain(g, [...against, negative(loader)], constraint);
  }
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
