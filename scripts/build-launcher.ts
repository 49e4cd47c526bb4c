// The C sources of launcher/ → the nix-run-foreign executable.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { compileC, PROJECT, sourcesIn } from './compile-c.ts';

/** Static, may be mapped anywhere. */
const LINKING = ['-fPIE', '-static-pie', '-Wl,--export-dynamic-symbol=_dl_debug_state'];

export type LauncherBuild = {
  /** Path of the executable to write; replaced by rename. */
  readonly output: string;
  /** Absolute paths of the Node that runs the resolver, and of its script; left out, it finds them from where it lies. */
  readonly node?: string;
  readonly script?: string;
  /** The C compiler, gcc or clang; `cc` when left out. */
  readonly cc?: string;
  /** Further compiler arguments, after the usual ones. */
  readonly flags?: readonly string[];
};

/** A C string literal; every byte that could mean something to the preprocessor is written in octal. */
function cString(text: string): string {
  const bytes = [...Buffer.from(text)].map((byte) => {
    const character = String.fromCharCode(byte);
    return /[A-Za-z0-9/._+@ -]/.test(character) ? character : `\\${byte.toString(8).padStart(3, '0')}`;
  });
  return `"${bytes.join('')}"`;
}

/**
 * Compiles and links the launcher.
 *
 * @throws Error when there is no compiler (its `cause` has code ENOENT) or it rejects the sources; `output` is
 * then left as it was.
 */
export async function buildLauncher(build: LauncherBuild): Promise<void> {
  const { output, node = '', script = '', cc = 'cc', flags = [] } = build;
  const { version } = JSON.parse(readFileSync(path.join(PROJECT, 'package.json'), 'utf8'));
  const definitions = [
    `-DLAUNCHER_VERSION=${cString(version)}`,
    `-DRESOLVER_NODE=${cString(node)}`,
    `-DRESOLVER_SCRIPT=${cString(script)}`,
  ];
  const sources = sourcesIn('launcher');
  await compileC(
    { what: 'the launcher', sources, flags: [...LINKING, ...definitions], output },
    { cc, flags },
  );
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
