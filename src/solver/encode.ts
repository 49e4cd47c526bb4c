// A problem → boolean variables and clauses, grown only where the search has been: a variable for each provider of a
// needed name, and clauses for what a chosen object needs and whom it rules out.
import type { LoaderCandidate, Problem, Provider, Requirer } from '../candidates/problem.ts';
import { compareRanks } from '../candidates/rank.ts';
import { type Constraint, constraintKey } from './constraint.ts';
import { isClosest, sameFile } from './objective.ts';
import {
  addClause,
  type Clause,
  createSat,
  type Literal,
  negative,
  newVariable,
  positive,
  type SatSolver,
} from './sat.ts';
import { missingVersion, needsOf, type Versions, type VersionTable } from './version-needs.ts';

/** Sets up loaders and roots; everything else is added when the search first assumes it. */
export function encodeProblem(
  problem: Problem,
  only?: ReadonlySet<string>,
  tolerated: Encoding['tolerated'] = 'all',
): Encoding {
  const sat = createSat((variable) => encodeVariable(g, variable));
  const always = newVariable(sat);
  const ranked = problem.loaders.toSorted((a, b) => compareRanks(a.rank, b.rank));
  const loaders = ranked.map((candidate) => ({ variable: newVariable(sat), candidate }));
  const g: Encoding = {
    problem,
    sat,
    always,
    names: new Map(),
    loaders,
    values: [],
    constraints: [],
    rootNeeds: [],
    aliases: new Map(),
    chosen: new Map(),
    only,
    tolerated,
  };
  const group = loaders.map((loader) => loader.variable);
  for (const variable of group) sat.group[variable] = group;
  addClause(sat, [positive(always)], -1);
  return g;
}

function encodeVariable(g: Encoding, variable: number): void {
  if (variable === g.always) encodeRoots(g);
  const value = g.values[variable];
  if (!value) return;
  encodeSoname(g, value);
  encodeRequirer(g, value.provider, variable, value.needs);
}

function encodeRoots(g: Encoding): void {
  const lits = g.loaders.map((loader) => positive(loader.variable));
  addClause(g.sat, lits, -1);
  for (const loader of g.loaders) encodeLoader(g, loader);
  for (const root of g.problem.roots) encodeRequirer(g, root, g.always, g.rootNeeds);
}

function encodeLoader(g: Encoding, loader: LoaderNode): void {
  const { problem } = g;
  const against = [negative(g.always), negative(loader.variable)];
  const family = [...loader.candidate.family];
  for (const [name, provider] of family) {
    const path = problem.pins?.get(name);
    if (path !== undefined && !sameFile(provider, path)) {
      constrain(g, [...against], { kind: 'pinned', name, path });
    }
  }
  if (family.some(([, provider]) => problem.excluded?.(provider))) {
    const { path } = loader.candidate;
    constrain(g, against, { kind: 'excluded', name: path, paths: [path] });
  }
}

/**
 * @param variable the one for "this object is loaded"
 * @param needs receives the nodes of the names that the store has to serve, in load order. */
function encodeRequirer(g: Encoding, by: Requirer | Provider, variable: number, needs: NameNode[]): void {
  for (const [name, versions] of needsOf(by)) {
    const bundled = g.problem.bundled.get(name);
    if (bundled) {
      encodeBundled(g, by, { variable, name, versions, offer: bundled });
      continue;
    }
    const node = nameNode(g, name);
    needs.push(node);
    const need = constrain(g, [negative(variable), positive(node.active)], { kind: 'need', name, by });
    if (!versions.length && !g.problem.closest) continue;
    const fitting: Literal[] = [];
    const against: Clause[] = [];
    for (const value of node.values) {
      const clause = encodeOffer(g, by, { variable, versions, value });
      if (clause) against.push(clause);
      else fitting.push(positive(value.variable));
    }
    // Says nothing new, but lets a provider be ruled out as soon as all that fit it are.
    if (against.length && need && node.choice) {
      addClause(g.sat, [negative(variable), ...fitting], -1, [need, node.choice, ...against]);
    }
  }
}

