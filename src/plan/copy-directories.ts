// The cache directory → where patched copies, unpacked AppImages and what views show lie, and which copy or AppImage a
// path belongs to.
import path from 'node:path';
import type { Directories } from '../host/directories.ts';

/** Holds one directory for each copy, named by what it was made of. */
export function copiesDirectory({ cache }: Pick<Directories, 'cache'>): string {
  return path.join(cache, 'copies');
}

/** The directory of the copy that a file is or lies in; undefined for any other file. */
export function copyOf(dirs: Pick<Directories, 'cache'>, file: string): string | undefined {
  const copies = copiesDirectory(dirs);
  if (!file.startsWith(`${copies}/`)) return undefined;
  return path.join(copies, file.slice(copies.length + 1).split('/')[0] ?? '');
}

/** A link in the root directory of each view (launcher/view.c). */
export const VIEW_MARK = '/.nix-run-foreign-view';

/** Holds what views put in place: directories of links, named by what is in them. */
export function viewsDirectory({ cache }: Pick<Directories, 'cache'>): string {
  return path.join(cache, 'views');
}

/** Holds one directory for each AppImage, named by its content and by the launcher that its programs name. */
export function unpackedDirectory({ cache }: Pick<Directories, 'cache'>): string {
  return path.join(cache, 'unpacked');
}

/** The directory of the AppImage that a file lies in; undefined for any other file. */
export function unpackedOf(dirs: Pick<Directories, 'cache'>, file: string): string | undefined {
  const unpacked = unpackedDirectory(dirs);
  if (!file.startsWith(`${unpacked}/`)) return undefined;
  return path.join(unpacked, file.slice(unpacked.length + 1).split('/')[0] ?? '');
}
