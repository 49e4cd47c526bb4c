// The user's LD_LIBRARY_PATH → the chosen libraries that something in it would hide.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { libraryPathDirectories } from '../elf/run-path.ts';

/** ld.so, nix-ld and the loader strategy all search the user's own path first. Sorted by name. */
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
