// Planned objects → a store that holds them, built by Nix itself, with a default profile and the roots it needs.
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { say } from '../progress.ts';
import { attributeName, storeExpression, userEnvironment } from './expression.ts';
import { nixEnvironment, withNixMounted } from './private-nix.ts';
import type { PlannedObject } from './store-object.ts';

/** Where the builders see the unpacked packages: below /nix, so that no derivation names a path of this machine. */
const mountedSources = '/nix/rig-sources';

/**
 * Builds everything into `<directory>/nix`, two derivations at a time, and forgets the derivations afterwards, as a
 * store filled from a binary cache has none. `sources` is `<directory>/nix/rig-sources`.
 * Returns the store path of each object, and of the user environment made of `environment`.
 */
export async function realise(
  objects: readonly PlannedObject[],
  environment: readonly PlannedObject[],
  directory: string,
): Promise<{ paths: Map<PlannedObject, string>; environmentPath: string }> {
  const nix = join(directory, 'nix');
  mkdirSync(join(nix, 'store'), { recursive: true, mode: 0o755 });
  mkdirSync(join(nix, 'var', 'nix'), { recursive: true });
  const env = nixEnvironment(join(directory, 'scratch'));
  const sources = join(nix, 'rig-sources');
  writeFileSync(join(nix, 'rig.nix'), storeExpression(objects, environment, sources, mountedSources));
  say(`asking Nix for ${objects.length} store objects`);
  const outPaths = await withNixMounted(
    nix,
    [
      'nix-instantiate',
      '--eval',
      '--strict',
      '--json',
      '-E',
      'builtins.mapAttrs (_: d: d.outPath) (import /nix/rig.nix)',
    ],
    env,
  );
  let built = 0;
  const log: string[] = [];
  const noticed = (line: string) => {
    log.push(line);
    if (!line.startsWith('building ')) return;
    built += 1;
    if (built % 50 === 0) say(`building store objects, ${built} of ${objects.length}`);
  };
  try {
    await withNixMounted(nix, ['nix-build', '-j', '2', '--no-out-link', '/nix/rig.nix'], env, noticed);
  } catch {
    throw new Error(`nix-build failed:\n${log.slice(-30).join('\n')}`);
  }
  await withNixMounted(
    nix,
    ['sh', '-c', 'nix-store --option keep-derivations false --delete --quiet /nix/store/*.drv >/dev/null'],
    env,
  );
  const paths: Record<string, string> = JSON.parse(outPaths);
  return {
    paths: new Map(objects.map((object) => [object, paths[attributeName(object)] ?? ''])),
    environmentPath: paths[userEnvironment] ?? '',
  };
}

/** Makes `/nix/var/nix/profiles/default` a generation that points to `path`, and roots every path of `kept`. */
export function rootPaths(directory: string, path: string, saved: readonly string[]): void {
  const state = join(directory, 'nix', 'var', 'nix');
  mkdirSync(join(state, 'profiles'), { recursive: true });
  mkdirSync(join(state, 'gcroots'), { recursive: true });
  symlinkSync(path, join(state, 'profiles', 'default-1-link'));
  symlinkSync('default-1-link', join(state, 'profiles', 'default'));
  for (const each of saved) symlinkSync(each, join(state, 'gcroots', each.slice('/nix/store/'.length)));
}
