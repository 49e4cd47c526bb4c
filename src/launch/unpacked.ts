// A place → where the files of AppImages are kept, and whether a path lies among them.
import path from 'node:path';
import type { Place } from '../platform/places.ts';

/** Holds one directory for each AppImage, named by its content and by the launcher that its programs name. */
export function unpackedDirectory({ cache }: Pick<Place, 'cache'>): string {
  return path.join(cache, 'unpacked');
}

/** The directory of the AppImage that a file lies in; undefined for any other file. */
export function unpackedOf(place: Pick<Place, 'cache'>, file: string): string | undefined {
  const unpacked = unpackedDirectory(place);
  if (!file.startsWith(`${unpacked}/`)) return undefined;
  return path.join(unpacked, file.slice(unpacked.length + 1).split('/')[0] ?? '');
}
