// What may sit at the interpreter path, and for whom → roots with a small tree of foreign programs and scripts in them.
import { chmodSync, lchownSync, lstatSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Rig } from '../../rig/rig.ts';
import { homeInRoot, type RootOptions } from '../../rig/root.ts';
import { compile } from '../compile.ts';
import { onHost } from '../foreign-files.ts';
import { putSelf } from '../strategies/self.ts';
import { openToolRoot, type ToolRoot } from '../tool.ts';

export const USER = 1234;

/** Every case in which a view is chosen. */
export const cases = [
  { interpreter: 'none', uid: 0 },
  { interpreter: 'none', uid: USER },
  { interpreter: 'stub-ld', uid: 0 },
  { interpreter: 'stub-ld', uid: USER },
] as const;

export const daemonFor = (uid: number) => (uid === 0 ? 'none' : 'running');

export async function openViewRoot(rig: Rig, options: RootOptions & { uid: number }): Promise<ToolRoot> {
  return await openToolRoot(rig, { daemon: daemonFor(options.uid), ...options });
}

/** A directory of a vendor: a script that starts a program beside it. Paths are of the root. */
export const vendor = {
  directory: path.join(homeInRoot, 'vendor'),
  script: path.join(homeInRoot, 'vendor/launch.sh'),
  program: path.join(homeInRoot, 'bin/self'),
};

export function putScript(root: ToolRoot, file: string, text: string): string {
  mkdirSync(path.dirname(onHost(root, file)), { recursive: true });
  writeFileSync(onHost(root, file), text, { mode: 0o755 });
  chmodSync(onHost(root, file), 0o755);
  return file;
}

/** Compiles C text into the home. */
export function putProgram(
  root: ToolRoot,
  name: string,
  source: string,
  flags: readonly string[] = [],
): string {
  const file = path.join(homeInRoot, name);
  compile(onHost(root, file), source, flags);
  return file;
}

/** `self` needs a library that only the store has, so no child starts without a plan of its own. */
export function putVendor(root: ToolRoot): void {
  putSelf(root, 'self', 'plain');
  putScript(root, vendor.script, `#!/bin/bash\nexec "\${0%/*}/../bin/self" "$@"\n`);
}

function giveTree(file: string, uid: number): void {
  lchownSync(file, uid, uid);
  if (!lstatSync(file).isDirectory()) return;
  for (const name of readdirSync(file)) giveTree(path.join(file, name), uid);
}

/** What a test put there as root becomes the user's. */
export function giveHome(root: ToolRoot, uid: number): void {
  giveTree(root.homeDir, uid);
}
