// A program and the catalogue → the problem the solver is given.
import path from 'node:path';
import type { ElfFile } from '../elf/elf-file.ts';
import type { Catalogue } from '../store/catalogue.ts';
import { type BundledLibrary, findBundled } from './bundled.ts';
import { preferKin } from './kinship.ts';
import { type Libc, libcOf } from './libc.ts';
import { findLoaders } from './loaders.ts';
import type { Problem, Provider, Requirer } from './problem.ts';
import { providersFrom } from './providers.ts';

function requirer(label: string, file: string, elf: ElfFile): Requirer {
  return { label, path: file, needed: elf.needed, verneed: elf.verneed };
}

/** Every name that a bundled library answers to. */
function bundledByName(bundled: readonly BundledLibrary[]): Problem['bundled'] {
  const byName = new Map<string, Requirer & Pick<ElfFile, 'verdef' | 'hasVerdef' | 'hasVersym'>>();
  for (const { name, path: file, elf } of bundled) {
    const { verdef, hasVerdef, hasVersym } = elf;
    const object = { ...requirer(name, file, elf), verdef, hasVerdef, hasVersym };
    byName.set(name, object);
    if (elf.soname !== undefined && !byName.has(elf.soname)) byName.set(elf.soname, object);
  }
  return byName;
}

/** Names of the libc family that lie beside the program would mix two libcs: the loader's own are taken instead. */
function withoutFamily(bundled: readonly BundledLibrary[], libc: Libc): BundledLibrary[] {
  return bundled.filter(({ name }) => !libc.isFamily(name));
}

/**
 * States the problem for a dynamic program. `excluded` names store objects that must not be chosen, such as those
 * that vanished since the catalogue saw them. With `kin`, providers built from the program's own source are preferred
 * over all others; where that leaves no set, the problem is to be stated again without.
 */
export function buildProblem(
  program: { readonly path: string; readonly elf: ElfFile; readonly libc: 'glibc' | 'musl' },
  catalogue: Catalogue,
  excluded: ReadonlySet<string>,
  preference: 'kin' | 'none',
): Problem {
  const libc = libcOf(program.elf, program.libc);
  const bundled = withoutFamily(findBundled(program), libc);
  const loaders = findLoaders(catalogue, program.elf, libc).filter(
    ({ storePath }) => !excluded.has(storePath),
  );
  const libcObjects = new Set(loaders.map(({ storePath }) => storePath));
  return {
    roots: [
      requirer(path.basename(program.path), program.path, program.elf),
      ...bundled.map(({ name, path: file, elf }) => requirer(name, file, elf)),
    ],
    bundled: bundledByName(bundled),
    providersOf: providersFrom(
      catalogue,
      program.elf,
      libc,
      libcObjects,
      preference === 'kin' ? preferKin(program.path, program.elf.needed) : (_, providers) => providers,
    ),
    loaders,
    isFamily: libc.isFamily,
    excluded: (provider: Provider) => excluded.has(provider.storePath),
  };
}
