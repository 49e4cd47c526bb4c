// What lies where ld.so finds a bundled library → why the start would end there, if it would.
import { statSync } from 'node:fs';
import path from 'node:path';
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

/** What to do depends on how the loader comes to the file; only what lies beside the program may be meant to go. */
function hintFor(program: string, { name, path: file }: DamagedLibrary): string {
  if (name.includes('/')) return 'the program or one of its libraries names that very file: install it again';
  if (!file.startsWith(`${path.dirname(program)}/`))
    return 'a run path leads there before the store is looked at: install the program again, or without that run path';
  return 'install the program again; or remove that file, then the library is looked for in the store';
}

/** The failure to tell of. The loader itself ends with 127 here; for env(1) a program that was found is 126. */
export function damagedLibraryError(program: string, damaged: DamagedLibrary): ForeignError {
  return new ForeignError(`${program}: its library ${damaged.path} cannot be loaded: ${damaged.why}`, {
    code: 'damaged-library',
    hint: hintFor(program, damaged),
    exitCode: 126,
  });
}
