// A load trace → for each object that the loader lists, the rule by which it is that file, as plain facts.
import path from 'node:path';
import type { Attempt, Finding, LoadTrace, ObjectRequest } from '../loader/load-trace.ts';

export interface HowFound {
  /** The list of directories that led to it; `farm` is the first of the library path. */
  readonly by: Finding['by'] | 'farm';
  /** Path of the object whose rpath or runpath it is. */
  readonly of: string | null;
  /** The searched directory; null where none was searched. */
  readonly directory: string | null;
  /** The subdirectory for this processor, e.g. `glibc-hwcaps/x86-64-v3`. */
  readonly hwcaps: string | null;
  /** Every request that it answers, the one that loaded it first. `from` is a path. */
  readonly requests: readonly Pick<ObjectRequest, 'name' | 'from' | 'how'>[];
  /** Files of that name that were met before and could not be taken. */
  readonly passedOver: readonly Attempt[];
}

const SEARCHED: ReadonlySet<string> = new Set(['library path', 'default directory', 'rpath', 'runpath']);

function directoryOf(opened: string, { by }: Finding, hwcaps: string | undefined): string | null {
  if (!SEARCHED.has(by)) return null;
  const directory = path.dirname(opened);
  return hwcaps === undefined ? directory : directory.slice(0, -hwcaps.length - 1);
}

/** Objects by the path they are opened by. musl's loader calls itself by the program's interpreter. */
export function howFound(
  trace: LoadTrace,
  { farm, loader }: { readonly farm: string; readonly loader: string },
): ReadonlyMap<string, HowFound> {
  const found = new Map<string, HowFound>();
  for (const object of trace.objects) {
    if (object.path === undefined) continue;
    const directory = directoryOf(object.path, object.found, object.hwcaps);
    found.set(object.role === 'loader' ? loader : object.path, {
      by: object.found.by === 'library path' && directory === farm ? 'farm' : object.found.by,
      of: 'of' in object.found ? object.found.of : null,
      directory,
      hwcaps: object.hwcaps ?? null,
      requests: object.requests.map(({ name, from, how }) => ({ name, from, how })),
      passedOver: object.tried.filter(({ why }) => why !== 'ENOENT'),
    });
  }
  return found;
}
