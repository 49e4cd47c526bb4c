// Wanted programs and unpacked packages → the foreign programs of the rig: where they are and what they need.
import { readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Package } from './packages/closure.ts';
import { unpackedName } from './packages/fetch.ts';
import type { WantedProgram } from './packages/selection.ts';
import type { Providers } from './store/providers.ts';
import { readDynamic } from './store/readelf.ts';
import type { PlannedObject } from './store/store-object.ts';

/** A program built for another Linux, unmodified, in its unpacked package. */
export interface ForeignProgram {
  readonly name: string;
  readonly suite: string;
  readonly architecture: string;
  readonly package: string;
  readonly version: string;
  /** Absolute; the same on the host and in every root. */
  readonly path: string;
  /** A run that needs no data file ... */
  readonly args: readonly string[];
  /** ... and what its stdout and stderr together match. */
  readonly expect: RegExp;
  /** How many sonames its closure has, the C library's included. */
  readonly libraries: number;
  /** The store directories that hold them, the C library's last: one working answer, not the only one. */
  readonly libraryDirectories: readonly string[];
  /** The loader of that C library. */
  readonly loader: string;
}

/** Where a wanted program was found. */
export interface FoundProgram {
  readonly wanted: WantedProgram;
  readonly package: Package;
  /** Relative to the unpacked package. */
  readonly file: string;
  readonly needed: readonly string[];
  readonly interpreter: string;
}

/** Finds each wanted program among the packages of its suite. Throws where there is none. */
export async function findPrograms(
  wanted: readonly WantedProgram[],
  packages: readonly Package[],
  unpacked: string,
): Promise<FoundProgram[]> {
  const paths = new Map<Package, string[]>();
  const pathsOf = (p: Package): string[] => {
    const known = paths.get(p) ?? readFilesOf(join(unpacked, unpackedName(p)));
    paths.set(p, known);
    return known;
  };
  return Promise.all(
    wanted.map(async (each) => {
      const architecture = each.package.split(':')[1] ?? 'amd64';
      for (const p of packages) {
        if (p.suite !== each.suite || p.architecture !== architecture) continue;
        const file = pathsOf(p).find((path) => each.file.test(path));
        if (!file) continue;
        const full = join(unpacked, unpackedName(p), file);
        const facts = (await readDynamic([full])).get(full);
        if (facts?.interpreter) {
          return { wanted: each, package: p, file, needed: facts.needed, interpreter: facts.interpreter };
        }
      }
      throw new Error(`${each.suite} has no program ${each.file} in ${each.package} or what it depends on`);
    }),
  );
}

function readFilesOf(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)));
}

/** Follows the needs of `found` through its own suite. Throws where a soname has no provider there. */
export function describeProgram(
  found: FoundProgram,
  foreignDirectory: string,
  providers: Providers,
  storePath: (object: PlannedObject) => string,
): ForeignProgram {
  const { wanted, package: p } = found;
  const group = providers.get(`${p.suite}:${p.architecture}`);
  const directories = new Set<string>();
  const seen = new Set<string>();
  let libcDirectory = '';
  const queue = [...found.needed];
  for (let soname = queue.shift(); soname; soname = queue.shift()) {
    if (seen.has(soname)) continue;
    seen.add(soname);
    const provider = group?.get(soname);
    if (!provider) throw new Error(`${p.suite} ${wanted.name}: no package of the rig has ${soname}`);
    const directory = join(storePath(provider.object), provider.directory);
    if (provider.object.kind === 'glibc') libcDirectory = directory;
    else directories.add(directory);
    for (const [source, facts] of provider.object.dynamic) {
      const target = provider.object.files.get(source);
      if (facts.soname === soname || target === `${provider.directory}/${soname}`)
        queue.push(...facts.needed);
    }
  }
  return {
    name: wanted.name,
    suite: p.suite,
    architecture: p.architecture,
    package: p.name,
    version: p.version,
    path: join(foreignDirectory, unpackedName(p), found.file),
    args: wanted.args,
    expect: new RegExp(wanted.expect, 'm'),
    libraries: seen.size,
    libraryDirectories: [...directories, libcDirectory],
    loader: join(libcDirectory, found.interpreter.split('/').at(-1) ?? ''),
  };
}
