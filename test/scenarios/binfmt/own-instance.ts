// A root → a session in a user namespace with a binfmt_misc of its own, in which foreign programs start with no prefix.
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

/** Needs a kernel from 6.7 on: binfmt_misc.c, "per user namespace instances". */
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
