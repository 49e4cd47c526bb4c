// A way to be another program's loader → a root in which foreign programs start with no prefix.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import { builtLauncher } from '../../built-launcher.ts';
import type { Rig } from '../../rig/rig.ts';
import type { Outcome, RootOptions } from '../../rig/root.ts';
import { launcher, openToolRoot, type Settings, type ToolRoot } from '../tool.ts';

/** Entered by nix-ld, which NIX_LD tells to; or by the kernel, since it sits at the interpreter path itself. */
const WAYS = ['nix-ld', 'launcher'] as const;
/** nix-ld 1 has ways of its own with the environment. */
export type Way = (typeof WAYS)[number] | 'nix-ld-1';

export interface OpenWay extends ToolRoot {
  readonly way: Way;
  /** What a session exports. */
  readonly session: Readonly<Record<string, string>>;
  /** Starts a program as anybody would: its path, no prefix. */
  plain(program: string, args?: readonly string[], settings?: Settings): Promise<Outcome>;
  /** The same with a resolver that cannot even be started: succeeds on a hit only. */
  plainHit(program: string, args?: readonly string[], settings?: Settings): Promise<Outcome>;
}

const built = new Map<string, Promise<string>>();

/** The launcher as a file of the host, with the resolver that the root has. */
async function launcherOfHost(rig: Rig): Promise<string> {
  const directory = mkdtempSync(path.join(tmpdir(), 'nix-run-foreign-interpreter-'));
  after(() => rmSync(directory, { recursive: true, force: true }));
  const output = path.join(directory, 'launcher');
  await builtLauncher({ output, node: rig.node, script: '/opt/tool/dist/nix-foreign.cjs' });
  return output;
}

async function interpreterOf(rig: Rig, way: Way): Promise<RootOptions> {
  // The real nix-ld can be put in the place of the double.
  if (way === 'nix-ld-1') return { interpreter: way };
  if (way === 'nix-ld') {
    const real = process.env['NIX_LD_UNDER_TEST'];
    return { interpreter: real?.startsWith('/') ? (real as `/${string}`) : 'nix-ld' };
  }
  const file = built.get(rig.node) ?? launcherOfHost(rig);
  built.set(rig.node, file);
  return { interpreter: (await file) as `/${string}` };
}

async function openWay(rig: Rig, way: Way): Promise<OpenWay> {
  const root = await openToolRoot(rig, await interpreterOf(rig, way));
  const session: Record<string, string> = way === 'launcher' ? {} : { NIX_LD: launcher };
  const plain = (program: string, args: readonly string[] = [], settings: Settings = {}) =>
    root.run({ ...settings, argv: [program, ...args], env: { ...session, ...settings.env } });
  return {
    ...root,
    way,
    session,
    plain,
    plainHit: (program, args = [], settings = {}) =>
      plain(program, args, {
        ...settings,
        env: {
          ...settings.env,
          NIX_RUN_FOREIGN_RESOLVER: '/nowhere/nix-foreign',
          NIX_RUN_FOREIGN_DEBUG: '1',
        },
      }),
  };
}

/** Each way, all opened before the first test: what is to be removed afterwards may go when no test is left to run. */
export async function openWays(rig: Rig, more: readonly Way[] = []): Promise<OpenWay[]> {
  const open: OpenWay[] = [];
  for (const way of [...WAYS, ...more]) open.push(await openWay(rig, way));
  return open;
}
