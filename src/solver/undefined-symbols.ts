// A whole set → the strong references that nobody in it defines.
import type { LoaderCandidate, Problem, Provider, Requirer } from '../candidates/problem.ts';
import type { UnboundSymbol } from './solution.ts';
import { namesLoadedBy } from './version-needs.ts';

export interface UnboundReference {
  readonly by: Requirer;
  readonly symbol: string;
}

/** What binding asks of a loaded object; `hasVerdef` is only a hint where to look first. */
type BindingObject = Requirer & { readonly hasVerdef?: boolean };

interface SymbolScope {
  readonly all: readonly BindingObject[];
  readonly byName: ReadonlyMap<string, BindingObject>;
}

/** The roots, what of the bundled files these objects and drivers need, and what is served. */
export function loadedObjects(
  { roots, bundled }: Problem,
  served: readonly BindingObject[],
): BindingObject[] {
  const needing = bundled.size === 0 ? [] : [...roots, ...served];
  const names = new Set(needing.flatMap((each) => namesLoadedBy(each, bundled)));
  for (const name of names) {
    const file = bundled.get(name);
    if (file?.isDriver) for (const each of namesLoadedBy(file, bundled)) names.add(each);
  }
  return [...roots, ...[...bundled].flatMap(([name, file]) => (names.has(name) ? [file] : [])), ...served];
}

/**
 * ld.so looks in everything that is loaded at the start, the loader itself included (glibc elf/dl-lookup.c; one global
 * scope), so the order
 * does not matter here. References of the libc family itself are not looked at: it is one build; nor those of drivers.
 * @param served name → provider; the libc family included
 */
export function* unboundReferences(
  problem: Problem,
  loader: LoaderCandidate,
  served: ReadonlyMap<string, Provider>,
): Generator<UnboundReference> {
  const { symbols } = problem;
  if (symbols === undefined) return;
  const loaded = new Map<string, BindingObject>();
  for (const object of loadedObjects(problem, [...served.values()])) loaded.set(object.path, object);
  const itself: BindingObject = { label: loader.path, path: loader.path, needed: [], verneed: [] };
  const scope = {
    all: [...loaded.values(), ...(loaded.has(loader.path) ? [] : [itself])],
    byName: new Map([...problem.bundled, ...served]),
  };
  const files = new Set(scope.all.map(({ path }) => path));
  const family = new Set([...served].flatMap(([name, { path }]) => (problem.isFamily(name) ? [path] : [])));
  for (const by of loaded.values()) {
    if (family.has(by.path) || by.isDriver === true) continue;
    if (symbols.boundAmong?.(by.path)?.every((file) => files.has(file))) continue;
    const wanted = symbols.wantedBy(by.path);
    const likely = wanted.length === 0 ? [] : likelyFirst(scope, by);
    // Few objects define nearly all that one wants, and not only those that it needs itself.
    const definers: BindingObject[] = [];
    let isBound = true;
    for (const symbol of wanted) {
      const defines = ({ path }: BindingObject) => symbols.definedBy(path, symbol);
      if (definers.some(defines)) continue;
      const definer = likely.find(defines);
      if (definer !== undefined) {
        definers.push(definer);
        continue;
      }
      isBound = false;
      yield { by, symbol };
    }
    if (isBound)
      symbols.noteBound?.(
        by.path,
        definers.map(({ path }) => path),
      );
  }
}

/** What it needs itself, first of all libraries without versions: of others most references are not looked at. */
function likelyFirst({ all, byName }: SymbolScope, by: Requirer): readonly BindingObject[] {
  const own = by.needed.flatMap((name) => byName.get(name) ?? []);
  const ordered = new Set([...own.filter((each) => each.hasVerdef !== true), ...own, ...all]);
  ordered.delete(by);
  return [...ordered];
}

/** Those that are looked up when they are first called, sorted by object and symbol. */
export function undefinedSymbolsIn(
  problem: Problem,
  loader: LoaderCandidate,
  served: ReadonlyMap<string, Provider>,
): UnboundSymbol[] {
  return [...unboundReferences(problem, loader, served)]
    .filter(({ by, symbol }) => problem.symbols?.boundAt(by.path, symbol) === 'call')
    .map(({ by, symbol }) => ({ symbol, neededBy: by.label, neededByPath: by.path }))
    .sort((a, b) => byText(a.neededByPath, b.neededByPath) || byText(a.symbol, b.symbol));
}

const byText = (a: string, b: string): number => (a < b ? -1 : Number(a > b));
