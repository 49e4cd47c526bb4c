// Package names of one suite → the packages that apt would install for them on an empty machine.
import { execa } from 'execa';
import type { PrivateApt } from './private-apt.ts';
import { leftOut, type Suite } from './selection.ts';

/** One package file of the archive. */
export interface Package {
  readonly suite: Suite;
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** The file's name as apt stores it: `NAME_VERSION_ARCH.deb` with `%3a` for the epoch's colon. */
  readonly file: string;
}

/**
 * The dependency closure of `names` (apt's own answer), without packages for all architectures, which hold no ELF
 * object, and without those that selection.ts leaves out. Sorted by name. Those for arm64 are asked for alone, and
 * give arm64's only: a machine has one bash.
 */
export async function closureOf(apt: PrivateApt, names: readonly string[]): Promise<Package[]> {
  const isApart = (name: string) => name.endsWith(':arm64');
  const usual = await closureOfGroup(
    apt,
    names.filter((name) => !isApart(name)),
  );
  const apart = await closureOfGroup(apt, names.filter(isApart));
  const found = [...usual, ...apart.filter(({ architecture }) => architecture === 'arm64')];
  return found.sort((a, b) => (`${a.name}:${a.architecture}` < `${b.name}:${b.architecture}` ? -1 : 1));
}

async function closureOfGroup(apt: PrivateApt, names: readonly string[]): Promise<Package[]> {
  if (names.length === 0) return [];
  const { stdout } = await execa(
    'apt-get',
    ['install', '--print-uris', '-qq', '-y', '--no-install-recommends', ...names],
    { env: { APT_CONFIG: apt.configuration } },
  );
  const wanted = new Set(names.map((name) => name.split(':')[0]));
  const packages: Package[] = [];
  for (const line of stdout.split('\n')) {
    const file = line.split(' ')[1];
    const [name, version, rest] = file?.split('_') ?? [];
    if (!file || !name || !version || !rest) continue;
    const architecture = rest.replace(/\.deb$/, '');
    if (architecture === 'all' || (leftOut.test(name) && !wanted.has(name))) continue;
    packages.push({ suite: apt.suite, name, version: decodeURIComponent(version), architecture, file });
  }
  return packages;
}
