// A rig and files of vendors → a root with the tool in it and a writable copy of the files at /vendor.
import { chmodSync, chownSync, cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import { ensureRig, type Rig } from '../../rig/rig.ts';
import type { Bind } from '../../rig/root.ts';
import { openToolRoot, type ToolRoot } from '../tool.ts';

export interface VendorRoot {
  readonly rig: Rig;
  readonly root: ToolRoot;
  /** /vendor, as a path of the host. */
  readonly dir: string;
  /** Copies a file there, owned by the root's user. */
  put(file: string, name?: string): string;
}

/** A user who reaches the store by a daemon. */
export const uid = 1000;

export async function openVendorRoot(
  level: 'small' | 'full',
  {
    user = uid,
    prepare = () => {},
    daemon = user === 0 ? 'none' : 'running',
    binds = [],
  }: {
    user?: number;
    prepare?: (dir: string) => void;
    daemon?: 'none' | 'running';
    binds?: readonly Bind[];
  } = {},
): Promise<VendorRoot> {
  const rig = await ensureRig(level);
  const dir = mkdtempSync(path.join(tmpdir(), 'nix-run-foreign-vendor-'));
  chmodSync(dir, 0o755);
  chownSync(dir, user, user);
  prepare(dir);
  const root = await openToolRoot(rig, {
    uid: user,
    daemon,
    binds: [{ from: dir, to: '/vendor', mode: 'read-write' }, ...binds],
  });
  // Behind what is mounted there, and the root.
  after(() => rmSync(dir, { recursive: true, force: true }));
  const put = (file: string, name = path.basename(file)): string => {
    const target = path.join(dir, name);
    if (mkdirSync(path.dirname(target), { recursive: true }) !== undefined)
      chownSync(path.dirname(target), user, user);
    cpSync(file, target, { preserveTimestamps: true, dereference: true });
    chownSync(target, user, user);
    return target;
  };
  return { rig, root, dir, put };
}

/** The rig's foreign program of this name. */
export function foreignNamed(rig: Rig, name: string): string {
  const found = rig.foreign.find((each) => each.name === name);
  if (found === undefined) throw new Error(`the rig has no program ${name}`);
  return found.path;
}
