// An environment and a machine → the loader or launcher that nix-ld of that machine enters.
import { existsSync } from 'node:fs';
import type { Machine } from '../../elf/machine.ts';

/** The file, and the variable that names it. */
interface NamedLoader {
  readonly variable: string;
  readonly file: string;
}

/**
 * `NIX_LD_<system>` counts before `NIX_LD`, also where it is empty, which stands for nix-ld's default (nix-ld,
 * src/main.rs). Of a name that is not there it takes a newline away (src/elf.rs, `open`). Undefined for its default.
 */
export function loaderOfNixLd(
  env: Readonly<Record<string, string | undefined>>,
  { nixLdSuffix }: Pick<Machine, 'nixLdSuffix'>,
): NamedLoader | undefined {
  const own = `NIX_LD_${nixLdSuffix}`;
  const variable = env[own] === undefined ? 'NIX_LD' : own;
  const value = env[variable] ?? '';
  if (value === '') return undefined;
  return { variable, file: existsSync(value) ? value : value.replace(/\n$/, '') };
}
