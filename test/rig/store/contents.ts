// An unpacked package → the files and links of it that belong into a store object, flattened as nixpkgs lays them out.
import { type Dirent, readdirSync, readlinkSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';

/** What one store object takes from one unpacked package. Targets are relative to `$out`. */
export interface Contents {
  /** Absolute source → target such as `lib/libz.so.1.2.13` or `bin/nix`. */
  readonly files: ReadonlyMap<string, string>;
  /** Target of the link → what it holds, relative to its own directory. */
  readonly links: ReadonlyMap<string, string>;
}

const libraryFolder =
  /^(?:usr\/)?lib\/(?:x86_64-linux-gnu|i386-linux-gnu|aarch64-linux-gnu|x86_64-linux-musl)\/(.*)$/;
const plainLibrary = /^(?:usr\/)?lib(?:32|64)?\/([^/]+)$/;
const privateLibrary = /^usr\/lib\/([^/]+\/[^/]+)$/;
const binaryFolder = /^(?:usr\/)?s?bin\/([^/]+)$/;
const sharedObject = /\.so(\.|$)/;

/**
 * The shared objects of the package (its subdirectories of the library folder are kept), and with `executables` also
 * what is in its bin and sbin folders and the libraries in a folder of its own (Nix 2.8's are in /usr/lib/nix). Links that lead out of what is taken are dropped.
 */
export function contentsOf(directory: string, executables: 'with-executables' | 'libraries-only'): Contents {
  const ownLibrary = (path: string) =>
    executables === 'with-executables' ? privateLibrary.exec(path) : null;
  const target = (path: string): string | undefined => {
    const library = libraryFolder.exec(path) ?? plainLibrary.exec(path) ?? ownLibrary(path);
    if (library?.[1] && sharedObject.test(library[1])) return `lib/${library[1]}`;
    const program = binaryFolder.exec(path)?.[1];
    return program && executables === 'with-executables' ? `bin/${program}` : undefined;
  };
  const files = new Map<string, string>();
  const pointers: [from: string, to: string][] = [];
  for (const entry of walk(directory)) {
    const path = relative(directory, join(entry.parentPath, entry.name));
    const to = target(path);
    if (!to) continue;
    if (entry.isFile()) files.set(join(directory, path), to);
    else if (entry.isSymbolicLink()) {
      const held = readlinkSync(join(directory, path));
      const inPackage = normalize(held.startsWith('/') ? held.slice(1) : join(dirname(path), held));
      const pointed = target(inPackage);
      if (pointed && pointed !== to) pointers.push([to, pointed]);
    }
  }
  const there = new Set([...files.values(), ...pointers.map(([from]) => from)]);
  const links = new Map<string, string>();
  for (const [from, to] of pointers) if (there.has(to)) links.set(from, relative(dirname(from), to));
  return { files, links };
}

function walk(directory: string): Dirent[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true }).filter((e) => !e.isDirectory());
}
