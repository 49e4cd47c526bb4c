// A small Problem -> every conceivable set with what is wrong with it and what it costs. Written apart from src/solver.
import type { LoaderCandidate, Problem, Provider, Requirer } from '../../src/candidates/problem.ts';
import type { Reason } from '../../src/solver/solution.ts';

export interface WholeSet {
  readonly loader: LoaderCandidate;
  readonly served: ReadonlyMap<string, Provider>;
  /** Keys of the reasons against it; empty for a coherent set. */
  readonly violations: ReadonlySet<string>;
  /** `path symbol` of references that are bound when called, and that nobody in the set defines. */
  readonly undefinedSymbols: ReadonlySet<string>;
  /** Smaller is better, position by position. */
  readonly merit: readonly number[];
}

const needs = (o: Requirer): string[] => [...new Set([...o.needed, ...o.verneed.map((v) => v.file)])];

/** Every way to serve the names that the way itself makes needed. */
export function* everySet(p: Problem): Generator<WholeSet> {
  for (const loader of p.loaders) yield* extend(p, loader, new Map());
}

function* extend(
  p: Problem,
  loader: LoaderCandidate,
  served: Map<string, Provider | undefined>,
): Generator<WholeSet> {
  const name = loadOrder(p, served).find((candidate) => !served.has(candidate));
  if (name === undefined) {
    yield judge(p, loader, served);
    return;
  }
  const own = loader.family.get(name);
  const offers = p.isFamily(name) ? (own ? [own] : []) : p.providersOf(name);
  for (const offer of offers.length ? offers : [undefined]) {
    yield* extend(p, loader, new Map(served).set(name, offer));
  }
}

function loadOrder(p: Problem, served: ReadonlyMap<string, Provider | undefined>): string[] {
  const order = new Set(p.roots.flatMap(needs).filter((name) => !p.bundled.has(name)));
  for (const name of order) {
    const offer = served.get(name);
    for (const need of offer ? needs(offer) : []) if (!p.bundled.has(need)) order.add(need);
  }
  return [...order];
}

/** Equal for a reason that solve() reports and the violation it stands for. */
export function reasonKey(r: Reason): string {
  const unchecked = {
    highest: '',
    neededBy: '',
    paths: '',
    offers: 0,
    offeredIn: '',
    lackingLibraries: '',
    definers: '',
  };
  const { highest, neededBy, paths, offers, offeredIn, lackingLibraries, definers, ...rest } = {
    ...unchecked,
    ...r,
  };
  return JSON.stringify(Object.entries(rest).sort());
}

function judge(
  p: Problem,
  loader: LoaderCandidate,
  all: ReadonlyMap<string, Provider | undefined>,
): WholeSet {
  const served = new Map([...all].flatMap(([name, offer]) => (offer ? [[name, offer] as const] : [])));
  const violations = new Set<string>();
  const report = (reason: Reason) => violations.add(reasonKey(reason));
  for (const [name, offer] of all) {
    if (!offer && p.isFamily(name))
      report({ kind: 'family-missing', name, neededBy: '', loader: loader.path });
    else if (!offer) report({ kind: 'no-provider', name, neededBy: [] });
    else if (!p.isFamily(name)) judgeWish(p, name, offer, report);
  }
  judgeLoader(p, loader, report);
  judgeSonames(p, served, report);
  for (const object of [...p.roots, ...served.values()]) judgeObject(p, loader, served, object, report);
  const undefinedSymbols = judgeSymbols(p, loader, served, report);
  return { loader, served, violations, undefinedSymbols, merit: meritOf(p, loader, served) };
}

type Report = (reason: Reason) => void;

function judgeWish(p: Problem, name: string, offer: Provider, report: Report): void {
  const pin = p.pins?.get(name);
  if (pin !== undefined && pin !== offer.path) report({ kind: 'pinned', name, path: pin });
  if (p.excluded?.(offer)) report({ kind: 'excluded', name, paths: [] });
}

function judgeLoader(p: Problem, loader: LoaderCandidate, report: Report): void {
  for (const [name, offer] of loader.family) {
    const pin = p.pins?.get(name);
    if (pin !== undefined && pin !== offer.path) report({ kind: 'pinned', name, path: pin });
    if (p.excluded?.(offer)) report({ kind: 'excluded', name: loader.path, paths: [] });
  }
}

function judgeSonames(p: Problem, served: ReadonlyMap<string, Provider>, report: Report): void {
  for (const [name, { soname, path }] of served) {
    if (soname === undefined || soname === name) continue;
    const other = p.bundled.get(soname) ?? served.get(soname);
    if (other && other.path !== path)
      report({ kind: 'soname-clash', name, soname, file: path, other: other.path });
  }
}

