// The C sources of audit/ → the module that ld.so asks for libraries it has not found, for one machine or all that are built for.
import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { FREESTANDING, WARNINGS } from '../src/cli/setup/compile-launcher.ts';

const PROJECT = path.resolve(import.meta.dirname, '..');

/** Beside what all our C is compiled with: a module that ld.so maps. */
const SHARED = [
  '-fPIC',
  // Of the launcher's file with what compilers call, nothing else is wanted.
  '-ffunction-sections',
  '-fdata-sections',
];

/** Needs no library, two segments, the same bytes for the same sources. */
const LINKING = [
  '-shared',
  '-nostdlib',
  '-nostartfiles',
  '-Wl,-z,defs',
  '-Wl,-z,now',
  '-Wl,-z,noexecstack',
  '-Wl,-z,noseparate-code',
  '-Wl,-z,norelro',
  '-Wl,--hash-style=both',
  '-Wl,--build-id=none',
  '-Wl,-soname,nix-foreign-audit.so',
  '-Wl,--gc-sections',
  '-Wl,-s',
];

/** Atomic operations as instructions, not as calls of the compiler's library; no signal writes below the stack pointer. */
const BY_MACHINE: readonly (readonly [RegExp, string])[] = [
  [/^(aarch64|arm64)/, '-mno-outline-atomics'],
  [/^x86_64/, '-mno-red-zone'],
];

/** Where the kernel's interface lies, which the launcher has too. */
const LAUNCHER = path.join(PROJECT, 'launcher');

const run = promisify(execFile);

export interface AuditBuild {
  /** Path of the module to write; replaced by rename. */
  readonly output: string;
  /** The C compiler, gcc or clang; `cc` when left out. */
  readonly cc?: string;
  /** Further compiler arguments, such as `-m32`. */
  readonly flags?: readonly string[];
}

/** @throws Node's error with what the compiler said, ENOENT where there is none; `output` is then left as it was. */
export async function buildAudit({ output, cc = 'cc', flags = [] }: AuditBuild): Promise<void> {
  const sources = path.join(PROJECT, 'audit');
  const files = readdirSync(sources).filter((name) => name.endsWith('.c'));
  const { stdout: machine } = await run(cc, ['-dumpmachine']);
  const special = BY_MACHINE.filter(([pattern]) => pattern.test(machine)).map(([, flag]) => flag);
  const temporary = `${output}.${process.pid}.tmp`;
  mkdirSync(path.dirname(output), { recursive: true });
  try {
    await run(cc, [
      ...[
        ...WARNINGS,
        ...FREESTANDING,
        ...SHARED,
        ...special,
        ...LINKING,
        `-I${LAUNCHER}`,
        ...flags,
        '-o',
        temporary,
      ],
      ...files.sort().map((name) => path.join(sources, name)),
      path.join(LAUNCHER, 'freestanding.c'),
    ]);
    renameSync(temporary, output);
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** What the compiler of a machine builds modules for, by Node's `process.arch`: the system in the file's name, its flags. */
const BUILT_BY: Readonly<Record<string, readonly (readonly [system: string, flags: readonly string[]])[]>> = {
  x64: [
    ['x86_64-linux', []],
    ['i686-linux', ['-m32']],
  ],
  ia32: [['i686-linux', []]],
  arm64: [['aarch64-linux', []]],
};

/**
 * Builds a module for each machine whose programs run here. Returns the systems whose module the compiler could not make;
 * programs start without one. @throws Node's error ENOENT where there is no compiler.
 */
export async function buildAuditModules(directory: string, cc = 'cc'): Promise<string[]> {
  const failed: string[] = [];
  for (const [system, flags] of BUILT_BY[process.arch] ?? []) {
    try {
      await buildAudit({ output: path.join(directory, `nix-foreign-audit-${system}.so`), cc, flags });
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') throw error;
      failed.push(system);
    }
  }
  return failed;
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      output: { type: 'string', default: path.join(PROJECT, 'bin/nix-foreign-audit.so') },
      cc: { type: 'string', default: process.env['CC'] || 'cc' },
      flag: { type: 'string', multiple: true, default: [] },
    },
  });
  await buildAudit({ output: values.output, cc: values.cc, flags: values.flag });
}
