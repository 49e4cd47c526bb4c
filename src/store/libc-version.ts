// The path of a loader → the version of its libc, as the store object's name or the file's says.
import { readFileSync } from 'node:fs';

function versionIn(text: string, pattern: RegExp): readonly number[] | undefined {
  return pattern.exec(text)?.[1]?.split('.').map(Number);
}

/** E.g. [2, 40]; undefined when neither the name nor the content tells. */
export function libcVersionOf(loader: string): readonly number[] | undefined {
  const byName = versionIn(loader, /-(?:glibc|musl)-(\d+(?:\.\d+)+)/);
  if (byName !== undefined) return byName;
  try {
    // glibc's loader prints `... release version 2.36.` for --version (elf/rtld.c).
    return versionIn(readFileSync(loader, 'latin1'), /(?:stable|development) release version (\d+\.\d+)/);
  } catch {
    return undefined;
  }
}
