// An environment and a machine → the loader or launcher that nix-ld of that machine enters.
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Machine } from '../../elf/machine.ts';
import { isExecutable } from '../../host/files.ts';
import type { Environment } from '../../host/tool-environment.ts';

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
  env: Environment,
  { nixLdSuffix }: Pick<Machine, 'nixLdSuffix'>,
): NamedLoader | undefined {
  const own = `NIX_LD_${nixLdSuffix}`;
  const variable = env[own] === undefined ? 'NIX_LD' : own;
  const value = env[variable] ?? '';
  if (value === '') return undefined;
  return { variable, file: existsSync(value) ? value : value.replace(/\n$/, '') };
}

/** Whether nix-ld of that machine enters the launcher. */
export function entersLauncher(env: Environment, machine: Pick<Machine, 'nixLdSuffix'>): boolean {
  const file = loaderOfNixLd(env, machine)?.file ?? '';
  return path.basename(file) === 'nix-run-foreign' && isExecutable(file);
}
