// The program and its preloads → everything they need, breadth first, each loaded once.
import { earlyErrorText } from './early-errors.ts';
import { expandName, type SearchOutcome, searchLibrary } from './glibc-search.ts';
import type { GlibcState } from './glibc-state.ts';
import { findLoaded, type LinkMap, makeLinkMap, originOf } from './link-map.ts';
import { isAtLeast } from './request.ts';
import type { AlreadyLoaded, LoaderError, RequestKind } from './trace.ts';

type MapOutcome =
  | { readonly kind: 'mapped'; readonly map: LinkMap }
  | { readonly kind: 'failed'; readonly error: LoaderError };

/** _dl_map_object (elf/dl-load.c). Its needs are not looked at. */
export function mapObject(
  session: GlibcState,
  requester: LinkMap,
  name: string,
  kind: RequestKind,
): MapOutcome {
  const note = (map: LinkMap, how: 'opened' | AlreadyLoaded): MapOutcome => {
    map.requests.push({ name, from: requester.path, kind, how });
    return { kind: 'mapped', map };
  };
  const loaded = findLoaded(visible(session), name);
  if (loaded !== undefined) return note(loaded.map, loaded.how);
  const outcome = searchLibrary(session, requester, name);
  const { opened, otherClass } = outcome;
  if (opened.kind === 'refused') return failed('refused', opened.path, requester, opened.message);
  if (opened.kind === 'absent') {
    // A preload is never noted as missing: do_preload (elf/rtld.c) does not trace.
    if (session.request.onMissing === 'note' && kind !== 'preload') {
      return note(append(session, requester, name, outcome), 'opened');
    }
    return missing(name, requester, missingMessage(session, otherClass), outcome);
  }
  const same = visible(session).find(({ identity }) => identity === opened.identity);
  if (same !== undefined) {
    if (!same.names.includes(name)) same.names.push(name);
    return note(same, 'loaded by inode');
  }
  if (opened.refusedLater !== undefined) return failed('refused', name, requester, opened.refusedLater);
  return note(append(session, requester, name, outcome), 'opened');
}

/** The list as it is walked: from the program on. */
export function visible({ chain, program }: GlibcState): readonly LinkMap[] {
  return chain[0] === program ? chain : chain.slice(chain.indexOf(program));
}

function append(session: GlibcState, requester: LinkMap, name: string, outcome: SearchOutcome): LinkMap {
  const { opened, found, tried } = outcome;
  const file = opened.kind === 'opened' ? opened : undefined;
  const map = makeLinkMap({
    role: 'library',
    elf: file?.elf,
    path: file?.path ?? name,
    mapName: file?.path ?? name,
    names: [name],
    identity: file?.identity,
    loadedBy: requester,
    origin: file && originOf(file.path, session.request.files.workingDirectory),
    found,
    hwcaps: file?.hwcaps,
    tried,
  });
  session.chain.push(map);
  return map;
}

function missingMessage({ errno, request: { loader } }: GlibcState, otherClass: boolean): string {
  if (otherClass) return `wrong ELF class: ELFCLASS${loader.elf.class === 64 ? 32 : 64}`;
  const reason = errno === undefined ? '' : `: ${earlyErrorText(errno)}`;
  return `cannot open shared object file${reason}`;
}

function missing(
  about: string,
  requester: LinkMap,
  message: string,
  { searched, tried }: SearchOutcome,
): MapOutcome {
  const places = { about, neededBy: requester.path, searched, tried: [...tried] };
  return {
    kind: 'failed',
    error: { stage: 'load', kind: 'missing', ...places, message: `${about}: ${message}` },
  };
}

function failed(kind: 'refused', about: string, requester: LinkMap, message: string): MapOutcome {
  const whole = `${about}: ${message}`;
  return { kind: 'failed', error: { stage: 'load', kind, about, neededBy: requester.path, message: whole } };
}

/** One place in the list of objects whose needs are followed (struct list, elf/dl-deps.c). */
interface ListEntry {
  map: LinkMap;
  done: boolean;
}

type Dependencies =
  | { readonly kind: 'complete'; readonly searchList: readonly LinkMap[] }
  | { readonly kind: 'failed'; readonly error: LoaderError };

/**
 * Filters that filter each other keep ld.so busy for ever, and those in front of the program can be loaded again and
 * again. Other filters make it look at a file a second time.
 */
const MOST_VISITS = 100;