function judgeObject(
  p: Problem,
  loader: LoaderCandidate,
  served: ReadonlyMap<string, Provider>,
  by: Requirer | Provider,
  report: Report,
): void {
  for (const { file: name, versions } of by.verneed) {
    const bundled = p.bundled.get(name);
    const offer = bundled ?? served.get(name);
    if (!offer) continue;
    const sides = {
      name,
      neededBy: by.label,
      neededByPath: by.path,
      offeredBy: offer.path,
      offeredIn: undefined,
    };
    const missing = versions.filter((v) => !v.weak && offer.hasVerdef && !offer.verdef.includes(v.name));
    for (const { name: version } of missing) {
      report({ ...sides, kind: 'missing-version', version, offers: 0, highest: undefined });
    }
    const own = 'storePath' in by && [by.storePath, by.builtWith].includes(loader.storePath);
    if (missing.length) continue;
    if (!bundled && p.isFamily(name) && !own && versions.some((v) => v.name === 'GLIBC_PRIVATE')) {
      report({ ...sides, kind: 'private-version' });
    } else if (!offer.hasVersym && versions.length && loader.version && Number(loader.version[1]) <= 40) {
      report({ ...sides, kind: 'unversioned', loader: loader.path });
    }
  }
}

/** A bundled file that nobody needs is not loaded, nor what no loaded driver brings along. */
export function loadedIn(p: Problem, served: ReadonlyMap<string, Provider>): Requirer[] {
  const names = [...p.roots, ...served.values()].flatMap(needs);
  for (let known = -1; known < names.length; ) {
    known = names.length;
    for (const [name, { broughtAlong = [] }] of p.bundled)
      if (names.includes(name)) names.push(...broughtAlong.filter((each) => !names.includes(each)));
  }
  const bundled = [...p.bundled].filter(([name]) => names.includes(name)).map(([, file]) => file);
  return [...p.roots, ...bundled, ...served.values()];
}

/** Every reference against every file; those of the libc family are not asked. */
function judgeSymbols(
  p: Problem,
  loader: LoaderCandidate,
  served: ReadonlyMap<string, Provider>,
  report: Report,
): Set<string> {
  const undefinedSymbols = new Set<string>();
  const family = [...served].filter(([name]) => p.isFamily(name)).map(([, offer]) => offer.path);
  const loaded = loadedIn(p, served);
  const files = [...loaded, loader].map(({ path }) => path);
  for (const by of loaded.filter(({ path, isDriver }) => !isDriver && !family.includes(path))) {
    for (const symbol of p.symbols?.wantedBy(by.path) ?? []) {
      if (files.some((file) => file !== by.path && p.symbols?.definedBy(file, symbol))) continue;
      const when = p.symbols?.boundAt(by.path, symbol);
      const sides = { neededBy: by.label, neededByPath: by.path, definers: [], lackingLibraries: [] };
      if (when === 'start') report({ kind: 'unbound-symbol', symbol, ...sides });
      if (when === 'call') undefinedSymbols.add(`${by.path} ${symbol}`);
    }
  }
  return undefinedSymbols;
}

/** The order of NOTES.md, "What is optimal", spelled out: counts, loader, overrides, then name by name in load order. */
function meritOf(p: Problem, loader: LoaderCandidate, served: ReadonlyMap<string, Provider>): number[] {
  const order = loadOrder(p, served).filter((name) => served.has(name) && !p.isFamily(name));
  const all = loadOrder(p, served).flatMap((name) => served.get(name) ?? []);
  const step = order.flatMap((name) => {
    const offer = served.get(name) as Provider;
    const before = all.slice(
      0,
      loadOrder(p, served)
        .filter((other) => served.has(other))
        .indexOf(name),
    );
    const overridden = before.filter((o) => differs(offer, o.ownChoice.get(name))).length;
    const foreign = offer.builtWith !== undefined && offer.builtWith !== loader.storePath;
    return [
      offer.match === 'closest' ? 1 : 0,
      foreign ? 1 : 0,
      overridden,
      p.providersOf(name).indexOf(offer),
    ];
  });
  const sum = (position: number) => step.filter((_, i) => i % 4 === position).reduce((a, b) => a + b, 0);
  let overrides = 0;
  for (const object of all)
    for (const name of needs(object)) {
      const offer = p.bundled.has(name) || p.isFamily(name) ? undefined : served.get(name);
      if (offer && differs(offer, object.ownChoice.get(name))) overrides++;
    }
  return [sum(0), sum(1), p.loaders.indexOf(loader), overrides, ...step];
}

const differs = (offer: Provider, path: string | undefined): boolean =>
  path !== undefined && !path.startsWith(`${offer.storePath}/`);

export function compareMerit(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference) return difference;
  }
  return a.length - b.length;
}
