// A Problem and some of the reasons against it -> the problem in which these reasons hold and nothing else does.
import type { LoaderCandidate, Problem, Provider, Requirer } from '../../src/candidates/problem.ts';
import type { Reason } from '../../src/solver/solution.ts';

/** `by` cannot use `offer` for `name`: said with a version of its own that every other offer of the name defines. */
interface Ban {
  readonly name: string;
  readonly by: string;
  readonly offer: string;
  readonly version: string;
}

type Offering = Pick<Provider, 'path' | 'verdef' | 'hasVerdef' | 'hasVersym'>;

/**
 * Who needs what and which files there are stays; every version, soname and manner is lifted, and each missing name is provided by
 * a stand-in, except where a reason in `kept` speaks against it. Built apart from src/solver, which can so be asked whether each reason
 * of a conflict is needed. Throws for kinds of reasons that cannot be stated so.
 */
export function onlyReasons(problem: Problem, kept: readonly Reason[]): Problem {
  const bans = kept.flatMap(banOf);
  const missing = new Set(kept.flatMap((r) => (r.kind === 'no-provider' ? [r.name] : [])));
  const excluded = new Set(kept.flatMap((r) => (r.kind === 'excluded' ? r.paths : [])));
  const pins = kept.flatMap((r) => (r.kind === 'pinned' ? [[r.name, r.path] as const] : []));
  const providers = new Map<string, readonly Provider[]>();
  const providersOf = (name: string): readonly Provider[] => {
    const known = providers.get(name);
    if (known) return known;
    const real = problem
      .providersOf(name)
      .map((each) => ({ ...plain(each, bans), ...open(each, name, bans) }));
    const all = real.length || missing.has(name) ? real : [standIn(name)];
    providers.set(name, all);
    return all;
  };
  const lacks = new Set(kept.flatMap((r) => (r.kind === 'family-missing' ? [`${r.loader}\0${r.name}`] : [])));
  const family = familyNames(problem);
  const loaders = problem.loaders.map((loader) => wholeLoader(loader, family, lacks, bans));
  const none = kept.some(({ kind }) => kind === 'no-loader');
  return {
    roots: problem.roots.map((each) => bare(each, bans)),
    bundled: new Map(
      [...problem.bundled].map(([name, each]) => [name, { ...bare(each, bans), ...open(each, name, bans) }]),
    ),
    providersOf,
    loaders: loaders.length || none ? loaders : [wholeLoader(anyLoader, family, lacks, bans)],
    isFamily: problem.isFamily,
    pins: new Map(pins),
    excluded: ({ path }) => excluded.has(path),
  };
}

function banOf(reason: Reason, index: number): Ban[] {
  switch (reason.kind) {
    case 'missing-version':
    case 'private-version':
    case 'missing-symbols': {
      const { name, neededByPath: by, offeredBy: offer } = reason;
      return [{ name, by, offer, version: `REASON_${index}` }];
    }
    case 'unversioned':
    case 'unbound-symbol':
    case 'soname-clash':
      throw new Error(`${reason.kind} cannot be stated by itself`);
    default:
      return [];
  }
}

/** What the object needs, without any version but those of the bans. */
function bare<T extends Requirer>(object: T, bans: readonly Ban[]): T {
  const needed = [...new Set([...object.needed, ...object.verneed.map(({ file }) => file)])];
  const own = bans.filter(({ by }) => by === object.path);
  const verneed = needed.flatMap((file) => {
    const versions = own
      .filter(({ name }) => name === file)
      .map(({ version }) => ({ name: version, weak: false }));
    return versions.length ? [{ file, versions }] : [];
  });
  return { ...object, needed, verneed };
}

/** A file that offers `name` and defines everything that it is not banned for. */
function open({ path }: { readonly path: string }, name: string, bans: readonly Ban[]): Offering {
  const verdef = bans.filter((ban) => ban.name === name && ban.offer !== path).map(({ version }) => version);
  return { path, verdef, hasVerdef: true, hasVersym: true };
}

function plain(provider: Provider, bans: readonly Ban[]): Provider {
  return { ...bare(provider, bans), soname: undefined, builtWith: undefined, ownChoice: new Map() };
}

/** The missing library, brought into the store. */
function standIn(name: string, storePath = '/nix/store/stand-in'): Provider {
  return {
    label: name,
    path: `${storePath}/lib/${name}`,
    needed: [],
    verneed: [],
    storePath,
    file: `lib/${name}`,
    soname: undefined,
    verdef: [],
    hasVerdef: false,
    hasVersym: true,
    builtWith: undefined,
    ownChoice: new Map(),
    rank: [],
  };
}

const anyLoader: LoaderCandidate = {
  storePath: '/nix/store/stand-in-libc',
  path: '/nix/store/stand-in-libc/lib/ld.so',
  family: new Map(),
  rank: [],
};

function wholeLoader(
  loader: LoaderCandidate,
  names: ReadonlySet<string>,
  lacks: ReadonlySet<string>,
  bans: readonly Ban[],
): LoaderCandidate {
  const family = new Map<string, Provider>();
  for (const name of names) {
    if (lacks.has(`${loader.path}\0${name}`)) continue;
    const own = loader.family.get(name) ?? standIn(name, loader.storePath);
    family.set(name, { ...plain(own, bans), ...open(own, name, bans) });
  }
  return { ...loader, family };
}

/** Names of the libc family that anything in reach needs. */
function familyNames(problem: Problem): ReadonlySet<string> {
  const found = new Set(problem.loaders.flatMap(({ family }) => [...family.keys()]));
  const seen = new Set<string>();
  const queue: Requirer[] = [
    ...problem.roots,
    ...problem.loaders.flatMap(({ family }) => [...family.values()]),
  ];
  for (let object = queue.pop(); object; object = queue.pop()) {
    for (const name of [...object.needed, ...object.verneed.map(({ file }) => file)]) {
      if (problem.isFamily(name)) found.add(name);
      else if (!seen.has(name) && !problem.bundled.has(name)) queue.push(...problem.providersOf(name));
      seen.add(name);
    }
  }
  return found;
}
