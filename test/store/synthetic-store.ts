// A number → a store directory with that many objects, each with one small library.
import { copyFileSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import type { StoreLocation } from '../../src/store/store-location.ts';
import { compileLibrary, objectName } from './compiled-library.ts';

/** Adds objects `<prefix>0` ... to `<directory>/store`, which has no Nix database; returns their names. */
export function addObjects(directory: string, prefix: string, count: number): string[] {
  const library = path.join(directory, 'libv.so.1');
  compileLibrary(library, { soname: 'libv.so.1' });
  return Array.from({ length: count }, (_, i) => {
    const name = objectName(`${prefix}${i}`);
    const lib = path.join(directory, 'store', name, 'lib');
    mkdirSync(lib, { recursive: true });
    copyFileSync(library, path.join(lib, 'libv.so.1'));
    return name;
  });
}

export function syntheticLocation(directory: string): StoreLocation {
  return { storeDir: path.join(directory, 'store'), stateDir: path.join(directory, 'var') };
}
