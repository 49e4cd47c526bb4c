// A wheel or a package of this machine's Debian → its files in a directory of the rig's cache, fetched once.
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import path from 'node:path';
import { execa } from 'execa';
import { preparePrivateApt, preparePrivateAptWithNewerKeys } from './packages/private-apt.ts';
import type { Suite } from './packages/selection.ts';
import { say, sayDone } from './progress.ts';
import { rigCacheDirectory } from './rig-cache.ts';

/** The rename at the end makes it whole, so several test files may ask at the same time. */
async function fetchOnce(name: string, fetchInto: (arriving: string) => Promise<string>): Promise<string> {
  const directory = path.join(rigCacheDirectory(), 'fetched', name);
  if (existsSync(directory)) return directory;
  mkdirSync(path.dirname(directory), { recursive: true });
  const arriving = mkdtempSync(`${directory}.arriving-`);
  try {
    say(`downloading ${name}`);
    const unpacked = await fetchInto(arriving);
    chmodSync(unpacked, 0o755);
    if (!existsSync(directory)) renameSync(unpacked, directory);
  } finally {
    sayDone(`${name} is there`);
    rmSync(arriving, { recursive: true, force: true });
  }
  return directory;
}

function onlyFile(directory: string): string {
  const [name = ''] = readdirSync(directory);
  return path.join(directory, name);
}

export interface Wheel {
  readonly name: string;
  readonly version: string;
  readonly python: string;
  readonly platform: string;
  readonly sha256: string;
}

/** By pip of this machine. Throws where it fetched something else. Returns a directory for `sys.path`. */
export function fetchWheel({ name, version, python, platform, sha256 }: Wheel): Promise<string> {
  return fetchOnce(`${name}-${version}-${python}`, async (arriving) => {
    const tags = ['--no-deps', '--only-binary=:all:', '--python-version', python, '--platform', platform];
    const into = path.join(arriving, 'wheel');
    await execa('python3', ['-m', 'pip', 'download', '-q', ...tags, '-d', into, `${name}==${version}`]);
    const file = onlyFile(into);
    const found = createHash('sha256').update(readFileSync(file)).digest('hex');
    if (found !== sha256) throw new Error(`pip fetched another ${name} ${version}: ${found}`);
    const unpacked = path.join(arriving, 'unpacked');
    await execa('python3', ['-m', 'zipfile', '-e', file, unpacked]);
    return unpacked;
  });
}

/** By an apt of its own. Returns what is `/` for packages of another suite. */
export function fetchOfSuite(suite: Suite, names: readonly string[]): Promise<string> {
  return fetchOnce(`${suite}-${names[0]}`, async (arriving) => {
    const aptOf = (each: Suite) => path.join(arriving, 'apt', each);
    const trusted = () => preparePrivateApt('bookworm', aptOf('bookworm'));
    const apt = await preparePrivateAptWithNewerKeys(suite, aptOf(suite), trusted);
    const into = path.join(arriving, 'packages');
    mkdirSync(into);
    const env = { APT_CONFIG: apt.configuration };
    await execa('apt-get', ['download', '-qq', ...names], { env, cwd: into });
    const unpacked = path.join(arriving, 'unpacked');
    for (const file of readdirSync(into)) await execa('dpkg-deb', ['-x', path.join(into, file), unpacked]);
    return unpacked;
  });
}

/** By apt of this machine, which checks its hash. Returns what is `/` for the package. */
export function fetchDebianPackage(name: string): Promise<string> {
  return fetchOnce(name, async (arriving) => {
    const into = path.join(arriving, 'package');
    mkdirSync(into);
    // Without privileges apt could not write there.
    await execa('apt-get', ['download', '-qq', '-o', 'APT::Sandbox::User=root', name], { cwd: into });
    const unpacked = path.join(arriving, 'unpacked');
    await execa('dpkg-deb', ['-x', onlyFile(into), unpacked]);
    return unpacked;
  });
}
