// C text → objects of a root's store, each with one library.
import assert from 'node:assert/strict';
import { cpSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { homeInRoot } from '../../rig/root.ts';
import { compileLibrary } from '../compile.ts';
import { onHost } from '../foreign-files.ts';
import type { ToolRoot } from '../tool.ts';

export interface OwnObject {
  /** As in a store path: `duo-1.0`. */
  readonly name: string;
  readonly soname: string;
  readonly source: string;
  readonly flags?: readonly string[];
}

/** Where a root's own libraries are compiled, on the host. */
export function scratchOf({ homeDir }: ToolRoot): string {
  return path.join(homeDir, '..', 'objects');
}

/** Adds them to the store at one go. Returns the library's file of each on the host, to link with. */
export async function addObjects(root: ToolRoot, objects: readonly OwnObject[]): Promise<string[]> {
  const scratch = scratchOf(root);
  const files = objects.map(({ name, soname, source, flags }) =>
    compileLibrary(path.join(scratch, name, 'lib', soname), soname, source, flags),
  );
  const paths = objects.map(({ name }) => path.join(homeInRoot, 'objects', name));
  for (const [index, { name }] of objects.entries()) {
    const inRoot = onHost(root, paths[index] ?? '');
    mkdirSync(path.dirname(inRoot), { recursive: true });
    cpSync(path.join(scratch, name), inRoot, { recursive: true });
  }
  const argv = [path.join(root.rig.nixBin, 'nix-store'), '--add', ...paths] as const;
  const { status, stderr } = await root.run({ argv });
  assert.equal(status, 0, stderr);
  return files;
}

export async function addObject(root: ToolRoot, object: OwnObject): Promise<string> {
  const [file] = await addObjects(root, [object]);
  return file ?? assert.fail();
}
