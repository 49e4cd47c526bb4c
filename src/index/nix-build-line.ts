// Attributes of nixpkgs, and the system of a program → the line that brings them into the store.
import { machinesRunBy } from '../elf/machine.ts';

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
