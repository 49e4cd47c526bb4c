// The rig → a root with the tool in it and programs to start, for the benchmarks.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildLauncher } from '../../scripts/build-launcher.ts';
import type { Rig } from '../rig/rig.ts';
import { openRoot, type Root } from '../rig/root.ts';
import { compileDriver } from './measure.ts';

const PROJECT = path.resolve(import.meta.dirname, '../..');

export const TOOL = '/opt/tool/bin/nix-run-foreign';
export const DRIVER = '/opt/tool/bin/spawn-times';
export const PROGRAMS = '/opt/programs';
/** Paths in the root. */
export const RESOLVER = '/opt/tool/dist/nix-foreign.cjs';

export interface BenchRoot {
  readonly root: Root;
  /** Where programs are put; `PROGRAMS` in the root. */
  readonly programs: string;
  close(): Promise<void>;
}

/** Opens a root with the launcher, the resolver and the timing driver; `launcher` sits at the interpreter path too. */
export async function openBenchRoot(
  rig: Rig,
  interpreterAt: 'none' | 'nix-ld' | 'stub-ld' | 'launcher' | `/${string}`,
): Promise<BenchRoot> {
  const directory = mkdtempSync(path.join(tmpdir(), 'nix-run-foreign-bench-'));
  const [bin, programs] = [path.join(directory, 'bin'), path.join(directory, 'programs')];
  for (const each of [bin, programs]) mkdirSync(each);
  const launcher = path.join(bin, 'nix-run-foreign');
  await buildLauncher({ output: launcher, node: rig.node, script: RESOLVER });
  const interpreter = interpreterAt === 'launcher' ? (launcher as `/${string}`) : interpreterAt;
  compileDriver(path.join(bin, 'spawn-times'));
  const root = await openRoot(rig, {
    interpreter,
    binds: [
      { from: bin, to: '/opt/tool/bin', mode: 'read-only' },
      { from: path.join(PROJECT, 'dist'), to: '/opt/tool/dist', mode: 'read-only' },
      { from: programs, to: PROGRAMS, mode: 'read-only' },
    ],
  });
  return {
    root,
    programs,
    close: async () => {
      await root.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Each in a directory of its own: foreign programs beside each other are started in views. */
export function copyName(which: number | string): string {
  return `copy-${which}/program`;
}

/**
 * Copies of a program that differ in content, so that each is new to the tool: in the last bytes, of the section table,
 * which nobody reads. Nothing is appended: such programs are taken for those that read themselves. `first` is the number of
 * the first one: copies of the same number are the same program.
 */
export function copiesOf(program: string, directory: string, count: number, first = 1): void {
  const bytes = readFileSync(program);
  for (let i = 0; i < count; i += 1) {
    bytes.writeUInt32LE(first + i, bytes.length - 4);
    const copy = path.join(directory, copyName(i));
    mkdirSync(path.dirname(copy));
    writeFileSync(copy, bytes, { mode: 0o755 });
  }
}
