// The ways in which a foreign program can be started → roots with only /nix, each with a start and a hit by that way.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { elfFileAt } from '../../../src/elf/open-elf.ts';
import type { Rig } from '../../rig/rig.ts';
import { homeInRoot, type Outcome, type Root, type RootOptions } from '../../rig/root.ts';
import { compile } from '../compile.ts';
import { onHost } from '../foreign-files.ts';
import { openWays } from '../interpreter/ways-in.ts';
import { openToolRoot, type Settings, type ToolRoot } from '../tool.ts';

export interface RunTimeWay {
  readonly name: string;
  readonly root: ToolRoot;
  start(words: readonly string[], settings?: Settings): Promise<Outcome>;
  /** With a launcher's resolver that cannot be started: a plan that holds is followed, and nothing else. */
  hit(words: readonly string[], settings?: Settings): Promise<Outcome>;
}

async function prefixed(
  rig: Rig,
  name: string,
  options: RootOptions,
  words: readonly string[],
): Promise<RunTimeWay> {
  const root = await openToolRoot(rig, options);
  return {
    name,
    root,
    start: (rest, settings) => root.start([...words, ...rest], settings),
    hit: (rest, settings) => root.startHit(rest, settings),
  };
}

/** By the loader, in a namespace, entered by nix-ld, and as the interpreter itself. */
export async function openRunTimeWays(rig: Rig): Promise<RunTimeWay[]> {
  const interpreters = await openWays(rig);
  return [
    await prefixed(rig, 'loader', {}, []),
    await prefixed(rig, 'namespace', { interpreter: 'stub-ld' }, ['--strategy', 'namespace']),
    ...interpreters.map((way) => ({
      name: way.way,
      root: way,
      start: ([program = '', ...args]: readonly string[], settings?: Settings) =>
        way.plain(program, args, settings),
      hit: ([program = '', ...args]: readonly string[], settings?: Settings) =>
        way.plainHit(program, args, settings),
    })),
  ];
}

/** Compiles a program of programs/ to a directory of its own in the home. Returns its path in the root. */
export function putProgram(root: Root, name: string, directory = name): string {
  const inRoot = path.join(homeInRoot, directory, name);
  const source = readFileSync(path.join(import.meta.dirname, 'programs', `${name}.c`), 'utf8');
  compile(onHost(root, inRoot), source);
  return inRoot;
}

/** A program that opens what it is told and prints its environment. Returns its path in the root. */
export function putPrinter(root: Root, name: string, flags: readonly string[]): string {
  const open = flags.length === 0 ? '  if (argc > 1 && !dlopen(argv[1], RTLD_NOW)) return 1;\n' : '';
  const source = `#include <dlfcn.h>\n#include <stdio.h>\nextern char **environ;\nint main(int argc, char **argv) {\n${open}  for (char **each = environ; *each; each++) puts(*each);\n}\n`;
  compile(onHost(root, path.join(homeInRoot, name)), source, flags);
  return path.join(homeInRoot, name);
}

/** Source of a library with more thread storage than a loader with an audit module has for it. */
export const LARGE_STORAGE = `static _Thread_local char storage[4096] __attribute__((tls_model("initial-exec")));
char *thread_storage(void) { return storage; }`;

/** A plug-in that needs these libraries, as a wheel's or an addon's object does. Returns its path in the root. */
export function putPlugIn(root: Root, file: string, source: string, needed: readonly string[]): string {
  const inRoot = path.join(homeInRoot, file);
  const flags = ['-shared', '-fPIC', '-Wl,--no-as-needed', ...needed.map((each) => `-l:${each}`)];
  compile(onHost(root, inRoot), source, flags);
  return inRoot;
}

/** What makes a compiled program one of Nix: the loader of the rig's Node, and its libc. */
export function flagsOfNix(rig: Rig): string[] {
  const interpreter = elfFileAt(path.join(rig.dir, rig.node))?.interpreter as string;
  const libc = path.dirname(interpreter);
  return [`-Wl,-dynamic-linker,${interpreter}`, `-Wl,-rpath,${libc}`, `-L${path.join(rig.dir, libc)}`];
}
