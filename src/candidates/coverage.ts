// An object that needs a name, and a library of another version → which of the symbols and versions it needs are there.
import type { DynamicSymbol } from '../elf/read-symbols.ts';
import type { Coverage, Problem, Provider, Requirer } from './problem.ts';
import { binds, type Symbols, serves } from './symbol-tables.ts';

/** What of a problem tells who else is loaded: the exact providers, best first. */
export type Scope = Pick<Problem, 'roots' | 'bundled' | 'providersOf' | 'loaders' | 'isFamily'>;

/** `SSL_CTX_new@OPENSSL_1_1_0`, as nm(1) writes it. */
function spelled({ name, version }: DynamicSymbol): string {
  return version === undefined ? name : `${name}@${version}`;
}

function serverOf(scope: Scope, name: string): Requirer | undefined {
  const bundled = scope.bundled.get(name);
  if (bundled) return bundled;
  return scope.isFamily(name) ? scope.loaders[0]?.family.get(name) : scope.providersOf(name)[0];
}

/**
 * The objects that a reference of `by` may bind to besides the library it lacks: all that is loaded with the best
 * providers (glibc elf/dl-lookup.c: the program's scope first).
 */
function* othersInScope(scope: Scope, by: Requirer): Generator<Requirer> {
  const queue: Requirer[] = [by, ...scope.roots];
  const seen = new Set<string>();
  for (let object = queue.shift(); object !== undefined; object = queue.shift()) {
    if (object.path !== by.path) yield object;
    for (const name of object.needed) {
      if (seen.has(name)) continue;
      seen.add(name);
      const server = serverOf(scope, name);
      if (server !== undefined) queue.push(server);
    }
  }
}

/**
 * The symbols without version, and so without a file, that `by` needs and nobody else in its scope defines. The same for
 * every library it lacks.
 */
export function homelessOf(
  scope: Scope,
  by: Requirer,
  symbolsOf: (file: string) => Symbols,
): readonly DynamicSymbol[] {
  let homeless = symbolsOf(by.path).wanted.filter(({ version }) => version === undefined);
  for (const other of othersInScope(scope, by)) {
    if (homeless.length === 0) break;
    const { defined } = symbolsOf(other.path);
    homeless = homeless.filter((symbol) => !binds(symbol, defined.get(symbol.name)));
  }
  return homeless;
}

/** The symbols that `by` needs from the library `name`: those whose version it needs from that file, and the `homeless`. */
export function neededFrom(
  by: Requirer,
  name: string,
  homeless: readonly DynamicSymbol[],
  symbolsOf: (file: string) => Symbols,
): readonly DynamicSymbol[] {
  return [...symbolsOf(by.path).wanted.filter(({ from }) => from === name), ...homeless];
}

/**
 * Versions that ld.so would look for in the file and not find (glibc elf/dl-version.c, match_symbol). In a file without
 * any it would only warn, on every start.
 */
function missingVersions(by: Requirer, name: string, provider: Provider): string[] {
  return by.verneed
    .filter(({ file }) => file === name)
    .flatMap(({ versions }) => versions.filter(({ weak }) => !weak).map((version) => version.name))
    .filter((version) => !provider.verdef.includes(version));
}

/** Compares what is needed with what a library of another version defines. */
export function coverageOf(
  needed: readonly DynamicSymbol[],
  by: Requirer,
  name: string,
  provider: Provider,
  symbolsOf: (file: string) => Symbols,
): Coverage {
  const { defined } = symbolsOf(provider.path);
  const missing = needed.filter((symbol) => !serves(symbol, defined.get(symbol.name)));
  return {
    needed: [...new Set(needed.map(spelled))],
    missing: [...new Set(missing.map(spelled))].sort(),
    missingVersions: [...new Set(missingVersions(by, name, provider))].sort(),
  };
}
