// A kept set and what lies beside the program now → a library of the set that the program brings along itself.
import { findBundled } from '../candidates/bundled.ts';
import type { Fingerprint } from '../fingerprint/fingerprint.ts';
import type { Dynamic } from './subject.ts';

/**
 * The first name, undefined where there is none. The farm comes before a runpath (ld.so(8)), so the loader would
 * accept such a set and leave the program's own library out. A damaged library counts: it is to be told of.
 */
export function servedBeside(fingerprint: Fingerprint, { program, elf }: Dynamic): string | undefined {
  const names = new Set<string>();
  const bundled = findBundled({ path: program.path, elf }, ({ name }) => names.add(name));
  for (const { name, elf: library } of bundled) {
    names.add(name);
    if (library.soname !== undefined) names.add(library.soname);
  }
  return fingerprint.libraries.map(({ soname }) => soname).find((soname) => names.has(soname));
}
