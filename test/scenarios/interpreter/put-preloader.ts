// A root → a static program in its home that maps another one and its interpreter, as Wine's preloader does.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { homeInRoot, type Root } from '../../rig/root.ts';
import { compile } from '../compile.ts';
import { onHost } from '../foreign-files.ts';

const sources = path.resolve(import.meta.dirname, '../../fixtures/programs');
const flags = [
  '-static',
  '-no-pie',
  '-nostdlib',
  '-ffreestanding',
  '-fno-pie',
  '-fno-stack-protector',
  '-O2',
];

/** Returns its path in the root. */
export function putPreloader(root: Root, machine: '-m64' | '-m32' = '-m64'): string {
  const inRoot = path.join(homeInRoot, 'bin/preloader');
  // Out of the way, as Wine has it.
  const place = '-Wl,-Ttext-segment=0x7d000000';
  const source = readFileSync(path.join(sources, 'preloader.c'), 'utf8');
  compile(onHost(root, inRoot), source, [`-I${sources}`, machine, ...flags, place]);
  return inRoot;
}
