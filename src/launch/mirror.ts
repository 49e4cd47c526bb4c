// Directories of a store object → links that make the same object in a farm, with some names left out of them.
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';

/** Where mirrored objects lie in a farm. */
const PLACE = 'in';

/** Path of a mirrored directory or file, relative to the farm. */
export function mirrored(storeDir: string, file: string): string {
  return path.join(PLACE, path.relative(storeDir, file));
}

function ancestors(directory: string, storeDir: string): string[] {
  const parent = path.dirname(directory);
  return parent === storeDir || parent === directory
    ? [directory]
    : [directory, ...ancestors(parent, storeDir)];
}

/**
 * Relative name → target, for every entry of `directories` but those that `isHidden`, and for whatever lies beside and
 * above them in their store objects: so `$ORIGIN`, and every path that begins with it, leads to what it led to. What
 * leads nowhere is left out.
 */
export function mirrorLinks(
  storeDir: string,
  directories: readonly string[],
  isHidden: (directory: string, name: string) => boolean,
): Map<string, string> {
  const real = new Set(directories.flatMap((each) => ancestors(each, storeDir)));
  const links = new Map<string, string>();
  for (const directory of real) {
    for (const name of readdirSync(directory)) {
      const target = path.join(directory, name);
      const hidden = directories.includes(directory) && isHidden(directory, name);
      if (!hidden && !real.has(target) && existsSync(target)) links.set(mirrored(storeDir, target), target);
    }
  }
  return links;
}
