// What was foreseen and what the loader itself listed → where the two differ first, in one line.
import type { LoadedObject } from '../loader/list-output.ts';
import type { LoadTrace, TracedObject } from '../loader/load-trace.ts';

/** musl's loader prints itself once for each name it goes by, and only libraries can be compared. */
function foreseenObjects({ objects }: LoadTrace, libc: 'glibc' | 'musl'): readonly TracedObject[] {
  if (libc === 'musl') return objects.filter(({ role }) => role === 'library');
  // A filter of the program's own stands before it and is not listed (glibc elf/rtld.c, rtld_mode_list).
  return objects.slice(objects.findIndex(({ role }) => role === 'program') + 1);
}

/**
 * Undefined when the loader listed exactly what was foreseen: `objects` as `ld.so --list` printed them for a set that
 * `loader` accepted.
 */
export function disagreementOf(
  trace: LoadTrace,
  objects: readonly LoadedObject[],
  libc: 'glibc' | 'musl',
  loader: string,
): string | undefined {
  const refusal = trace.errors.find(({ stage }) => stage !== 'start');
  if (refusal !== undefined) return `foreseen was a refusal: ${refusal.message}`;
  const listed = libc === 'musl' ? objects.filter(({ path }) => path !== loader) : objects;
  const foreseen = foreseenObjects(trace, libc);
  for (let at = 0; at < Math.max(listed.length, foreseen.length); at += 1) {
    const [one, other] = [foreseen[at], listed[at]];
    if (one?.name === other?.name && one?.path === other?.path) continue;
    return `object ${at + 1} was foreseen as ${objectText(one)}, and the loader has ${objectText(other)}`;
  }
  return undefined;
}

function objectText(object: LoadedObject | TracedObject | undefined): string {
  if (object === undefined) return 'none';
  return object.name === object.path ? object.name : `${object.name} from ${object.path ?? 'nowhere'}`;
}
