// What the loader will load → who needs each object, and how it is found.
import { realpathSync } from 'node:fs';
import path from 'node:path';
import type { Program } from '../candidates/program.ts';
import type { Fingerprint, Match } from '../fingerprint/fingerprint.ts';
import type { LoadTrace } from '../loader/load-trace.ts';
import { elfFileAt } from '../store/read-elf-file.ts';
import { storeObjectOf } from '../store/store-location.ts';
import type { Proven } from './enact.ts';
import { type HowFound, howFound } from './how-found.ts';

/** How ld.so comes to an object. */
export type Found =
  | 'farm'
  | 'own directory'
  | 'bundled'
  | 'LD_LIBRARY_PATH'
  | 'libc of the loader'
  | 'loader';

export interface MapEntry {
  /** The name it is needed by. */
  readonly name: string;
  /** The file behind all links. */
  readonly file: string;
  readonly storePath: string | null;
  readonly found: Found;
  /** By which rule, as the simulated loader has it; null where that one took another file. */
  readonly how: HowFound | null;
  readonly match: Match | null;
  /** Base names of the objects that need it, in load order. */
  readonly neededBy: readonly string[];
}

function realPath(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return file;
  }
}

function foundAs(
  file: string,
  opened: string,
  proven: Proven,
  loaderObject: string,
  users: readonly string[],
): Found {
  if (file === realPath(proven.loader)) return 'loader';
  if (opened.startsWith(`${proven.farm}/`)) return 'farm';
  if (file.startsWith(`${loaderObject}/`)) return 'libc of the loader';
  if (proven.outside.includes(opened)) return 'own directory';
  const isUsers = proven.askedPath !== proven.libraryPath && users.includes(path.dirname(opened));
  return isUsers ? 'LD_LIBRARY_PATH' : 'bundled';
}

/** The load map of a proven set, in load order; `trace` is what was foreseen for it. */
export function loadMap(
  program: Program,
  proven: Proven,
  fingerprint: Fingerprint,
  storeDir: string,
  trace: LoadTrace,
): MapEntry[] {
  const rules = howFound(trace, proven);
  const objects = proven.objects.map(({ name, path: opened }) => ({
    name: path.basename(name),
    opened: opened ?? name,
    file: realPath(opened ?? name),
  }));
  const readers = [{ label: path.basename(program.path), needed: program.elf?.needed ?? [] }];
  for (const { name, file } of objects) readers.push({ label: name, needed: elfFileAt(file)?.needed ?? [] });
  const matches = new Map(fingerprint.libraries.map(({ soname, match }) => [soname, match]));
  return objects.map(({ name, opened, file }) => {
    const how = rules.get(opened) ?? null;
    // One object serves several names, such as a closest match that others need by its own soname.
    const names = new Set([name, ...(how?.requests ?? []).map((each) => path.basename(each.name))]);
    return {
      name,
      file,
      storePath: storeObjectOf(storeDir, file) ?? null,
      found: foundAs(file, opened, proven, fingerprint.loader.storePath, program.users ?? []),
      how,
      match: matches.get(name) ?? null,
      neededBy: readers
        .filter(({ needed }) => needed.some((each) => names.has(path.basename(each))))
        .map(({ label }) => label),
    };
  });
}
