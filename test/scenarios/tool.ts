// A rig → a root with the built tool in it, and the commands its users type there.
import { chmodSync, cpSync, existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import { builtLauncher } from '../built-launcher.ts';
import type { Rig } from '../rig/rig.ts';
import { type Command, type Outcome, openRoot, type Root, type RootOptions } from '../rig/root.ts';

/** The launcher and the manager's script, as paths of the root. */
export const launcher = '/opt/tool/bin/nix-run-foreign';
const script = '/opt/tool/dist/nix-foreign.cjs';

/** Everything of a command but what is started. */
export type Settings = Partial<Omit<Command, 'argv'>>;

/** A root in which the tool is installed. It is closed when the tests of the file have ended. */
export interface ToolRoot extends Root {
  readonly rig: Rig;
  /** Starts a program as it is. */
  bare(program: string, args?: readonly string[], settings?: Settings): Promise<Outcome>;
  /** `nix-run-foreign PROGRAM ARGS`; `words` may begin with options of the launcher. */
  start(words: readonly string[], settings?: Settings): Promise<Outcome>;
  /** The same with a resolver that cannot even be started: succeeds on a hit only. */
  startHit(words: readonly string[], settings?: Settings): Promise<Outcome>;
  /** `nix-foreign WORDS`. */
  manage(words: readonly string[], settings?: Settings): Promise<Outcome>;
}

const builds = new Map<string, Promise<string>>();

/** A copy of what `npm run build` made, with a launcher that knows its place in the root. */
async function install(rig: Rig): Promise<string> {
  const dist = path.resolve(import.meta.dirname, '../../dist');
  if (!existsSync(dist)) throw new Error('the scenarios run the built tool: npm run build');
  const directory = mkdtempSync(path.join(tmpdir(), 'nix-run-foreign-tool-'));
  after(() => rmSync(directory, { recursive: true, force: true }));
  chmodSync(directory, 0o755);
  cpSync(dist, path.join(directory, 'dist'), { recursive: true, preserveTimestamps: true });
  rmSync(path.join(directory, 'dist/node'));
  symlinkSync(rig.node, path.join(directory, 'dist/node'));
  cpSync(path.join(dist, '../shell-hooks'), path.join(directory, 'shell-hooks'), { recursive: true });
  await builtLauncher({
    output: path.join(directory, 'bin', path.basename(launcher)),
    node: rig.node,
    script,
  });
  return directory;
}

/** Opens a root over the rig with the tool at /opt/tool. */
export async function openToolRoot(rig: Rig, options: RootOptions = {}): Promise<ToolRoot> {
  const build = builds.get(rig.node) ?? install(rig);
  builds.set(rig.node, build);
  const binds = [
    { from: await build, to: '/opt/tool', mode: 'read-only' } as const,
    ...(options.binds ?? []),
  ];
  const root = await openRoot(rig, { ...options, binds });
  after(() => root.close());
  const start = (words: readonly string[], settings: Settings = {}) =>
    root.run({ ...settings, argv: [launcher, ...words] });
  return {
    ...root,
    rig,
    bare: (program, args = [], settings = {}) => root.run({ ...settings, argv: [program, ...args] }),
    start,
    startHit: (words, settings = {}) => start(words, { ...settings, env: { ...settings.env, ...hitsOnly } }),
    manage: (words, settings = {}) => root.run({ ...settings, argv: [rig.node, script, ...words] }),
  };
}

const hitsOnly = { NIX_RUN_FOREIGN_RESOLVER: '/nowhere/nix-foreign', NIX_RUN_FOREIGN_DEBUG: '1' };
