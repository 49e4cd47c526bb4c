// A soname that many packages carry → the package of nixpkgs that it belongs to.
import { TABLE } from './known-libraries.ts';

/**
 * Where a row of the table was seen: `ld` the default list of NixOS' nix-ld module
 * (nixos/modules/programs/nix-ld.nix); `fhs` the lists of what Linux programs expect
 * (pkgs/by-name/st/steam/package.nix, build-support/build-fhsenv-bubblewrap); `alias`
 * pkgs/top-level/all-packages.nix or aliases.nix; `name` the package of that name, whose upstream build names the
 * library so.
 */
type Source = 'ld' | 'fhs' | 'alias' | 'name';

/** One package that may have a library, by its name in store paths and, where that matters, its output. */
interface KnownPackage {
  readonly name: string;
  readonly output: string | undefined;
}

export interface KnownProvider {
  /** With the output, as for `nix-build '<nixpkgs>' -A`. */
  readonly attr: string;
  /** The best one first. */
  readonly packages: readonly KnownPackage[];
  readonly source: Source;
}

function packageOf(word: string): KnownPackage {
  const [name = '', output] = word.split(':');
  return { name, output };
}

function entriesOf(row: string): [string, KnownProvider][] {
  const [attr = '', packages = '', sonames = '', source = ''] = row.split(' | ');
  const provider = { attr, packages: packages.split(' ').map(packageOf), source: source as Source };
  return sonames.split(' ').map((name) => [name, provider]);
}

export const KNOWN_PROVIDERS: ReadonlyMap<string, KnownProvider> = new Map(
  TABLE.trim().split('\n').flatMap(entriesOf),
);

/** The package that a library name belongs to, where the table knows it. */
export function knownProvider(name: string): KnownProvider | undefined {
  return KNOWN_PROVIDERS.get(name) ?? KNOWN_PROVIDERS.get(`${name.slice(0, name.indexOf('.so'))}.so.*`);
}

/** Whether its package calls it otherwise in each release, so that the attribute alone does not tell which it has. */
export function hasManyVersions(name: string): boolean {
  return knownProvider(name) !== undefined && !KNOWN_PROVIDERS.has(name);
}
