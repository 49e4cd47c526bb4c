// An icon that an entry names → its file in the vendor's tree; of one in an AppImage, a copy that stays.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { writeFileDurably } from '../../host/atomic-file.ts';
import { isFile, makeDirectories, namesIn, realPath } from '../../host/files.ts';

/** Icon Theme Specification, "Icon lookup": the formats, best first. */
const ENDINGS = ['.svg', '.png', '.xpm'];

/** `256x256` → 256, `scalable` → more than any; the largest is best. */
function sizeOf(name: string): number {
  return name === 'scalable' ? Number.MAX_SAFE_INTEGER : Number.parseInt(name, 10) || 0;
}

/** Directories of a vendor's own tree in which icons lie, best first. */
function directoriesOf(around: string): string[] {
  const theme = path.join(around, 'share/icons/hicolor');
  const sizes = namesIn(theme).sort((a, b) => sizeOf(b) - sizeOf(a));
  return [
    ...sizes.map((size) => path.join(theme, size, 'apps')),
    path.join(around, 'share/pixmaps'),
    path.join(around, 'resources'),
    path.join(around, 'icons'),
    around,
  ];
}

/** `around`: absolute directories of the vendor's. A name that is found in none of them stays: a theme may have it. */
export function findIcon(named: string, around: readonly string[]): string {
  if (path.isAbsolute(named) || named === '') return named;
  const files = ENDINGS.some((ending) => named.endsWith(ending))
    ? [named]
    : ENDINGS.map((ending) => `${named}${ending}`);
  const directories = around.flatMap(directoriesOf);
  const candidates = directories.flatMap((directory) => files.map((file) => path.join(directory, file)));
  return candidates.find(isFile) ?? named;
}

export interface IconCopy {
  readonly from: string;
  readonly to: string;
}

/** Undefined for what is no file of the image: a name of a theme, or a link out of it. */
export function iconCopy(file: string, image: string, directory: string): IconCopy | undefined {
  const from = realPath(file);
  if (!isFile(from) || !from.startsWith(`${realPath(image)}/`)) return undefined;
  const ending = ENDINGS.find((each) => from.endsWith(each)) ?? '.png'; // as .DirIcon is (AppDir specification)
  const name = path.basename(file).replace(/^\./, '');
  return { from, to: path.join(directory, name.endsWith(ending) ? name : `${name}${ending}`) };
}

/** @throws Node's errors of writing. */
export function copyIcons(copies: readonly IconCopy[]): void {
  for (const { from, to } of copies) {
    makeDirectories(path.dirname(to));
    writeFileDurably(to, readFileSync(from), 0o644); // the image's own may be read-only
  }
}
