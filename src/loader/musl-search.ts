// A requester and a name → the file that musl's loader opens for it, and by which rule.
import type { Attempt, Finding, Searched } from './load-trace.ts';
import type { Probe } from './loader-files.ts';
import type { Dso, MuslSession } from './musl-session.ts';

export interface MuslFound {
  /** Undefined when no file was opened; errno says why. */
  readonly path: string | undefined;
  readonly probe: Probe | undefined;
  readonly found: Finding;
  readonly tried: readonly Attempt[];
  readonly searched: readonly Searched[];
}

/** buf[2*NAME_MAX+2] of load_library: a longer path is passed over. */
const longestPath = 2 * 255 + 2;

/** load_library (musl ldso/dynlink.c) up to where the file is open. `name` has no slash. */
export function searchMusl(session: MuslSession, neededBy: Dso | undefined, name: string): MuslFound {
  const tried: Attempt[] = [];
  const searched: Searched[] = [];
  const nowhere: MuslFound = { path: undefined, probe: undefined, found: { by: 'nowhere' }, tried, searched };
  for (const source of sourcesOf(session, neededBy)) {
    const { directories, found } = source;
    if (directories.length > 0) searched.push(source);
    for (const directory of directories) {
      const path = `${directory}/${name}`;
      if (path.length >= longestPath) continue;
      const probe = session.request.files.probe(path);
      if (probe.kind !== 'unopened') return { path, probe, found, tried, searched };
      tried.push({ path, why: probe.errno });
      session.errno = probe.errno;
      if (!goesOn.has(probe.errno)) return nowhere;
    }
  }
  return nowhere;
}

/** path_open: any other errno ends the whole search. */
const goesOn: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'EACCES', 'ENAMETOOLONG']);

/** The library path comes before every run path, and run paths of all requesters above count, RUNPATH or RPATH. */
function* sourcesOf(session: MuslSession, neededBy: Dso | undefined): Generator<Searched> {
  const { libraryPath, loader } = session.request;
  yield { directories: splitPath(libraryPath), found: { by: 'library path' } };
  for (let dso = neededBy; dso !== undefined; dso = dso.neededBy) {
    const by = dso.elf.runpath === undefined ? 'rpath' : 'runpath';
    yield { directories: runPathOf(dso), found: { by, of: dso.name } };
  }
  yield { directories: loader.settings.defaultDirectories, found: { by: 'default directory' } };
}

/** Empty elements do not count. */
function splitPath(text: string): string[] {
  return text.split(/[:\n]/).filter((element) => element !== '');
}

/** fixup_rpath: with any `$` that is not $ORIGIN the whole run path is void. */
function runPathOf({ elf, name }: Dso): string[] {
  const written = elf.runpath ?? elf.rpath ?? '';
  const slash = name.lastIndexOf('/');
  const origin = slash < 0 ? '.' : name.slice(0, slash);
  const expanded = written.replace(/\$(?:ORIGIN|\{ORIGIN\})/g, () => origin);
  const foreign = /\$(?!ORIGIN|\{ORIGIN\})/.test(written);
  return foreign ? [] : splitPath(expanded);
}
