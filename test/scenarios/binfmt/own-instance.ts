// A root → a session in a user namespace with a binfmt_misc of its own, in which foreign programs start with no prefix.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { homeInRoot, type Outcome } from '../../rig/root.ts';
import { compile } from '../compile.ts';
import { onHost } from '../foreign-files.ts';
import type { Settings, ToolRoot } from '../tool.ts';

export interface OwnInstance {
  /** `nix-foreign`, as words of a shell. */
  readonly manager: string;
  /** Runs a script of the store's bash in a new session; nothing is registered in it yet. */
  session(script: string, settings?: Settings): Promise<Outcome>;
}

function canMount(): boolean {
  const mount = ['mount', '-t', 'binfmt_misc', 'binfmt_misc', '/proc/sys/fs/binfmt_misc'];
  return spawnSync('unshare', ['--user', '--map-root-user', '--mount', ...mount]).status === 0;
}

/** Options of a test with such a session: binfmt_misc.c, "per user namespace instances". */
export const onOwnBinfmt: { readonly skip?: string } = canMount()
  ? {}
  : { skip: 'here no user namespace has a binfmt_misc of its own (Linux 6.7)' };

/** Where `onOwnBinfmt` skips nothing. */
export function openOwnInstance(root: ToolRoot): OwnInstance {
  const program = path.join(homeInRoot, 'own-binfmt');
  const source = readFileSync(path.join(import.meta.dirname, 'programs/own-binfmt.c'), 'utf8');
  compile(onHost(root, program), source, ['-static', '-w']);
  const { rig } = root;
  return {
    manager: `${rig.node} /opt/tool/dist/nix-foreign.cjs`,
    session: (script, settings = {}) => root.run({ ...settings, argv: [program, rig.bash, '-c', script] }),
  };
}
