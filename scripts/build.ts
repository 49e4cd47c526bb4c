// src/ → dist/ (the bundled manager) and bin/ (the launcher, and the manager's entry for a checkout).
import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';
import { buildLauncher } from './build-launcher.ts';

const PROJECT = path.resolve(import.meta.dirname, '..');
const DIST = path.join(PROJECT, 'dist');
const SCRIPT = path.join(DIST, 'nix-foreign.mjs');

/** Some bundled packages are CommonJS and ask for Node's own modules by require. */
const REQUIRE =
  "import{createRequire as nodeRequire}from'node:module';const require=nodeRequire(import.meta.url);";

async function bundle(): Promise<void> {
  rmSync(DIST, { recursive: true, force: true });
  await build({
    entryPoints: { 'nix-foreign': path.join(PROJECT, 'src/nix-foreign.ts') },
    outdir: DIST,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    // What is loaded lazily in the sources stays a file of its own.
    splitting: true,
    chunkNames: 'chunks/[name]-[hash]',
    platform: 'node',
    format: 'esm',
    target: 'node24',
    banner: { js: REQUIRE },
    legalComments: 'linked',
    logLevel: 'warning',
  });
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** The Node that builds is the Node that resolves: npm scripts run the one that package.json pins. */
async function makeExecutables(node: string): Promise<void> {
  const bin = path.join(PROJECT, 'bin');
  mkdirSync(bin, { recursive: true });
  const manager = path.join(bin, 'nix-foreign');
  writeFileSync(manager, `#!/bin/sh\nexec ${quoted(node)} ${quoted(SCRIPT)} "$@"\n`);
  chmodSync(manager, 0o755);
  try {
    await buildLauncher({ output: path.join(bin, 'nix-run-foreign'), node, script: SCRIPT });
  } catch (error) {
    if (!isMissingCompiler(error)) throw error;
    process.stderr.write(
      'build: no C compiler, so no launcher; bin/nix-run-foreign.mjs starts programs through Node\n',
    );
  }
}

function isMissingCompiler(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
}

const major = Number(process.versions.node.split('.')[0]);
if (major < 24)
  throw new Error(`Node 24 or newer is needed, this is ${process.version}: run npm ci && npm run build`);
if (!existsSync(path.join(PROJECT, 'node_modules'))) throw new Error('run npm ci first');
await bundle();
await makeExecutables(process.execPath);
