// The C sources of src/launch/launcher to the nix-run-foreign executable.
import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs, promisify } from 'node:util';

const PROJECT = path.resolve(import.meta.dirname, '..');
const SOURCES = path.join(PROJECT, 'src/launch/launcher');

const WARNINGS = ['-Wall', '-Wextra', '-Werror'];

/** No C library, and nothing that needs one: no stack guard in thread storage, no loops turned into calls. */
const FREESTANDING = [
  '-std=c11',
  '-O2',
  '-ffreestanding',
  '-fno-builtin',
  '-fno-strict-aliasing',
  '-fno-stack-protector',
  '-mgeneral-regs-only',
  '-fno-asynchronous-unwind-tables',
  '-fPIE',
  '-fvisibility=hidden',
];

/** Static, may be mapped anywhere, no memory both writable and executable, same bytes for the same sources. */
const LINKING = [
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

export type LauncherBuild = {
  /** Path of the executable to write; replaced by rename. */
  readonly output: string;
  /** Absolute path of the Node that runs the resolver. */
  readonly node: string;
  /** Absolute path of the resolver's script. */
  readonly script: string;
  /** The C compiler, gcc or clang; `cc` when left out. */
  readonly cc?: string;
  /** Further compiler arguments, after the usual ones. */
  readonly flags?: readonly string[];
};

/**
 * Compiles and links the launcher.
 *
 * @throws Error when there is no compiler (its `cause` has code ENOENT) or it rejects the sources; `output` is
 * then left as it was.
 */
export async function buildLauncher(build: LauncherBuild): Promise<void> {
  const { version } = JSON.parse(await readFile(path.join(PROJECT, 'package.json'), 'utf8')) as {
    version: string;
  };
  const sources = (await readdir(SOURCES)).filter((name) => name.endsWith('.c')).sort();
  const temporary = `${build.output}.${process.pid}.new`;
  const definitions = [
    `-DLAUNCHER_VERSION=${cString(version)}`,
    `-DRESOLVER_NODE=${cString(build.node)}`,
    `-DRESOLVER_SCRIPT=${cString(build.script)}`,
  ];
  const files = sources.map((name) => path.join(SOURCES, name));
  const flags = [...WARNINGS, ...FREESTANDING, ...LINKING, ...definitions, ...(build.flags ?? [])];
  await mkdir(path.dirname(build.output), { recursive: true });
  try {
    await compile(build.cc ?? 'cc', [...flags, '-o', temporary, ...files]);
    await rename(temporary, build.output);
  } finally {
    await rm(temporary, { force: true });
  }
}

async function compile(cc: string, args: readonly string[]): Promise<void> {
  try {
    await promisify(execFile)(cc, args);
  } catch (cause) {
    const { code, stderr } = cause as { code?: unknown; stderr?: string };
    const what = code === 'ENOENT' ? 'there is no such C compiler' : `it failed\n${stderr ?? ''}`;
    throw new Error(`building the launcher with ${cc}: ${what}`, { cause });
  }
}

/** A C string literal; every byte that could mean something to the preprocessor is written in octal. */
function cString(text: string): string {
  const bytes = [...Buffer.from(text)].map((byte) => {
    const character = String.fromCharCode(byte);
    return /[A-Za-z0-9/._+@ -]/.test(character) ? character : `\\${byte.toString(8).padStart(3, '0')}`;
  });
  return `"${bytes.join('')}"`;
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      output: { type: 'string', default: path.join(PROJECT, 'bin/nix-run-foreign') },
      node: { type: 'string', default: process.execPath },
      script: { type: 'string', default: path.join(PROJECT, 'dist/nix-foreign.cjs') },
      cc: { type: 'string', default: process.env['CC'] || 'cc' },
    },
  });
  await buildLauncher(values);
}
