// The C sources of audit/ → the module that ld.so asks for libraries it has not found, for one machine.
import { execFile } from 'node:child_process';
import path from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { compileC, PROJECT, sourcesIn } from './compile-c.ts';

/** A module that ld.so maps: needs no library, two segments. */
const SHARED = [
  '-fPIC',
  '-shared',
  '-Wl,-z,defs',
  '-Wl,-soname,nix-foreign-audit.so',
  // Read by arch-i386.h.
  '-DNARROW_STAT',
  // Where the kernel's interface lies, which the launcher has too.
  '-Ilauncher',
];

/** Atomic operations as instructions, not as calls of the compiler's library; no signal writes below the stack pointer. */
const BY_MACHINE: readonly (readonly [RegExp, string])[] = [
  [/^(aarch64|arm64)/, '-mno-outline-atomics'],
  [/^x86_64/, '-mno-red-zone'],
];

const run = promisify(execFile);

/** What the compiler calls the machine that it builds for. */
async function machineOf(cc: string, flags: readonly string[]): Promise<string> {
  const target = flags.find((flag) => flag.startsWith('--target='));
  return (await run(cc, [...(target === undefined ? [] : [target]), '-dumpmachine'])).stdout;
}

export interface AuditBuild {
  /** Path of the module to write; replaced by rename. */
  readonly output: string;
  /** The C compiler, gcc or clang; `cc` when left out. */
  readonly cc?: string;
  /** Further compiler arguments, such as `-m32`. */
  readonly flags?: readonly string[];
}

/** @throws Error with what the compiler said, ENOENT where there is none; `output` is then left as it was. */
export async function buildAudit({ output, cc = 'cc', flags = [] }: AuditBuild): Promise<void> {
  const machine = await machineOf(cc, flags);
  const special = BY_MACHINE.filter(([pattern]) => pattern.test(machine)).map(([, flag]) => flag);
  const sources = [...sourcesIn('audit'), 'launcher/freestanding.c'];
  await compileC(
    { what: 'the audit module', sources, flags: [...SHARED, ...special], output },
    { cc, flags },
  );
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