/** _dl_map_object_deps (elf/dl-deps.c). `searchList` is the order in which symbols are looked up. */
export function mapDependencies(session: GlibcState, preloads: readonly LinkMap[]): Dependencies {
  const entries: ListEntry[] = [session.program, ...preloads].map((map) => {
    map.listed = true;
    return { map, done: false };
  });
  session.errno = undefined;
  const visits = new Map<string, number>();
  for (let at = 0; at < entries.length; ) {
    const entry = entries[at];
    if (entry === undefined || entry.done) {
      at += 1;
      continue;
    }
    const visit = (visits.get(entry.map.path) ?? 0) + 1;
    if (entry.map.elf !== undefined) visits.set(entry.map.path, visit);
    if (visit > MOST_VISITS) return { kind: 'failed', error: endless(entry.map) };
    const error = followNeeds(session, entries, at);
    if (error !== undefined) {
      return { kind: 'failed', error: startsWithProgram(session, entries) ? error : inconsistent(session) };
    }
  }
  if (!startsWithProgram(session, entries)) return { kind: 'failed', error: inconsistent(session) };
  return { kind: 'complete', searchList: entries.map(({ map }) => map).filter(({ elf }) => elf) };
}

/** Before 2.32 a filter of the program itself was an inconsistency. */
function startsWithProgram({ program, request }: GlibcState, entries: readonly ListEntry[]): boolean {
  const first = entries.find(({ map }) => map.elf !== undefined)?.map;
  return first === program || isAtLeast(request.loader.settings, 2, 32);
}

/**
 * What one object asks for. Tokens without a value are skipped in DT_NEEDED and DT_FILTER, and fatal in DT_AUXILIARY.
 */
function followNeeds(session: GlibcState, entries: ListEntry[], at: number): LoaderError | undefined {
  const entry = entries[at];
  if (entry?.map.elf === undefined) {
    if (entry !== undefined) entry.done = true;
    return undefined;
  }
  entry.done = true;
  const { map } = entry;
  let owner = at;
  for (const { kind, written } of wantsOf(entry.map)) {
    const name = expandName(session, map, written);
    if (name === undefined) {
      if (kind === 'auxiliary') return emptyToken(map, written);
      continue;
    }
    const outcome: MapOutcome = mapObject(session, map, name, kind);
    if (outcome.kind === 'failed') {
      if (kind === 'auxiliary') continue;
      return outcome.error;
    }
    if (kind === 'needed') enlist(entries, outcome.map);
    else if (placeBefore(session, entries, owner, outcome.map)) owner += 1;
  }
  return undefined;
}

/** GNU ld writes DT_NEEDED first; the order among the three kinds is not kept in ElfFile. */
function wantsOf({ elf }: LinkMap): { readonly kind: RequestKind; readonly written: string }[] {
  const each = (kind: RequestKind, names: readonly string[] = []) =>
    names.map((written) => ({ kind, written }));
  return [
    ...each('needed', elf?.needed),
    ...each('filter', elf?.filter),
    ...each('auxiliary', elf?.auxiliary),
  ];
}

function enlist(entries: ListEntry[], map: LinkMap): void {
  if (map.listed) return;
  map.listed = true;
  entries.push({ map, done: false });
}

/** Puts a filter's object in front of its owner, in both lists; false when it is in front already. */
function placeBefore(session: GlibcState, entries: ListEntry[], owner: number, map: LinkMap): boolean {
  if (map.listed) {
    const later = entries.findIndex((entry, index) => index > owner && entry.map === map);
    if (later < 0) return false;
    entries.splice(later, 1);
  }
  map.listed = true;
  const ownerMap = entries[owner]?.map;
  entries.splice(owner, 0, { map, done: false });
  const { chain } = session;
  chain.splice(chain.indexOf(map), 1);
  chain.splice(ownerMap === undefined ? 0 : chain.indexOf(ownerMap), 0, map);
  return true;
}

function inconsistent({ program }: GlibcState): LoaderError {
  const assertion = "Assertion `map->l_searchlist.r_list[0] == map' failed!";
  const message = `Inconsistency detected by ld.so: dl-deps.c: _dl_map_object_deps: ${assertion}`;
  return { stage: 'load', kind: 'inconsistent', about: program.path, neededBy: undefined, message };
}

function emptyToken(map: LinkMap, written: string): LoaderError {
  const message = `${written}: empty dynamic string token substitution`;
  return { stage: 'load', kind: 'refused', about: written, neededBy: map.path, message };
}

function endless(map: LinkMap): LoaderError {
  const message = `${map.path}: its filters filter each other`;
  return { stage: 'load', kind: 'refused', about: map.path, neededBy: undefined, message };
}
