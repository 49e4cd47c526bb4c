// A reckoned farm → the farm itself, with a root that holds it: a store object, or a directory of ours and the
// set's root.
import { existsSync, readlinkSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pin, pinned } from '../fingerprint/saved-fingerprints.ts';
import { temporaryName } from '../host/atomic-file.ts';
import type { Directories } from '../host/directories.ts';
import { errnoOf } from '../host/errors.ts';
import { makeDirectories } from '../host/files.ts';
import { patchedRoot } from '../integrations/patch/patched-state.ts';
import { addObject } from '../store/add-object.ts';
import type { NarNode } from '../store/nix-archive.ts';
import { isRegistered } from '../store/spare-from-collector.ts';
import { nameOfStoreObject, storeObjectOf } from '../store/store-location.ts';
import type { Context } from './context.ts';
import type { FarmToMake } from './plan-patch.ts';

type MadeFarm =
  /** `unpinned`: why no root holds it. */
  | { readonly kind: 'made'; readonly root: string | undefined; readonly unpinned?: string }
  | { readonly kind: 'refused'; readonly why: string };

function writeLeaf(file: string, node: NarNode): void {
  makeDirectories(path.dirname(file));
  if (node.kind === 'link') symlinkSync(node.target, file);
  else if (node.kind === 'file') writeFileSync(file, node.content, { mode: 0o444 });
}

/** Complete at every instant; one that is there already is the same, since its name is its content's hash. */
function makeDirectoryFarm({ path: farm, leaves }: FarmToMake): void {
  if (existsSync(farm)) return;
  makeDirectories(path.dirname(farm), 0o755);
  const temporary = temporaryName(farm);
  try {
    for (const [name, node] of leaves) writeLeaf(path.join(temporary, name), node);
    renameSync(temporary, farm);
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST'].includes(errnoOf(error) ?? '')) throw error;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** The text that references the set, which the plan's root names. */
function textOf(root: string, storeDir: string): string | undefined {
  try {
    return storeObjectOf(storeDir, readlinkSync(root));
  } catch {
    return undefined;
  }
}

async function pinSet(root: string, planRoot: string, context: Context): Promise<string | undefined> {
  const text = textOf(planRoot, context.location.storeDir);
  if (text === undefined || context.nix === undefined) return 'Nix does not hold its libraries';
  const outcome = await pin(context.nix, root, text);
  return outcome.kind === 'rooted' ? undefined : outcome.why;
}

/** @throws Node's errno errors when the place cannot be written. */
export async function makePatchedFarm(
  farm: FarmToMake,
  planRoot: string,
  context: Context,
  dirs: Directories,
): Promise<MadeFarm> {
  const root = patchedRoot(dirs, farm.path);
  if (farm.kind === 'store' && context.nix !== undefined) {
    const isPinned = pinned(root) === farm.path && isRegistered(context.nix, root);
    if (isPinned && existsSync(farm.path)) return { kind: 'made', root };
    const { nar, references, path: storePath } = farm;
    const name = nameOfStoreObject(storePath);
    const added = await addObject(context.nix, { name, nar, references, storePath }, root);
    return added.kind === 'added' ? { kind: 'made', root } : added;
  }
  makeDirectoryFarm(farm);
  const unpinned = await pinSet(root, planRoot, context);
  return unpinned === undefined ? { kind: 'made', root } : { kind: 'made', root: undefined, unpinned };
}
