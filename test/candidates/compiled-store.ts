// Wanted libraries → a store of compiled ones, its catalogue, and what of an ELF file the candidates are told.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { ElfFile } from '../../src/elf/elf-file.ts';
import { readElf } from '../../src/elf/read-elf.ts';
import { bytesInMemory } from '../../src/elf/reader.ts';
import { type Catalogue, openCatalogue } from '../../src/store/catalogue.ts';
import { scanObject } from '../../src/store/scan-object.ts';
import { compileLibrary, objectName, scratchDirectory, type Wanted } from '../store/compiled-library.ts';

export interface CompiledStore {
  /** Removed after the tests of the file; the store is `store` below it. */
  readonly scratch: string;
  readonly storeDir: string;
  /** Compiles a library into the store object of this name; `file` is below that. */
  add(object: string, file: string, wanted: Wanted): string;
  /** Of what is in the store now, in memory. */
  catalogue(): Catalogue;
}

export function openCompiledStore(): CompiledStore {
  const scratch = scratchDirectory();
  const storeDir = path.join(scratch, 'store');
  return {
    scratch,
    storeDir,
    add: (object, file, wanted) => compileLibrary(path.join(storeDir, objectName(object), file), wanted),
    catalogue: () => {
      const catalogue = openCatalogue(':memory:', storeDir);
      const scanned = (name: string) => [name, scanObject(path.join(storeDir, name))] as const;
      catalogue.update(new Map(readdirSync(storeDir).map(scanned)), []);
      return catalogue;
    },
  };
}

export function elfOf(file: string): ElfFile {
  const reading = readElf(bytesInMemory(readFileSync(file)));
  assert.ok(reading.kind === 'elf');
  return reading.file;
}
