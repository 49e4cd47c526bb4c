// The path of a real glibc loader → the loader as the simulation wants it; and all that are at hand.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { elfFileAt } from '../../src/elf/open-elf.ts';
import { loaderFactsOf } from '../../src/ldso/search-paths.ts';
import type { Loader } from '../../src/ldso/simulation/request.ts';
import { ensureRig } from '../rig/rig.ts';

export function glibcLoader(path: string): Loader {
  const settings = loaderFactsOf(path);
  const elf = elfFileAt(path);
  assert.ok(settings && elf, `${path} is no glibc loader`);
  return { libc: 'glibc', path, elf, settings };
}

/** The machine's own, and the rig's where they lie: their default directories are not there. */
export async function everyLoader(): Promise<readonly Loader[]> {
  const rig = await ensureRig('full');
  const inRig = (path: string) => join(rig.nixDir, path.slice('/nix'.length));
  const wide = rig.foreign.filter(({ architecture }) => architecture === 'amd64');
  const paths = new Set(wide.map(({ loader }) => inRig(loader)));
  return ['/lib64/ld-linux-x86-64.so.2', ...paths].map(glibcLoader);
}
