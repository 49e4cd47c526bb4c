// What lies where ld.so finds a bundled library → why the start would end there, if it would.
import { statSync } from 'node:fs';
import { errnoOf, ForeignError, reasonOf } from '../errors.ts';
import type { FileReading } from '../store/read-elf-file.ts';

/** A file that ends the start instead of being passed over. */
export interface DamagedLibrary {
  /** The name it was needed by. */
  readonly name: string;
  /** The path it is opened by. */
  readonly path: string;
  /** One clause. */
  readonly why: string;
}

function whyNotElf(file: string): string {
  const stats = statSync(file, { throwIfNoEntry: false });
  if (stats?.isFile() === false) return 'it is not a regular file';
  return stats?.size === 0 ? 'it is empty' : 'it is not an ELF file';
}

/**
 * Why neither libc's loader goes on behind a file: once it could be opened, what is no ELF file, damaged or a directory
 * is the end (glibc elf/dl-load.c, open_verify; musl ldso/dynlink.c, load_library). Undefined for what is read well and
 * for what cannot be opened: that is passed over.
 */
export function whyDamaged(reading: FileReading, file: string): string | undefined {
  switch (reading.kind) {
    case 'elf':
      return undefined;
    case 'unreadable':
      return errnoOf(reading.error) === 'EISDIR' ? reasonOf(reading.error) : undefined;
    case 'not-elf':
      return whyNotElf(file);
    case 'bad-elf':
      return reading.why;
  }
}

/** The failure to tell of. The loader itself ends with 127 here; for env(1) a program that was found is 126. */
export function damagedLibraryError(program: string, { path, why }: DamagedLibrary): ForeignError {
  return new ForeignError(`${program}: its library ${path} is damaged: ${why}`, {
    code: 'damaged-library',
    hint: 'install the program again; or remove that file, then the library is looked for in the store',
    exitCode: 126,
  });
}
