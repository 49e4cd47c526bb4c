// The catalogue → every loader in the store with the libc family that lies in the same store object.
import path from 'node:path';
import type { ElfFile } from '../elf/elf-file.ts';
import { compareVersions } from '../elf/versions.ts';
import type { Libc } from '../program/libc.ts';
import type { Catalogue, CataloguedLibrary } from '../store/catalogue.ts';
import type { LoaderCandidate, Provider } from './problem.ts';
import { toProvider } from './providers.ts';
import { compareRanks, isLastResort, rankOf } from './rank.ts';

/** The version of a glibc as its libc.so.6 tells it: the highest GLIBC_x.y it defines. */
function versionOf(libc: Provider | undefined): readonly number[] {
  const names = (libc?.verdef ?? []).filter((name) => /^GLIBC_\d+(\.\d+)+$/.test(name)).sort(compareVersions);
  return (names.at(-1)?.slice('GLIBC_'.length).split('.') ?? []).map(Number);
}

function familyOf(
  catalogue: Catalogue,
  loader: CataloguedLibrary,
  libc: Libc,
): ReadonlyMap<string, Provider> {
  const family = new Map<string, Provider>();
  const directory = path.dirname(loader.file);
  const itself = new Set([loader.storePath]);
  for (const library of catalogue.librariesIn(loader.storePath, loader.elf.class, loader.elf.machine)) {
    const names = library.names.filter((name) => libc.isFamily(name));
    if (names.length === 0 || path.dirname(library.file) !== directory) continue;
    const provider = toProvider(library, catalogue.storeDir, itself, new Map());
    for (const name of names) family.set(name, provider);
  }
  return family;
}

/** What makes a store object a libc: the loader beside the library that every program needs. */
function isComplete(candidate: LoaderCandidate, libc: Libc): boolean {
  return libc.kind === 'musl' || candidate.family.has('libc.so.6');
}

/**
 * All loaders for a program's class and machine, best first: newest glibc first, but those that are not meant for
 * others last, whatever their version: a loader brings its whole family.
 */
export function findLoaders(catalogue: Catalogue, like: ElfFile, libc: Libc): LoaderCandidate[] {
  return catalogue
    .librariesOffering(libc.loaderName, like.class, like.machine)
    .map((loader): LoaderCandidate => {
      const family = familyOf(catalogue, loader, libc);
      const version = versionOf(family.get('libc.so.6'));
      const newestFirst = [-(version[0] ?? 0), -(version[1] ?? 0)];
      return {
        storePath: loader.storePath,
        path: path.join(loader.storePath, loader.file),
        family,
        version,
        rank: [Number(isLastResort(loader)), ...newestFirst, ...rankOf(loader)],
      };
    })
    .filter((candidate) => isComplete(candidate, libc))
    .sort((a, b) => compareRanks(a.rank, b.rank));
}
