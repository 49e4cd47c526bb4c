// The C sources of launcher to the nix-run-foreign executable.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { compileLauncher } from '../src/cli/setup/compile-launcher.ts';

const PROJECT = path.resolve(import.meta.dirname, '..');

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
  const { output, node, script, cc = 'cc', flags = [] } = build;
  const env = process.env as Record<string, string>;
  const sources = path.join(PROJECT, 'launcher');
  const done = await compileLauncher({ sources, version, node, script }, { cc, flags, env }, output);
  if (done.kind === 'compiled') return;
  const what = done.kind === 'no-compiler' ? 'there is no such C compiler' : `it failed\n${done.why}`;
  const cause = Object.assign(new Error(what), { code: done.kind === 'no-compiler' ? 'ENOENT' : undefined });
  throw new Error(`building the launcher with ${cc}: ${what}`, { cause });
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
