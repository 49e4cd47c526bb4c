// A load trace → the lines that `ld.so --list` prints for it, without addresses and without the vDSO's.
import type { LoadTrace, TracedObject } from '../../src/ldso/simulation/trace.ts';

/**
 * dl_main (glibc elf/rtld.c): the objects behind the program, each as `name => path`, or as its path alone where both
 * are the same. Empty when the loader ends before.
 */
export function printList({ objects, listStatus }: LoadTrace): readonly string[] {
  if (listStatus !== 0) return [];
  const at = objects.findIndex(({ role }) => role === 'program');
  const program = objects[at];
  if (program?.elf?.needed.length === 0) return ['statically linked'];
  return objects.slice(at + 1).map(lineOf);
}

function lineOf({ name, path }: TracedObject): string {
  if (path === undefined) return `${name} => not found`;
  return name === path ? path : `${name} => ${path}`;
}
