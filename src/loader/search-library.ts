// A requester and a name → the file that glibc's loader opens for it, and by which rule.
import { expandTokens } from '../elf/run-path.ts';
import type { Session } from './glibc-session.ts';
import { type LinkMap, searchedBy } from './link-map.ts';
import type { Attempt, Finding, Searched } from './load-trace.ts';
import { type Opened, openFile, openPath, type Search } from './open-path.ts';

export interface SearchOutcome {
  readonly opened: Opened;
  readonly found: Finding;
  readonly tried: readonly Attempt[];
  readonly otherClass: boolean;
  readonly searched: readonly Searched[];
}

const flag1NoDefaultLibraries = 0x800;

/** _dl_map_new_object (elf/dl-load.c) up to where the file is open; the cache is inhibited. */
export function searchLibrary(session: Session, requester: LinkMap, name: string): SearchOutcome {
  const search: Search = { session, name, tried: [], otherClass: false };
  const searched: Searched[] = [];
  const finish = (opened: Opened, found: Finding): SearchOutcome => {
    return { opened, found, tried: search.tried, otherClass: search.otherClass, searched };
  };
  if (name.includes('/')) {
    const path = expandName(session, requester, name);
    const opened: Opened = path === undefined ? { kind: 'absent' } : openFile(search, path, undefined);
    return finish(opened, opened.kind === 'absent' ? { by: 'nowhere' } : { by: 'slash name' });
  }
  for (const source of sourcesOf(session, requester)) {
    if (source.directories.length > 0) searched.push(source);
    const opened = openPath(search, source.directories);
    if (opened.kind !== 'absent') return finish(opened, source.found);
  }
  return finish({ kind: 'absent' }, { by: 'nowhere' });
}

/** `name` with its tokens replaced; undefined where one has no value. */
export function expandName(session: Session, requester: LinkMap, name: string): string | undefined {
  const { lib, platform } = session.request.loader.settings;
  return expandTokens(name, { origin: requester.origin, lib, platform });
}

/** Lists of directories in the order they are searched. */
function* sourcesOf(session: Session, requester: LinkMap): Generator<Searched> {
  const { settings } = session.request.loader;
  if (requester.elf?.runpath === undefined) yield* rpathsAbove(session, requester);
  yield { directories: session.libraryPath, found: { by: 'library path' } };
  const { runpath } = searchedBy(requester, settings);
  yield { directories: runpath, found: { by: 'runpath', of: requester.path } };
  if (((requester.elf?.flags1 ?? 0) & flag1NoDefaultLibraries) === 0) {
    yield { directories: settings.defaultDirectories, found: { by: 'default directory' } };
  }
}

/** The requester's own, then that of the object that loaded it, and so on; the program's at last, but once. */
function* rpathsAbove(session: Session, requester: LinkMap): Generator<Searched> {
  const { settings } = session.request.loader;
  let sawProgram = false;
  for (let map: LinkMap | undefined = requester; map !== undefined; map = map.loadedBy) {
    sawProgram ||= map === session.program;
    yield { directories: searchedBy(map, settings).rpath, found: { by: 'rpath', of: map.path } };
  }
  if (sawProgram) return;
  const { program } = session;
  yield { directories: searchedBy(program, settings).rpath, found: { by: 'rpath', of: program.path } };
}
