// Attributes of nixpkgs, and the system of a program → the line that brings them into the store.
import { findMachine, type MachineKey, machinesRunBy } from '../elf/machine.ts';
import { listText } from '../host/output.ts';
import { knownProvider } from './known-providers.ts';

/** Systems that nixpkgs' own cache has packages for: nothing is built here. */
const CACHED = ['x86_64-linux', 'aarch64-linux'];

/** The system of a program, where Nix' own is another one; `arch` as in `process.arch`. */
export function foreignSystem(system: string | undefined, arch: string = process.arch): string | undefined {
  return system === '' || system === machinesRunBy(arch)[0]?.system ? undefined : system;
}

/**
 * A clause on systems that Nix builds for only where its settings say so; empty for others. On x86_64 it builds for
 * i686 as well (Nix manual, "extra-platforms").
 */
export function demandOnNix(system: string | undefined, arch: string = process.arch): string {
  const foreign = foreignSystem(system, arch);
  if (foreign === undefined || CACHED.includes(foreign)) return '';
  if (foreign === 'i686-linux' && arch === 'x64') return '';
  return `, which Nix builds only where extra-platforms or builders in nix.conf name ${foreign}`;
}

/** Names the system where the program's machine is not this one. */
export function nixBuild(
  attributes: readonly string[],
  system: string | undefined,
  arch: string = process.arch,
): string {
  const foreign = foreignSystem(system, arch);
  const words = [
    ...(foreign === undefined ? [] : ['--argstr', 'system', foreign]),
    ...attributes.flatMap((each) => ['-A', each]),
  ];
  const line = `nix-build '<nixpkgs>' ${words.join(' ')}`;
  return `${line}${demandOnNix(system, arch)}`;
}

/** What a program demands of a package; for this machine and glibc where nothing is said. */
export interface Demand {
  readonly elf?: MachineKey | undefined;
  readonly libc?: { readonly kind: 'glibc' | 'musl' } | undefined;
}

/** As Nix calls it. */
export const systemOf = ({ elf }: Demand): string | undefined => elf && findMachine(elf)?.system;

/** More are not named again: the cause has them all. */
const MOST_UNKNOWN = 3;

/**
 * What to type for libraries that the store lacks: attributes of nixpkgs, where the table of known providers has them,
 * and the names that it does not have.
 */
export function bringing(sonames: readonly string[], demand: Demand = {}): string {
  const known = [...new Set(sonames.flatMap((soname) => knownProvider(soname)?.attr ?? []))].sort();
  const attributes = known.length === 0 ? ['PACKAGE'] : known;
  const prefix = demand.libc?.kind === 'musl' ? 'pkgsMusl.' : '';
  const ofLibc = attributes.map((each) => `${prefix}${each}`);
  const unknown = known.length === 0 ? [] : sonames.filter((soname) => knownProvider(soname) === undefined);
  const others = unknown.length === 0 ? '' : `, and what has ${listText(unknown, MOST_UNKNOWN)}`;
  return `e.g. ${nixBuild(ofLibc, systemOf(demand))}${others}, and try again`;
}
