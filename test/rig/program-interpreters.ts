// The name of a program interpreter → a static program of ours that plays it, compiled once, and put into a store.
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import type { Namespace } from './namespace.ts';
import type { Rig } from './rig.ts';
import { rigCacheDirectory } from './rig-cache.ts';
import { nixEnvironment } from './store/private-nix.ts';

/** The programs in test/fixtures/programs that can sit at /lib64/ld-linux-x86-64.so.2. */
export type InterpreterName = 'nix-ld' | 'nix-ld-1' | 'stub-ld';

const flags = ['-static-pie', '-nostdlib', '-ffreestanding', '-fPIE', '-fno-stack-protector', '-O2'];

/** Name of the store object and the file in it, as nixpkgs has them (nix-ld's package.nix; stub-ld is the file itself). */
const layout: Readonly<Record<InterpreterName, { object: string; file: string }>> = {
  'nix-ld': { object: 'nix-ld-2.0.6', file: 'libexec/nix-ld' },
  'nix-ld-1': { object: 'nix-ld-1.2.3', file: 'libexec/nix-ld' },
  'stub-ld': { object: 'stub-ld-x86_64-unknown-linux-gnu', file: '' },
};

function isOurs(wanted: string): wanted is InterpreterName {
  return wanted in layout;
}

/** Compiles the interpreter unless this version of its source was compiled before; returns the program's path. */
export async function compileInterpreter(
  name: InterpreterName,
  machine: '-m64' | '-m32' = '-m64',
): Promise<string> {
  const source = join(import.meta.dirname, '..', 'fixtures', 'programs', `${name}.c`);
  const hash = createHash('sha256');
  // What it includes, too.
  const included = ['freestanding.h', 'map-object.h', 'nix-ld.c'];
  for (const file of [source, ...included.map((each) => join(dirname(source), each))])
    hash.update(readFileSync(file));
  const directory = join(rigCacheDirectory(), 'interpreters', hash.digest('hex').slice(0, 16));
  const program = join(directory, machine === '-m64' ? name : `${name}-32`);
  if (existsSync(program)) return program;
  mkdirSync(directory, { recursive: true });
  const arriving = `${program}.${process.pid}`;
  await execa('gcc', [machine, ...flags, '-Wall', '-Wextra', '-Werror', '-o', arriving, source]);
  renameSync(arriving, program);
  return program;
}

/**
 * Puts an interpreter of ours into the namespace's own store, rooted, and returns its store path; other values are
 * returned as they are, `none` as undefined.
 */
export async function placeInterpreter(
  rig: Rig,
  namespace: Namespace,
  wanted: 'none' | InterpreterName | `/${string}`,
  scratch: string,
): Promise<string | undefined> {
  if (wanted === 'none') return undefined;
  if (!isOurs(wanted)) return wanted;
  const { object, file } = layout[wanted];
  const copy = join(scratch, 'interpreter', object);
  mkdirSync(join(copy, '..', file === '' ? '' : join(object, dirname(file))), { recursive: true });
  copyFileSync(await compileInterpreter(wanted), join(copy, file));
  const [enter, ...rest] = namespace.enter;
  const script = 'p=$("$0"/nix-store --add "$1") && ln -s "$p" /nix/var/nix/gcroots/interpreter && echo "$p"';
  const { stdout } = await execa(enter, [...rest, 'sh', '-c', script, rig.nixBin, copy], {
    env: nixEnvironment(join(scratch, 'interpreter')),
    extendEnv: false,
  });
  return join(stdout, file);
}
