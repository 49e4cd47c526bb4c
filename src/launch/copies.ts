// A place → where patched copies of programs are kept, and whether a path is one of them.
import path from 'node:path';
import type { Place } from '../platform/places.ts';

/** Holds one directory for each copy, named by what it was made of. */
export function copiesDirectory({ cache }: Pick<Place, 'cache'>): string {
  return path.join(cache, 'copies');
}

/** The directory of the copy that a file is or lies in; undefined for any other file. */
export function copyOf(place: Pick<Place, 'cache'>, file: string): string | undefined {
  const copies = copiesDirectory(place);
  if (!file.startsWith(`${copies}/`)) return undefined;
  return path.join(copies, file.slice(copies.length + 1).split('/')[0] ?? '');
}
