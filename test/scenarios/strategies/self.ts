// The program that looks at itself → compiled into a root, and its report read.
import assert from 'node:assert/strict';
import { appendFileSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { homeInRoot, type Outcome } from '../../rig/root.ts';
import { compile } from '../compile.ts';
import { onHost } from '../foreign-files.ts';
import type { ToolRoot } from '../tool.ts';

const sources = path.join(import.meta.dirname, 'programs');

/**
 * `with payload`: something is appended, as packers do. `composed`: the name of /proc/self/exe does not stand in the file.
 */
export type Kind = 'with payload' | 'plain' | 'composed';

/** Compiles it into the root's home; returns its path there. It needs zlib, which only the store has. */
export function putSelf(root: ToolRoot, name: string, kind: Kind): string {
  const program = path.join(homeInRoot, 'bin', name);
  const source = readFileSync(path.join(sources, 'self.c'), 'utf8');
  const flags = kind === 'composed' ? ['-DCOMPOSED'] : [];
  compile(onHost(root, program), source, [...flags, '-l:libz.so.1']);
  if (kind === 'with payload') appendFileSync(onHost(root, program), 'appended:hello');
  return program;
}

/** Compiles a static program of programs/ into the home. */
export function putStatic(root: ToolRoot, name: string): string {
  const program = path.join(homeInRoot, 'bin', name);
  compile(onHost(root, program), readFileSync(path.join(sources, `${name}.c`), 'utf8'), ['-static', '-w']);
  return program;
}

/** The lines of `report` by their first words. */
export function reportOf({ status, stdout, stderr }: Outcome): Record<string, string> {
  assert.equal(status, 0, stderr);
  return Object.fromEntries(
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => [line.split(' ')[0] ?? '', line.slice(line.indexOf(' ') + 1)]),
  );
}
