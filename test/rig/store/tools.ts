// The programs that make the store usable by itself → planned objects: Node, the entry program, the user environment.
import { copyFileSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { readDynamic } from './readelf.ts';
import type { PlannedObject } from './store-object.ts';

/** The running Node (pinned by package.json), to be given the loader and libraries of the bookworm group. */
export async function planNode(sources: string): Promise<PlannedObject> {
  const file = join(sources, 'node', 'node');
  mkdirSync(dirname(file), { recursive: true });
  copyFileSync(process.execPath, file);
  return {
    key: 'bookworm:amd64:nodejs-of-the-project',
    name: `nodejs-${process.versions.node}`,
    group: 'bookworm:amd64',
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
