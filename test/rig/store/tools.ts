// The programs that make the store usable by itself → planned objects: Node, the entry program, the user environment.
import { copyFileSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { fetchNpmPackage } from '../npm/fetch.ts';
import { arm64Node } from '../npm/selection.ts';
import { readDynamic } from './readelf.ts';
import type { PlannedObject } from './store-object.ts';

/** The running Node (pinned by package.json), or the same for arm64. */
async function nodeFor(machine: 'amd64' | 'arm64'): Promise<{ file: string; version: string }> {
  if (machine === 'amd64') return { file: process.execPath, version: process.versions.node };
  return { file: join(await fetchNpmPackage(arm64Node), 'bin/node'), version: arm64Node.version };
}

/** To be given the loader and libraries of the bookworm group. */
export async function planNode(sources: string, machine: 'amd64' | 'arm64'): Promise<PlannedObject> {
  const node = await nodeFor(machine);
  const file = join(sources, 'node', 'node');
  mkdirSync(dirname(file), { recursive: true });
  copyFileSync(node.file, file);
  return {
    key: `bookworm:${machine}:nodejs-of-the-project`,
    name: `nodejs-${node.version}`,
    group: `bookworm:${machine}`,
    files: new Map([[file, 'bin/node']]),
    links: new Map(),
    dynamic: await readDynamic([file]),
    kind: 'executables',
  };
}

/** enter-root.c, linked statically: the first program of every root. */
export async function planEnterRoot(sources: string): Promise<PlannedObject> {
  const file = join(sources, 'enter-root', 'enter-root');
  mkdirSync(dirname(file), { recursive: true });
  const source = join(import.meta.dirname, 'enter-root.c');
  await execa('gcc', ['-static', '-O2', '-s', '-Wall', '-Werror', '-o', file, source]);
  return {
    key: 'tools:static:enter-root',
    name: 'enter-root',
    group: 'tools:static',
    files: new Map([[file, 'bin/enter-root']]),
    links: new Map(),
    dynamic: new Map(),
    kind: 'executables',
  };
}
