// A file that is named as a program's loader → why it is none; nothing is run.
import path from 'node:path';
import type { ElfFile } from '../elf/elf-file.ts';
import { elfFileAt } from '../store/read-elf-file.ts';
import type { Libc } from './libc.ts';

/** Of elf.h: a shared object, which every loader is. */
const ET_DYN = 3;

function libraryLike(file: string, like: ElfFile): ElfFile | undefined {
  const elf = elfFileAt(file);
  const isLike = elf?.class === like.class && elf.machine === like.machine;
  return isLike && elf.type === ET_DYN && elf.dynamic ? elf : undefined;
}

/**
 * One clause; undefined for what loaders.ts would take from the store: a shared object for the program's machine that is
 * called by the loader's soname, with the library that every program needs beside it. musl's loader is that library.
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
