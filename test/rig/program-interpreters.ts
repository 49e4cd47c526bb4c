// The name of a program interpreter → a static program of ours that plays it, compiled once.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { rigCacheDirectory } from './rig-cache.ts';

/** The programs in test/fixtures/programs that can sit at /lib64/ld-linux-x86-64.so.2. */
export type InterpreterName = 'nix-ld' | 'stub-ld';

const flags: Readonly<Record<InterpreterName, readonly string[]>> = {
  'nix-ld': ['-static-pie', '-nostdlib', '-ffreestanding', '-fPIE', '-fno-stack-protector', '-O2'],
  'stub-ld': ['-static', '-O2'],
};

/** Compiles the interpreter unless this version of its source was compiled before; returns the program's path. */
export async function compileInterpreter(name: InterpreterName): Promise<string> {
  const source = join(import.meta.dirname, '..', 'fixtures', 'programs', `${name}.c`);
  const hash = createHash('sha256').update(readFileSync(source)).update(flags[name].join(' ')).digest('hex');
  const directory = join(rigCacheDirectory(), 'interpreters', hash.slice(0, 16));
  const program = join(directory, name);
  if (existsSync(program)) return program;
  mkdirSync(directory, { recursive: true });
  const arriving = `${program}.${process.pid}`;
  await execa('gcc', [...flags[name], '-Wall', '-Wextra', '-Werror', '-o', arriving, source]);
  renameSync(arriving, program);
  return program;
}
