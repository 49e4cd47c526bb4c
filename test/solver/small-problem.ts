// Short descriptions of objects and providers -> a Problem.
import type { LoaderCandidate, Problem, Provider, Requirer } from '../../src/candidates/problem.ts';

interface Needs {
  readonly needed?: readonly string[];
  /** file -> versions; a leading `~` marks a weak one. */
  readonly versions?: Readonly<Record<string, readonly string[]>>;
}

export interface ProviderParts extends Needs {
  readonly soname?: string;
  readonly defines?: readonly string[];
  readonly hasVersym?: boolean;
  readonly builtWith?: string;
  readonly ownChoice?: Readonly<Record<string, string>>;
  readonly closest?: true;
  /** Within the store object; the name by default. */
  readonly file?: string;
  readonly rank?: readonly (number | string)[];
}

export interface Parts {
  readonly roots: readonly Requirer[];
  /** name -> providers, best first. */
  readonly offers?: Readonly<Record<string, readonly Provider[]>>;
  readonly loaders: readonly LoaderCandidate[];
  readonly bundled?: Readonly<Record<string, Provider>>;
  readonly pins?: Readonly<Record<string, string>>;
  readonly excluded?: readonly string[];
}

export function requirer(path: string, parts: Needs): Requirer {
  const versions = Object.entries(parts.versions ?? {});
  return {
    label: path.slice(path.lastIndexOf('/') + 1),
    path,
    needed: parts.needed ?? versions.map(([file]) => file),
    verneed: versions.map(([file, names]) => ({
      file,
      versions: names.map((name) => ({ name: name.replace(/^~/, ''), weak: name.startsWith('~') })),
    })),
  };
}

/** @param object name of the store object, `curl-8.1`. */
export function provider(object: string, name: string, parts: ProviderParts = {}): Provider {
  const storePath = `/nix/store/${object}`;
  const file = parts.file ?? `lib/${name}`;
  return {
    ...requirer(`${storePath}/${file}`, parts),
    label: name,
    storePath,
    file,
    soname: parts.soname ?? name,
    verdef: parts.defines ?? [],
    hasVerdef: parts.defines !== undefined,
    hasVersym: parts.hasVersym ?? true,
    builtWith: parts.builtWith === undefined ? undefined : `/nix/store/${parts.builtWith}`,
    ownChoice: new Map(Object.entries(parts.ownChoice ?? {})),
    rank: parts.rank ?? [],
    ...(parts.closest ? { match: 'closest' } : {}),
  };
}

/** A glibc that defines GLIBC_PRIVATE and `defines`; `libraries` beside libc.so.6 define the same. */
export function glibc(
  version: string,
  defines: readonly string[],
  libraries: readonly string[] = [],
): LoaderCandidate {
  const object = `glibc-${version}`;
  const all = [...defines, 'GLIBC_PRIVATE'];
  return {
    storePath: `/nix/store/${object}`,
    path: `/nix/store/${object}/lib/ld-linux-x86-64.so.2`,
    family: new Map(
      ['libc.so.6', ...libraries].map((name) => [name, provider(object, name, { defines: all })]),
    ),
    rank: [],
    version: version.split('.').map(Number),
  };
}

/** The same file, but in no store object. */
function besideProgram({ label, path, needed, verneed, verdef, hasVerdef, hasVersym }: Provider) {
  return { label, path: path.replace('/nix/store/', '/opt/'), needed, verneed, verdef, hasVerdef, hasVersym };
}

export function problem(parts: Parts): Problem & { readonly asked: string[] } {
  const asked: string[] = [];
  const { pins, excluded } = parts;
  return {
    asked,
    roots: parts.roots,
    bundled: new Map(
      Object.entries(parts.bundled ?? {}).map(([name, object]) => [name, besideProgram(object)]),
    ),
    providersOf: (name) => {
      asked.push(name);
      return parts.offers?.[name] ?? [];
    },
    loaders: parts.loaders,
    isFamily: (name) => /^(libc|libm|libpthread|ld-linux.*)\.so/.test(name),
    ...(pins ? { pins: new Map(Object.entries(pins)) } : {}),
    ...(excluded ? { excluded: (offer) => excluded.includes(offer.storePath) } : {}),
  };
}
