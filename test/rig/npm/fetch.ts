// A package of npm → its files in a directory of the rig's cache, fetched once by the machine's own npm.
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { say } from '../progress.ts';
import { rigCacheDirectory } from '../rig-cache.ts';
import type { NpmPackage } from './selection.ts';

/**
 * Returns the directory of the unpacked package; no script of it is run. The rename at the end makes it whole, so
 * several test files may ask at the same time. Throws where npm cannot fetch it, or fetched something else.
 */
export async function fetchNpmPackage({ name, version, integrity }: NpmPackage): Promise<string> {
  const directory = join(
    rigCacheDirectory(),
    'npm',
    `${name.replace(/^@/, '').replace('/', '-')}-${version}`,
  );
  if (existsSync(directory)) return directory;
  mkdirSync(join(directory, '..'), { recursive: true });
  const arriving = mkdtempSync(`${directory}.arriving-`);
  try {
    say(`npm: downloading ${name} ${version}`);
    const pack = ['pack', '--silent', '--ignore-scripts', `${name}@${version}`];
    const { stdout } = await execa('npm', pack, { cwd: arriving });
    const file = join(arriving, stdout.trim().split('\n').at(-1) ?? '');
    checkIntegrity(readFileSync(file), { name, version, integrity });
    const unpacked = join(arriving, 'package');
    mkdirSync(unpacked, { recursive: true });
    await execa('tar', ['-xzf', file, '-C', unpacked, '--strip-components=1', '--no-same-owner']);
    chmodSync(unpacked, 0o755);
    if (!existsSync(directory)) renameSync(unpacked, directory);
  } catch (error) {
    if (!existsSync(directory)) throw error;
  } finally {
    rmSync(arriving, { recursive: true, force: true });
  }
  return directory;
}

/** Throws where the package file is not the pinned one. */
export function checkIntegrity(file: Uint8Array, { name, version, integrity }: NpmPackage): void {
  const hash = `sha512-${createHash('sha512').update(file).digest('base64')}`;
  if (hash !== integrity) throw new Error(`npm fetched another ${name} ${version}: ${hash}`);
}
