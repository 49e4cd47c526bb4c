// A rig → a root with the built tool in it, and the commands its users type there.
import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
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

export interface ToolRootOptions extends RootOptions {
  /**
   * Without: the first start lists the whole store. Otherwise a home that can be written has a catalogue of the rig
   * already, as after a first start of jq elsewhere, with what that learned of the libraries of jq.
   */
  readonly catalogue?: 'none';
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

/** Below the home. */
const CATALOGUES = '.cache/nix-run-foreign/v1/catalogues';

const MADE = path.join(import.meta.dirname, '../../node_modules/.cache/catalogues');

/** Named by the rig and the build. */
function madeCatalogue(rig: Rig, build: string): string {
  const hash = createHash('sha256').update(rig.nixDir);
  for (const name of readdirSync(path.join(build, 'dist'))
    .filter((each) => each.endsWith('.cjs'))
    .sort())
    hash.update(readFileSync(path.join(build, 'dist', name)));
  return path.join(MADE, hash.digest('hex').slice(0, 16));
}

/** What a first start makes of the rig's store; test files may do it at the same time. */
async function makeCatalogue(rig: Rig, build: string, made: string): Promise<void> {
  const root = await openRoot(rig, { binds: [{ from: build, to: '/opt/tool', mode: 'read-only' }] });
  try {
    const program = rig.foreign.find(({ name }) => name === 'jq') ?? rig.foreign[0];
    const { status, stderr } = await root.run({ argv: [launcher, program?.path ?? '', '--version'] });
    if (status !== 0) throw new Error(`no catalogue of the rig can be made: ${stderr}`);
    mkdirSync(MADE, { recursive: true });
    const copy = mkdtempSync(`${made}.`);
    cpSync(path.join(root.homeDir, CATALOGUES), copy, { recursive: true });
    if (!existsSync(made)) renameSync(copy, made);
  } finally {
    await root.close();
  }
}

/** Those of earlier builds and rigs, and what two that were made at once left. */
function removeOlderThan(days: number): void {
  for (const file of readdirSync(MADE).map((name) => path.join(MADE, name)))
    if (Date.now() - statSync(file).mtimeMs > days * 86_400_000)
      rmSync(file, { recursive: true, force: true });
}

async function putCatalogue(rig: Rig, build: string, { homeDir }: Root, uid: number): Promise<void> {
  const made = madeCatalogue(rig, build);
  if (!existsSync(made)) {
    await makeCatalogue(rig, build, made);
    removeOlderThan(2);
  }
  cpSync(made, path.join(homeDir, CATALOGUES), { recursive: true });
  const parts = CATALOGUES.split('/').map((_, at, all) => all.slice(0, at + 1).join('/'));
  const files = readdirSync(made).map((name) => path.join(CATALOGUES, name));
  for (const name of [...parts, ...files]) {
    if (parts.includes(name)) chmodSync(path.join(homeDir, name), 0o700);
    chownSync(path.join(homeDir, name), uid, uid);
  }
}

/** Opens a root over the rig with the tool at /opt/tool. */
export async function openToolRoot(rig: Rig, options: ToolRootOptions = {}): Promise<ToolRoot> {
  const build = builds.get(rig.node) ?? install(rig);
  builds.set(rig.node, build);
  const binds = [
    { from: await build, to: '/opt/tool', mode: 'read-only' } as const,
    ...(options.binds ?? []),
  ];
  const root = await openRoot(rig, { ...options, binds });
  after(() => root.close());
  if (options.catalogue !== 'none' && !options.readOnly?.includes('home'))
    await putCatalogue(rig, await build, root, options.uid ?? 0);
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
