// A library that is opened at run time → whether its own run path leads to libraries of another libc than the loader's.
import { existsSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { elfFileAt } from '../elf/open-elf.ts';
import { runDirectories } from '../program/run-directories.ts';

/** What the process that opens it has: its loader, and the names that are not looked for again. */
interface LibcOfProcess {
  readonly loader: string;
  isFamily(name: string): boolean;
  /** Left out where only what every process has is known to be loaded. */
  isLoaded?(name: string): boolean;
}

/** Of the libc family. */
const isInEveryProcess = (name: string): boolean => /^(?:libc\.so|ld-linux)/.test(name);

/**
 * As a library of a glibc before 2.34 does, beside a newer one: libc.so.6 is loaded, and libpthread.so.0 comes by its
 * run path, from the glibc that it was built with. Neither `--list` nor dlopen(3) sees that: the process ends with a
 * `symbol lookup error` (of GLIBC_PRIVATE). No run path counts where the loader's own directory is in the library path.
 */
export function leadsToAnotherLibc(
  file: string,
  { loader, isFamily, isLoaded = isInEveryProcess }: LibcOfProcess,
): boolean {
  const elf = elfFileAt(file);
  if (elf === undefined) return false;
  const names = elf.needed.filter((name) => isFamily(name) && !isLoaded(name));
  const directories = runDirectories(elf.runpath ?? elf.rpath, file, elf);
  return names.some((name) => {
    const found = directories.find((directory) => existsSync(path.join(directory, name)));
    return found !== undefined && realpathSync.native(found) !== realpathSync.native(path.dirname(loader));
  });
}
