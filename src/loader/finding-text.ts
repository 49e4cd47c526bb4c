// How a library is found → a few words of it.
import type { Finding } from './load-trace.ts';

/** E.g. `the runpath of /vendor/lib/liba.so.1`. `nameOf` shortens the path of the object whose run path it is. */
export function findingText(found: Finding, nameOf: (path: string) => string = (path) => path): string {
  switch (found.by) {
    case 'rpath':
    case 'runpath':
      return `the ${found.by} of ${nameOf(found.of)}`;
    case 'default directory':
      return "the loader's default directories";
    case 'slash name':
      return 'its path';
    case 'library path':
      return 'the library path';
    case 'interpreter':
      return 'the interpreter';
    case 'program':
      return 'the program';
    case 'nowhere':
      return 'nowhere';
  }
}
