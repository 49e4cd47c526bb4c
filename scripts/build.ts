// src/, launcher/, audit/ and man/ → dist/ (the npm package's files) and bin/ (both commands of a checkout).
import { chmodSync, existsSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build, type Plugin } from 'esbuild';
import { writeBillOfMaterials } from './bill-of-materials.ts';
import { buildLauncher } from './build-launcher.ts';
import { buildMachines } from './build-machines.ts';
import { writeManual } from './build-manual.ts';
import { isMissingCompiler } from './compile-c.ts';
import { fillCompileCache } from './fill-compile-cache.ts';

const PROJECT = path.resolve(import.meta.dirname, '..');
const DIST = path.join(PROJECT, 'dist');
const ENTRY = 'nix-foreign.cjs';
const SCRIPT = path.join(DIST, ENTRY);

/** Sources with large packages in them, each a bundle of its own beside main.cjs: a miss reads all of main.cjs. */
const APART = ['choose/prompts', 'graph/svg'];

/** `import('./prompts.ts')` becomes `require('./prompts.cjs')`. */
const keptApart: Plugin = {
  name: 'kept-apart',
  setup: ({ onResolve }) => {
    onResolve(
      { filter: new RegExp(`^\\./(${APART.map((name) => path.basename(name)).join('|')})\\.ts$`) },
      ({ path: file }) => ({
        path: file.replace(/\.ts$/, '.cjs'),
        external: true,
      }),
    );
  },
};

/** Bundles into a directory, with compiled code beside. */
async function bundle(directory: string): Promise<void> {
  const common = {
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node24',
    legalComments: 'linked',
    logLevel: 'warning',
    metafile: true,
    // proper-lockfile makes directories; it has no use for a copy of fs that queues when descriptors run out.
    // And `signal-exit` asks the whole of node:assert, which opens stderr, whether it was given a function.
    alias: { 'graceful-fs': 'node:fs', assert: path.join(PROJECT, 'scripts/assert-equal.ts') },
  } as const;
  // What the sources load lazily is in the same file, and is evaluated only when it is asked for.
  const entries = await build({
    ...common,
    entryPoints: ['main', 'resolver'].map((name) => path.join(PROJECT, `src/bin/${name}.ts`)),
    outdir: directory,
    outExtension: { '.js': '.cjs' },
    minifyWhitespace: true,
    plugins: [keptApart],
    // The compiled code is no module (nix-foreign.cts), and code that is none cannot import without a callback.
    supported: { 'dynamic-import': false },
  });
  const apart = await build({
    ...common,
    minify: true,
    entryPoints: APART.map((name) => path.join(PROJECT, `src/cli/${name}.ts`)),
    outdir: directory,
    entryNames: '[name]',
    outExtension: { '.js': '.cjs' },
  });
  await build({
    ...common,
    entryPoints: [path.join(PROJECT, 'src/bin/nix-foreign.cts')],
    external: ['./main.cjs', './resolver.cjs'],
    // The npm package names this file as its command.
    banner: { js: '#!/usr/bin/env node' },
    outfile: path.join(directory, ENTRY),
  });
  writeBillOfMaterials([entries.metafile, apart.metafile], path.join(directory, 'sbom.json'));
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** The Node that builds is the Node that resolves: npm scripts run the one that package.json pins. */
async function makeExecutables(node: string): Promise<void> {
  const bin = path.join(PROJECT, 'bin');
  mkdirSync(bin, { recursive: true });
  const manager = path.join(bin, 'nix-foreign');
  // As the launcher does for its resolver: what is meant for other programs could end this one at once.
  writeFileSync(manager, `#!/bin/sh\nunset NODE_OPTIONS\nexec ${quoted(node)} ${quoted(SCRIPT)} "$@"\n`);
  chmodSync(manager, 0o755);
  const launcher = path.join(bin, 'nix-run-foreign');
  try {
    await buildLauncher({ output: launcher, node, script: SCRIPT });
  } catch (error) {
    if (!isMissingCompiler(error)) throw error;
    rmSync(launcher, { force: true });
    process.stderr.write('build: no C compiler, so no launcher; install gcc or clang, and build again\n');
  }
}

const major = Number(process.versions.node.split('.')[0]);
if (major < 24)
  throw new Error(
    `Node 24 or newer is needed, this is ${process.version}: put one on PATH, or run npm ci && npm run build`,
  );
if (!existsSync(path.join(PROJECT, 'node_modules'))) throw new Error('run npm ci first');
const arriving = `${DIST}.${process.pid}`;
const leaving = `${arriving}.old`;
try {
  await bundle(arriving);
  writeManual(path.join(arriving, 'man'));
  for (const [system, why] of await buildMachines(arriving))
    process.stderr.write(`build: nothing for ${system}: ${why}\n`);
  // For the launchers in there; npm packs no links, and an installed package makes its own.
  symlinkSync(process.execPath, path.join(arriving, 'node'));
  fillCompileCache(process.execPath, path.join(arriving, ENTRY));
  // Two renames apart, so that hardly anything that runs from dist/ meanwhile finds nothing there.
  if (existsSync(DIST)) renameSync(DIST, leaving);
  renameSync(arriving, DIST);
} finally {
  for (const each of [arriving, leaving]) rmSync(each, { recursive: true, force: true });
}
await makeExecutables(process.execPath);
