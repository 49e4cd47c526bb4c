// A root → the programs that look at themselves, compiled into its home, and what they said.
import assert from 'node:assert/strict';
import { appendFileSync, chmodSync, chownSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { homeInRoot, type Outcome } from '../../rig/root.ts';
import { compile, compileLibrary } from '../compile.ts';
import { onHost } from '../foreign-files.ts';
import { type OpenWay, USER } from './ways.ts';

const at = (name: string) => path.join(homeInRoot, 'bin', name);

/** Paths in the root. All but the static ones need a library that only the store has, each another one. */
export const programs = {
  probe: at('probe'),
  /** The same with bytes appended, as packers leave a program; it is known to look at itself. */
  packed: at('packed'),
  other: at('other'),
  native: at('native'),
  /** Static, and setuid: one root's, one the user's. */
  ofRoot: at('of-root'),
  ofUser: at('of-user'),
  /** A directory with a libz.so.1 of the user's. */
  libraries: path.join(homeInRoot, 'libraries'),
} as const;

/** Compiles them, and has those planned that the way is asked for. */
export async function putPrograms(way: OpenWay): Promise<void> {
  const source = readFileSync(path.join(import.meta.dirname, 'programs/probe.c'), 'utf8');
  const on = (file: string) => onHost(way, file);
  mkdirSync(on(path.dirname(programs.probe)), { mode: 0o755 });
  for (const file of [programs.probe, programs.packed])
    compile(on(file), source, ['-g', '-DFOREIGN', '-l:libz.so.1']);
  appendFileSync(on(programs.packed), 'appended:hello');
  const expat =
    '#include <stdio.h>\nconst char *XML_ExpatVersion(void);\nint main(void) { return puts(XML_ExpatVersion()) < 0; }';
  compile(on(programs.other), expat, ['-l:libexpat.so.1']);
  for (const file of [programs.native, programs.ofRoot, programs.ofUser])
    compile(on(file), source, ['-static']);
  chownSync(on(programs.ofUser), USER, USER);
  for (const file of [programs.ofRoot, programs.ofUser]) chmodSync(on(file), 0o4755);
  const users = 'const char *zlibVersion(void) { return "users"; }';
  compileLibrary(on(path.join(programs.libraries, 'libz.so.1')), 'libz.so.1', users);
  for (const file of [programs.probe, programs.packed]) await way.plan(file);
}

/** The lines of a report by their first words. */
export function reportOf({ status, stdout, stderr }: Outcome): Record<string, string> {
  assert.equal(status, 0, stderr);
  const lines = stdout.trimEnd().split('\n');
  return Object.fromEntries(
    lines.map((line) => [line.split(' ')[0] ?? '', line.slice(line.indexOf(' ') + 1)]),
  );
}

/** What a file is to who started the program. */
export function nameOf(file: string): string {
  if (/^\/nix\/store\/[^/]*glibc[^/]*\/lib\/ld-linux/.test(file)) return 'ld.so';
  if (/\/copies\/[0-9a-f]{32}\/bin\/(probe|packed)$/.test(file)) return 'the copy';
  return [programs.probe, programs.packed].some((each) => each === file) ? 'the program' : file;
}
