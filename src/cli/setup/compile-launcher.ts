// The C sources in launcher/ → the nix-run-foreign executable.
import { readdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { temporaryName } from '../../host/atomic-file.ts';
import { makeDirectories } from '../../host/files.ts';
import { runProgram } from '../../host/run-program.ts';

export const WARNINGS = ['-Wall', '-Wextra', '-Werror'];

/** No C library, and nothing that needs one: no stack guard in thread storage, no loops turned into calls. */
export const FREESTANDING = [
  '-std=c11',
  '-O2',
  '-ffreestanding',
  '-fno-builtin',
  '-fno-strict-aliasing',
  '-fno-stack-protector',
  '-mgeneral-regs-only',
  '-fno-asynchronous-unwind-tables',
  '-fvisibility=hidden',
];

/** Static, may be mapped anywhere, no memory both writable and executable, same bytes for the same sources. */
const LINKING = [
  '-fPIE',
  '-nostdlib',
  '-nostartfiles',
  '-static-pie',
  '-Wl,-z,noexecstack',
  '-Wl,-z,noseparate-code',
  '-Wl,-z,norelro',
  '-Wl,--build-id=none',
  '-Wl,-s',
  '-Wl,--export-dynamic-symbol=_dl_debug_state',
];

/** Milliseconds; it takes one second. */
const PATIENCE = 300_000;

export interface LauncherSources {
  /** Directory of the C files. */
  readonly sources: string;
  /** What `--version` says. */
  readonly version: string;
  /** Absolute path of the Node that runs the resolver. */
  readonly node: string;
  /** Absolute path of the resolver's script. */
  readonly script: string;
}

interface Compiler {
  /** gcc or clang, by name or path. */
  readonly cc: string;
  /** Further arguments, after the usual ones. */
  readonly flags: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

type Compiled =
  | { readonly kind: 'compiled' }
  | { readonly kind: 'no-compiler' }
  | { readonly kind: 'rejected'; readonly why: string };

/** A C string literal; every byte that could mean something to the preprocessor is written in octal. */
function cString(text: string): string {
  const bytes = [...Buffer.from(text)].map((byte) => {
    const character = String.fromCharCode(byte);
    return /[A-Za-z0-9/._+@ -]/.test(character) ? character : `\\${byte.toString(8).padStart(3, '0')}`;
  });
  return `"${bytes.join('')}"`;
}

/**
 * Compiles and links the launcher, and puts it at `output` by rename once `check` has not thrown for the new file.
 * Where it is not compiled, `output` is left as it was. @throws Node's errors where its directory cannot be written.
 */
export async function compileLauncher(
  { sources, version, node, script }: LauncherSources,
  { cc, flags, env }: Compiler,
  output: string,
  check: (file: string) => Promise<void> = async () => {},
): Promise<Compiled> {
  const files = readdirSync(sources).filter((name) => name.endsWith('.c'));
  const definitions = [
    `-DLAUNCHER_VERSION=${cString(version)}`,
    `-DRESOLVER_NODE=${cString(node)}`,
    `-DRESOLVER_SCRIPT=${cString(script)}`,
  ];
  const temporary = temporaryName(output);
  const words = [...WARNINGS, ...FREESTANDING, ...LINKING, ...definitions, ...flags, '-o', temporary];
  makeDirectories(path.dirname(output), 0o755);
  try {
    const { status, failure, stderr } = await runProgram(
      cc,
      [...words, ...files.sort().map((name) => path.join(sources, name))],
      { env, timeout: PATIENCE },
    );
    if (failure === 'ENOENT') return { kind: 'no-compiler' };
    if (status !== 0)
      return { kind: 'rejected', why: failure ?? (stderr.trim() || `it ends with ${status}`) };
    await check(temporary);
    renameSync(temporary, output);
    return { kind: 'compiled' };
  } finally {
    rmSync(temporary, { force: true });
  }
}
