// Store paths → those that are valid here, with Nix's hash of each where it has one.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { pathFacts } from '../store/path-facts.ts';
import type { Context } from './context.ts';

/**
 * Where there is a store and nothing of Nix (mounted into a container), what is there counts, without a hash.
 * @throws ForeignError `nix-failed`.
 */
export async function validPaths(
  { location, nix }: Pick<Context, 'location' | 'nix'>,
  storePaths: readonly string[],
): Promise<ReadonlyMap<string, string | undefined>> {
  const facts = await pathFacts(location, nix, storePaths);
  if (nix === undefined && !existsSync(path.join(location.stateDir, 'db'))) {
    return new Map(storePaths.filter(existsSync).map((each) => [each, undefined]));
  }
  return new Map([...facts].map(([storePath, { narHash }]) => [storePath, narHash]));
}
