// The user's LD_LIBRARY_PATH → the chosen libraries that something in it would hide.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { libraryPathDirectories } from '../elf/run-path.ts';
import type { Strategy } from './plan.ts';

/** ld.so, nix-ld and the loader strategy search the user's own path first, the launcher as interpreter where it is told to. */
export function usersPathComesFirst(
  strategy: Strategy,
  env: Readonly<Record<string, string | undefined>>,
): boolean {
  return strategy !== 'interpreter' || env['NIX_RUN_FOREIGN_LIBRARY_ORDER'] === 'user-first';
}

/** What of the user's path has the name of a chosen library. Sorted by name. */
export function shadowingEntries(
  libraryPath: string | undefined,
  names: readonly string[],
): { name: string; by: string }[] {
  if (libraryPath === undefined) return [];
  const tokens = { origin: undefined, lib: 'lib', platform: 'x86_64' };
  const directories = libraryPathDirectories(libraryPath, tokens);
  return [...names].sort().flatMap((name) => {
    const by = directories.map((directory) => path.resolve(directory, name)).find((file) => existsSync(file));
    return by === undefined ? [] : [{ name, by }];
  });
}