/** A name that an object needs, and the bundled library that serves it. */
interface BundledNeed {
  readonly variable: number;
  readonly name: string;
  readonly versions: Versions;
  readonly offer: Requirer & VersionTable;
}

function encodeBundled(g: Encoding, by: Requirer, { variable, name, versions, offer }: BundledNeed): void {
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

/** What an object needs of a value, which is one of those that may serve it. */
interface OfferedNeed {
  readonly variable: number;
  readonly versions: Versions;
  readonly value: Value;
}

/** Returns the clause that keeps the two apart whatever the loader is, if there is one. */
function encodeOffer(
  g: Encoding,
  by: Requirer | Provider,
  { variable, versions, value }: OfferedNeed,
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

const NOTHING: readonly string[] = [];

/** Only of another version of the library is it asked, and not if the user chose that file. */
function missingSymbols(g: Encoding, by: Requirer, name: string, offer: Provider): readonly string[] {
  if (!isClosest(offer) || g.problem.pins?.has(name)) return NOTHING;
  const coverage = g.problem.closest?.coverage(by, name, offer);
  if (!coverage) return NOTHING;
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

/** ld.so lets the first file loaded under a soname serve every later request for it (NOTES.md, sonames). */
function encodeSoname(g: Encoding, value: Value): void {
  const { name } = value.name;
  const { soname } = value.provider;
  for (const alias of g.aliases.get(name) ?? []) forbidClash(g, alias, value);
  remember(g.chosen, name, value);
  if (soname === undefined || soname === name) return;
  const bundled = g.problem.bundled.get(soname);
  if (bundled && !sameFile(value.provider, bundled.path)) {
    const clash = {
      kind: 'soname-clash',
      name,
      soname,
      file: value.provider.path,
      other: bundled.path,
    } as const;
    constrain(g, [negative(value.variable)], clash);
  }
  for (const other of g.chosen.get(soname) ?? []) forbidClash(g, value, other);
  remember(g.aliases, soname, value);
}

function remember(map: Map<string, Value[]>, name: string, value: Value): void {
  const list = map.get(name);
  if (list) list.push(value);
  else map.set(name, [value]);
}

function forbidClash(g: Encoding, alias: Value, other: Value): void {
  const { path } = other.provider;
  const { name } = alias.name;
  if (
    sameFile(alias.provider, path) ||
    sameFile(alias.provider, `${other.provider.storePath}/${other.provider.file}`)
  )
    return;
  const soname = other.name.name;
  const clash = { kind: 'soname-clash', name, soname, file: alias.provider.path, other: path } as const;
  constrain(g, [negative(alias.variable), negative(other.variable)], clash);
}

/** The node of a name; the first request reads its providers. */
function nameNode(g: Encoding, name: string): NameNode {
  const known = g.names.get(name);
  if (known) return known;
  const values: Value[] = [];
  const active = newVariable(g.sat);
  const node: { -readonly [key in keyof NameNode]: NameNode[key] } = {
    name,
    active,
    values,
    choice: undefined,
  };
  g.names.set(name, node);
  if (g.problem.isFamily(name)) addFamily(g, node, values);
  else node.choice = addProviders(g, node, values);
  const group = values.map((value) => value.variable);
  for (const variable of group) g.sat.group[variable] = group;
  return node;
}

function addFamily(g: Encoding, node: NameNode, values: Value[]): void {
  const inactive = negative(node.active);
  for (const loader of g.loaders) {
    const provider = loader.candidate.family.get(node.name);
    if (provider) {
      const value = addValue(g, node, { values, provider, loader });
      addClause(g.sat, [negative(value.variable), positive(loader.variable)], -1);
      addClause(g.sat, [inactive, negative(loader.variable), positive(value.variable)], -1);
    } else {
      const constraint = { kind: 'family-missing', name: node.name, loader: loader.candidate } as const;
      constrain(g, [inactive, negative(loader.variable)], constraint);
    }
  }
}

function addProviders(g: Encoding, node: NameNode, values: Value[]): Clause | undefined {
  const { name } = node;
  const inactive = negative(node.active);
  const providers = g.problem.providersOf(name).toSorted((a, b) => compareRanks(a.rank, b.rank));
  for (const provider of providers) addValue(g, node, { values, provider, loader: undefined });
  const choice = [inactive, ...values.map((value) => positive(value.variable))];
  if (!values.length) constrain(g, [negative(g.always), inactive], { kind: 'no-provider', name });
  const path = g.problem.pins?.get(name);
  const excluded = values.filter((value) => g.problem.excluded?.(value.provider));
  const paths = excluded.map((value) => value.provider.path);
  for (const value of excluded) {
    constrain(g, [inactive, negative(value.variable)], { kind: 'excluded', name, paths });
  }
  for (const value of values) {
    if (path === undefined || sameFile(value.provider, path)) continue;
    constrain(g, [inactive, negative(value.variable)], { kind: 'pinned', name, path });
  }
  return values.length ? addClause(g.sat, choice, -1) : undefined;
}

/** The list it joins, and the library that it stands for. */
interface AddedValue {
  readonly values: Value[];
  readonly provider: Provider;
  readonly loader: LoaderNode | undefined;
}

function addValue(g: Encoding, name: NameNode, { values, provider, loader }: AddedValue): Value {
  const inside = `${provider.storePath}/`;
  const value: Value = { variable: newVariable(g.sat), name, provider, inside, loader, needs: [] };
  g.values[value.variable] = value;
  values.push(value);
  return value;
}

/** "This provider serves this name". */
export interface Value {
  readonly variable: number;
  readonly name: NameNode;
  readonly provider: Provider;
  /** Its store path with a slash at the end. */
  readonly inside: string;
  /** For the libc family: the loader it belongs to. */
  readonly loader: LoaderNode | undefined;
  /** Where its own needs lead; filled when it is first chosen. Bundled names are left out. */
  readonly needs: NameNode[];
}

/** A name that somebody reached by the search needs. */
export interface NameNode {
  readonly name: string;
  /** The variable for "somebody needs it". */
  readonly active: number;
  /** Best rank first. */
  readonly values: readonly Value[];
  /** The clause that one of the values is chosen when it is active; none for the libc family. */
  readonly choice: Clause | undefined;
}

export interface LoaderNode {
  readonly variable: number;
  readonly candidate: LoaderCandidate;
}

export interface Encoding {
  readonly problem: Problem;
  readonly sat: SatSolver;
  /** The variable that is always true: what the roots follow from. */
  readonly always: number;
  readonly names: Map<string, NameNode>;
  readonly loaders: readonly LoaderNode[];
  /** By variable. */
  readonly values: (Value | undefined)[];
  /** By clause tag. */
  readonly constraints: Constraint[];
  /** Where the roots' needs lead, in load order. */
  readonly rootNeeds: NameNode[];
  /** soname → chosen values whose file carries it under another name. */
  readonly aliases: Map<string, Value[]>;
  /** name → values that have been chosen at some time. */
  readonly chosen: Map<string, Value[]>;
  /** Keys of the constraints in force; undefined: all. */
  readonly only: ReadonlySet<string> | undefined;
  /** Keys of `unbound-symbol` for references bound when called that may stay undefined. */
  readonly tolerated: ReadonlySet<string> | 'all';
}

/** Adds a clause unless its constraint has been dropped. */
function constrain(g: Encoding, lits: number[], constraint: Constraint): Clause | undefined {
  if (g.only && constraint.kind !== 'need' && !g.only.has(constraintKey(constraint))) return undefined;
  return addClause(g.sat, lits, g.constraints.push(constraint) - 1);
}
