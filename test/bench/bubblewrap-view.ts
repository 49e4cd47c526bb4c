// A root and a plan with a view → the words by which bubblewrap makes the same view, and starts the same program in it.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import type { BenchRoot } from './bench-root.ts';
import { PROGRAMS } from './bench-root.ts';

interface Plan {
  readonly view?: readonly { readonly target: string; readonly source?: string }[];
}

/** The host's bubblewrap with its libraries, which the root has not. */
function putBubblewrap(directory: string): string[] {
  const own = path.join(directory, 'bubblewrap');
  mkdirSync(own);
  const listed = execFileSync('ldd', ['/usr/bin/bwrap'], { encoding: 'utf8' });
  const files = [...listed.matchAll(/(\/\S+) \(0x/g)].map(([, file = '']) => file);
  for (const file of ['/usr/bin/bwrap', ...files]) copyFileSync(file, path.join(own, path.basename(file)));
  const loader = files.find((file) => path.basename(file).startsWith('ld-linux')) ?? '';
  const at = (name: string) => `${PROGRAMS}/bubblewrap/${path.basename(name)}`;
  return [at(loader), '--library-path', `${PROGRAMS}/bubblewrap`, at('bwrap')];
}

export async function bubblewrapWords(
  { root, programs }: BenchRoot,
  { view = [] }: Plan,
  launcher: string,
  floor: readonly string[],
): Promise<string[]> {
  const listing = 'for each in /*; do echo "$each"; done';
  const { stdout } = await root.run({ argv: ['/nix/var/nix/profiles/default/bin/bash', '-c', listing] });
  const targets = view.map(({ target }) => target).filter((target) => target !== '/nix/store');
  const kept = stdout
    .trim()
    .split('\n')
    .filter((each) => !targets.some((target) => `${target}/`.startsWith(`${each}/`)));
  const shown = view.flatMap(({ target, source = launcher }) =>
    source.endsWith('/') ? ['--ro-bind', source, target] : ['--symlink', source, target],
  );
  const binds = kept.flatMap((each) => ['--dev-bind', each, each]);
  return [...putBubblewrap(programs), ...binds, ...shown, '--', ...floor];
}
