// The rig's foreign programs → copies that a test may move, change and delete.
import { copyFileSync, mkdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { ForeignProgram } from '../rig/foreign.ts';
import type { Rig } from '../rig/rig.ts';
import { homeInRoot, type Root } from '../rig/root.ts';

/** One of the rig's programs. */
export function foreign(rig: Rig, suite: string, name: string): ForeignProgram {
  const found = rig.foreign.find((each) => each.suite === suite && each.name === name);
  if (!found) throw new Error(`the rig has no ${name} of ${suite}`);
  return found;
}

/** The path of the host for a path below the home of a root. */
export function onHost(root: Root, inRoot: string): string {
  return path.join(root.homeDir, path.relative(homeInRoot, inRoot));
}

/** Copies a program below the home; `name` may have directories. Returns its path in the root. */
export function copyHome(root: Root, program: ForeignProgram, name: string): string {
  const inRoot = path.join(homeInRoot, name);
  const target = onHost(root, inRoot);
  mkdirSync(path.dirname(target), { recursive: true });
  copyFileSync(program.path, target);
  return inRoot;
}

/**
 * Changes the last byte of an ELF file, in its table of sections, which nobody reads to start it; size and
 * modification time stay.
 */
export function changeContent(file: string): void {
  const { atimeMs, mtimeMs } = statSync(file);
  const bytes = readFileSync(file);
  const last = bytes.length - 1;
  bytes[last] = ((bytes[last] ?? 0) + 1) % 256;
  writeFileSync(file, bytes);
  utimesSync(file, atimeMs / 1000, mtimeMs / 1000);
}
