// An icon as a vendor's desktop entry names it → the file, where it lies beside the program and not in a theme.
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';

/** Icon Theme Specification, "Icon lookup": the formats, best first. */
const ENDINGS = ['.svg', '.png', '.xpm'];

function isFile(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isFile() ?? false;
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

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
