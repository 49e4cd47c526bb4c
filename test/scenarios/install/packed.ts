// The built project → the archive that `npm pack` makes of it, and npm without a network.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import { findOnPath } from '../../../src/host/files.ts';

const PROJECT = path.resolve(import.meta.dirname, '../../..');

/** What npm is given to choose from; never node_modules, which may be a link to somebody else's. */
const GIVEN = [
  'bin',
  'dist',
  'launcher',
  'audit',
  'scripts',
  'shell-hooks',
  'src',
  'package.json',
  'package-lock.json',
];
const DOCUMENTS = ['README.md', 'docs', 'CHANGELOG.md', 'LICENSE'];

/** npm's own script, whatever the command is. */
export function npmScript(): string {
  const command = findOnPath('npm', process.env['PATH']);
  if (command === undefined) throw new Error('npm is not on PATH');
  return realpathSync(command);
}

/** A directory with the archive in it, which is gone after the tests of the file. */
export function packTool(): { readonly directory: string; readonly archive: string } {
  if (!existsSync(path.join(PROJECT, 'dist/main.cjs'))) throw new Error('npm run build comes first');
  const directory = mkdtempSync(path.join(tmpdir(), 'nix-run-foreign-pack-'));
  after(() => rmSync(directory, { recursive: true, force: true }));
  const copy = path.join(directory, 'project');
  mkdirSync(copy);
  for (const each of [...GIVEN, ...DOCUMENTS])
    cpSync(path.join(PROJECT, each), path.join(copy, each), { recursive: true, preserveTimestamps: true });
  const words = ['pack', '--ignore-scripts', '--silent', '--pack-destination', directory];
  const env = { ...process.env, npm_config_cache: path.join(directory, 'cache') };
  const name = execFileSync(process.execPath, [npmScript(), ...words], { cwd: copy, env, encoding: 'utf8' });
  return { directory, archive: path.join(directory, name.trim()) };
}
