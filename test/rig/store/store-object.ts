// Unpacked packages → planned store objects: what each holds, and the dynamic facts of its ELF files.
import { basename, join } from 'node:path';
import type { Package } from '../packages/closure.ts';
import { unpackedName } from '../packages/fetch.ts';
import { contentsOf } from './contents.ts';
import { type DynamicProgram, readDynamic } from './readelf.ts';

/** A store object to be made. */
export interface PlannedObject {
  /** Unique: `suite:architecture:package`, several packages joined by `+` where they need each other. */
  readonly key: string;
  /** The name in the store, without hash. */
  readonly name: string;
  /** Objects find their libraries among those of the same group: `suite:architecture`. */
  readonly group: string;
  readonly files: ReadonlyMap<string, string>;
  readonly links: ReadonlyMap<string, string>;
  /** By source path. */
  readonly dynamic: ReadonlyMap<string, DynamicProgram>;
  readonly kind: 'glibc' | 'library' | 'executables';
}

/** Store names may hold `[0-9a-zA-Z+-._?=]` only (Nix manual, store object names). */
export function storeName(name: string, version: string): string {
  const plain = version.replace(/^\d+:/, '').replace(/[^0-9a-zA-Z+._?=-]/g, '_');
  return `${name}-${plain}`;
}

/** nixpkgs' musl has this link too: programs of Alpine need their libc by this name. */
const muslName = ['lib/libc.musl-x86_64.so.1', 'libc.so'] as const;

/** One object per package that has something to hold; packages in `executables` bring their programs with them. */
export async function planObjects(
  packages: readonly Package[],
  unpacked: string,
  executables: ReadonlySet<Package>,
): Promise<PlannedObject[]> {
  const objects: PlannedObject[] = [];
  for (const p of packages) {
    const mode = executables.has(p) ? 'with-executables' : 'libraries-only';
    const { files, links } = contentsOf(join(unpacked, unpackedName(p)), mode);
    if (files.size === 0) continue;
    const group = `${p.suite}:${p.architecture}`;
    const kind = p.name === 'libc6' ? 'glibc' : executables.has(p) ? 'executables' : 'library';
    // nixpkgs names its glibc so too; own-directories.ts needs a short name.
    const name = kind === 'glibc' ? `glibc-${p.version.split('-')[0]}` : storeName(p.name, p.version);
    const named = p.name === 'musl' ? new Map([...links, muslName]) : links;
    objects.push({ key: `${group}:${p.name}`, name, group, files, links: named, dynamic: new Map(), kind });
  }
  return withDynamic(objects.map((object) => withLibgcc(object, objects)));
}

/** nixpkgs' glibc holds a copy of libgcc_s.so.1, so that pthread_cancel works; ours too. */
function withLibgcc(object: PlannedObject, all: readonly PlannedObject[]): PlannedObject {
  if (object.kind !== 'glibc') return object;
  const links = new Map([...object.links, ['lib64', 'lib'] as const]);
  for (const other of all.filter((o) => o.group === object.group)) {
    for (const [source, target] of other.files) {
      if (basename(target) === 'libgcc_s.so.1') {
        return { ...object, links, files: new Map([...object.files, [source, target]]) };
      }
    }
  }
  return { ...object, links };
}

async function withDynamic(objects: readonly PlannedObject[]): Promise<PlannedObject[]> {
  const dynamic = await readDynamic([...new Set(objects.flatMap((o) => [...o.files.keys()]))]);
  return objects.map((object) => {
    const own = [...object.files.keys()].flatMap((source) => {
      const facts = dynamic.get(source);
      return facts ? [[source, facts] as const] : [];
    });
    return { ...object, dynamic: new Map(own) };
  });
}
