// Which C library a program is built for → what differs in finding its loader and libraries.
// A file that is named as a program's loader → why it is none; nothing is run.

import path from 'node:path';
import type { ElfFile } from '../elf/elf-file.ts';
import { ET_DYN } from '../elf/gabi.ts';
import { isLibcFamily } from '../elf/library-names.ts';
import { findMachine } from '../elf/machine.ts';
import { elfFileAt } from '../elf/open-elf.ts';

export interface Libc {
  readonly kind: 'glibc' | 'musl';
  /** File name of the loader: `ld-linux-x86-64.so.2`, `ld-musl-x86_64.so.1`. */
  readonly loaderName: string;
  /** True for names that only the loader's own store object may serve. */
  isFamily(name: string): boolean;
}

/** musl's loader is its libc, and it answers to these names itself (ldso/dynlink.c, load_library). */
function isMuslFamily(name: string): boolean {
  return (
    /^(libc|libpthread|librt|libm|libdl|libutil|libxnet)\.(so|musl-)/.test(name) ||
    name.startsWith('ld-musl-')
  );
}

/** The libc of a dynamic program. @throws RangeError for a machine without a name, which classify excludes. */
export function libcOf(elf: ElfFile, kind: 'glibc' | 'musl'): Libc {
  const machine = findMachine(elf);
  if (machine === undefined) throw new RangeError(`no loader name for machine ${elf.machine}`);
  return kind === 'musl'
    ? { kind, loaderName: machine.muslLoader, isFamily: isMuslFamily }
    : { kind, loaderName: machine.loaderSoname, isFamily: isLibcFamily };
}

function libraryLike(file: string, like: ElfFile): ElfFile | undefined {
  const elf = elfFileAt(file);
  const isLike = elf?.class === like.class && elf.machine === like.machine;
  return isLike && elf.type === ET_DYN && elf.dynamic ? elf : undefined;
}

/**
 * One clause; undefined for what loaders.ts would take from the store: a shared object for the program's machine that
 * is called by the loader's soname, with the library that every program needs beside it. musl's loader is that library.
 */
export function whyNoLoaderFile(file: string, like: ElfFile, libc: Libc): string | undefined {
  const elf = libraryLike(file, like);
  if (elf === undefined) return `${file} is no shared object for the program's machine`;
  if (libc.kind === 'musl') {
    const isNamed = [elf.soname, path.basename(file)].some(
      (name) => name !== undefined && libc.isFamily(name),
    );
    return isNamed ? undefined : `${file} is not called as the loader of musl is`;
  }
  if (elf.soname !== libc.loaderName) {
    return `${file} has the soname ${elf.soname ?? '(none)'}, and the loader's is ${libc.loaderName}`;
  }
  const libcFile = path.join(path.dirname(file), 'libc.so.6');
  return libraryLike(libcFile, like)?.soname === 'libc.so.6'
    ? undefined
    : `there is no libc.so.6 beside ${file}, as there is beside a loader`;
}
