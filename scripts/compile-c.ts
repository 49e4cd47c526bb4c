// Our C sources and a compiler → one freestanding file for one machine, put in place by rename.
import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

export const PROJECT = path.resolve(import.meta.dirname, '..');

/** No C library, and nothing that needs one: no stack guard in thread storage, no loops turned into calls. */
const FREESTANDING = [
  '-Wall',
  '-Wextra',
  '-Werror',
  '-std=c11',
  // A hit takes as many instructions as with -O2, and fewer pages.
  '-Os',
  '-ffreestanding',
  '-fno-builtin',
  '-fno-strict-aliasing',
  '-fno-stack-protector',
  '-mgeneral-regs-only',
  '-fno-asynchronous-unwind-tables',
  '-fvisibility=hidden',
  '-fno-ident',
  // What nothing calls is left out.
  '-ffunction-sections',
  '-fdata-sections',
  '-Wl,--gc-sections',
  '-nostdlib',
  '-nostartfiles',
  // No memory both writable and executable, same bytes for the same sources.
  '-Wl,-z,noexecstack',
  '-Wl,-z,noseparate-code',
  '-Wl,-z,norelro',
  // The table that every loader reads; nobody looks up more than a name or two here.
  '-Wl,--hash-style=sysv',
  '-Wl,--build-id=none',
  '-Wl,-s',
];

/** A compiler, gcc or clang, and what makes it build for a machine. */
export interface Compiler {
  readonly cc: string;
  readonly flags: readonly string[];
}

/**
 * lld would give the read-only data a segment of its own, and by -O2 it keeps a string that another ends in once. Other
 * versions of clang and lld may make other bytes.
 */
const clangFor = (target: string, size: readonly string[]): Compiler => ({
  cc: 'clang',
  flags: [`--target=${target}`, '-fuse-ld=lld', '-Wl,--no-rosegment', '-Wl,-O2', ...size],
});

/** 4 per cent smaller than -Os, for 3 per cent more instructions in a hit: most of its time is the kernel's. */
const SMALLEST = '-Oz';

/** Constants go by push and pop then, which a function cannot do that has anything below the stack pointer. */
const SMALLEST_X86_64 = [SMALLEST, '-mno-red-zone'];

/**
 * -Oz calls functions of libgcc here. A function that is called often is rarely put in the place of a call: 1 to 2 per
 * cent smaller than -Os alone. Only vector registers want a stack that is aligned to more than words: 2 per cent.
 */
const SMALLER_I386 = ['-mllvm', '-inline-threshold=5', '-mstack-alignment=4'];

/** Our functions get their first arguments in registers, as Linux' own do: 3 per cent smaller. */
const BY_REGISTERS = '-mregparm=3';

/** The machines that the package has launchers for, by Nix's name of their system. */
export const SYSTEMS: Readonly<Record<string, Compiler>> = {
  'x86_64-linux': clangFor('x86_64-linux-gnu', SMALLEST_X86_64),
  'aarch64-linux': clangFor('aarch64-linux-gnu', [SMALLEST]),
  'i686-linux': clangFor('i686-linux-gnu', [...SMALLER_I386, BY_REGISTERS]),
};

/** What any compiler of a machine builds for, by Node's `process.arch`. */
export const BUILT_BY: Readonly<
  Record<string, readonly (readonly [system: string, flags: readonly string[]])[]>
> = {
  x64: [
    ['x86_64-linux', []],
    ['i686-linux', ['-m32']],
  ],
  ia32: [['i686-linux', []]],
  arm64: [['aarch64-linux', []]],
};

const run = promisify(execFile);

/** The `.c` files of a folder of the project, as the compiler is told of them: no path of this machine. */
export function sourcesIn(folder: string): string[] {
  return readdirSync(path.join(PROJECT, folder))
    .filter((name) => name.endsWith('.c'))
    .sort()
    .map((name) => path.join(folder, name));
}

/** Whether there is no such compiler. */
export function isMissingCompiler(error: unknown): boolean {
  const cause = error instanceof Error ? (error.cause ?? error) : undefined;
  return cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
}

export interface Compilation {
  /** What is built, for messages. */
  readonly what: string;
  /** Relative to the project. */
  readonly sources: readonly string[];
  /** After those that all have in common. */
  readonly flags: readonly string[];
  /** Path of the file to write; left as it was where that fails. */
  readonly output: string;
}

/** @throws Error when there is no compiler (its `cause` has code ENOENT) or it rejects the sources. */
export async function compileC(
  { what, sources, flags, output }: Compilation,
  { cc, flags: more }: Compiler,
): Promise<void> {
  const temporary = `${path.resolve(output)}.${process.pid}.tmp`;
  mkdirSync(path.dirname(temporary), { recursive: true });
  try {
    await run(cc, [...FREESTANDING, ...flags, ...more, '-o', temporary, ...sources], { cwd: PROJECT });
    renameSync(temporary, output);
  } catch (error) {
    const { code, stderr, message } = error as { code?: unknown; stderr?: string; message: string };
    const why = code === 'ENOENT' ? 'there is no such C compiler' : `it failed\n${stderr?.trim() || message}`;
    throw new Error(`building ${what} with ${cc}: ${why}`, { cause: error });
  } finally {
    rmSync(temporary, { force: true });
  }
}
