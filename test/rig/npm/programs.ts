// The wanted packages of npm, and the project's own → foreign programs to be run, and the directories they lie in.
import { chmodSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { ForeignProgram } from '../foreign.ts';
import type { Bind } from '../root.ts';
import { fetchNpmPackage } from './fetch.ts';
import { type WantedNpmProgram, wantedNpmPrograms } from './selection.ts';

/** What is known of a program that no release of Debian brings. */
export type NpmProgram = Omit<ForeignProgram, 'libraries' | 'libraryDirectories' | 'loader'>;

export interface NpmPrograms {
  readonly programs: readonly NpmProgram[];
  /** What a root must show for them to be there. */
  readonly binds: readonly Bind[];
}

const modules = join(import.meta.dirname, '..', '..', '..', 'node_modules');

/** Fetches what is not there yet. Two of the project's own tools are among them. */
export async function ensureNpmPrograms(): Promise<NpmPrograms> {
  const node = ownTool('node', 'bin/node', ['-p', '6*7'], '^42$');
  const biome = ownTool('@biomejs/cli-linux-x64', 'biome', ['--version'], '^Version: \\d');
  const directories = [join(modules, 'node'), join(modules, '@biomejs')];
  const programs = [node, biome];
  for (const wanted of wantedNpmPrograms) {
    const directory = await fetchNpmPackage(wanted.package);
    directories.push(directory);
    programs.push(describe(wanted, join(directory, wanted.file), node.path));
  }
  return { programs, binds: directories.map((from) => ({ from, mode: 'read-only' })) };
}

function describe({ name, package: pkg, kind, run, expect }: WantedNpmProgram, file: string, node: string) {
  if (kind === 'addon') {
    const script = `const addon = require(${JSON.stringify(file)}); ${run}`;
    return npmProgram(name, pkg, node, ['-p', script], expect);
  }
  chmodSync(file, 0o755);
  return npmProgram(name, pkg, file, run.split(' '), expect);
}

function ownTool(pkg: string, file: string, args: readonly string[], expect: string): NpmProgram {
  const { version } = JSON.parse(readFileSync(join(modules, pkg, 'package.json'), 'utf8'));
  return npmProgram(basename(file), { name: pkg, version }, join(modules, pkg, file), args, expect);
}

function npmProgram(
  name: string,
  pkg: { readonly name: string; readonly version: string },
  path: string,
  args: readonly string[],
  expect: string,
): NpmProgram {
  const { name: from, version } = pkg;
  const pattern = new RegExp(expect, 'm');
  return { name, suite: 'npm', architecture: 'amd64', package: from, version, path, args, expect: pattern };
}
