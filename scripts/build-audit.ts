// The C sources of audit/ → nix-foreign-audit.so, the module that ld.so asks for libraries it has not found.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { parseArgs, promisify } from 'node:util';

const PROJECT = path.resolve(import.meta.dirname, '..');

const WARNINGS = ['-Wall', '-Wextra', '-Werror'];

/** No C library, and nothing that needs one; the frame of a caller that shares its memory stays as it is. */
const FREESTANDING = [
  '-std=c11',
  '-O2',
  '-ffreestanding',
  '-fno-builtin',
  '-fno-strict-aliasing',
  '-fno-stack-protector',
  '-mgeneral-regs-only',
  '-fno-asynchronous-unwind-tables',
  '-fPIC',
  '-fvisibility=hidden',
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
  '-Wl,-s',
];

/** Atomic operations as instructions, not as calls of the compiler's library; no signal writes below the stack pointer. */
const BY_MACHINE: readonly (readonly [RegExp, string])[] = [
  [/^(aarch64|arm64)/, '-mno-outline-atomics'],
  [/^x86_64/, '-mno-red-zone'],
];

/** Where the kernel's interface lies, which the launcher has too. */
const LAUNCHER = ['launcher', 'launcher']
  .map((directory) => path.join(PROJECT, directory))
  .find((directory) => existsSync(path.join(directory, 'kernel.h')));

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
  if (LAUNCHER === undefined) throw new Error('the launcher, whose kernel.h is needed, is not there');
  const sources = path.join(PROJECT, 'audit');
  const files = readdirSync(sources).filter((name) => name.endsWith('.c'));
  const { stdout: machine } = await run(cc, ['-dumpmachine']);
  const special = BY_MACHINE.filter(([pattern]) => pattern.test(machine)).map(([, flag]) => flag);
  const temporary = `${output}.${process.pid}.tmp`;
  mkdirSync(path.dirname(output), { recursive: true });
  try {
    await run(cc, [
      ...[...WARNINGS, ...FREESTANDING, ...special, ...LINKING, `-I${LAUNCHER}`, ...flags, '-o', temporary],
      ...files.sort().map((name) => path.join(sources, name)),
      path.join(LAUNCHER, 'compiler-runtime.c'),
    ]);
    renameSync(temporary, output);
  } finally {
    rmSync(temporary, { force: true });
  }
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
