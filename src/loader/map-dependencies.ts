// The program and its preloads → everything they need, breadth first, filters before what they filter.
import type { Session } from './glibc-session.ts';
import type { LinkMap } from './link-map.ts';
import type { LoaderError, RequestKind } from './load-trace.ts';
import { isAtLeast } from './loader-request.ts';
import { type MapOutcome, mapObject } from './map-object.ts';
import { expandName } from './search-library.ts';

/** One place in the list of objects whose needs are followed (struct list, elf/dl-deps.c). */
interface Place {
  map: LinkMap;
  done: boolean;
}

export type Dependencies =
  | { readonly kind: 'complete'; readonly searchList: readonly LinkMap[] }
  | { readonly kind: 'failed'; readonly error: LoaderError };

/**
 * Filters that filter each other keep ld.so busy for ever, and those in front of the program can be loaded again and
 * again. Other filters make it look at a file a second time.
 */
const mostVisits = 100;

/** _dl_map_object_deps (elf/dl-deps.c). `searchList` is the order in which symbols are looked up. */
export function mapDependencies(session: Session, preloads: readonly LinkMap[]): Dependencies {
  const places: Place[] = [session.program, ...preloads].map((map) => {
    map.listed = true;
    return { map, done: false };
  });
  session.errno = undefined;
  const visits = new Map<string, number>();
  for (let at = 0; at < places.length; ) {
    const place = places[at];
    if (place === undefined || place.done) {
      at += 1;
      continue;
    }
    const visit = (visits.get(place.map.path) ?? 0) + 1;
    if (place.map.elf !== undefined) visits.set(place.map.path, visit);
    if (visit > mostVisits) return { kind: 'failed', error: endless(place.map) };
    const error = followNeeds(session, places, at);
    if (error !== undefined) {
      return { kind: 'failed', error: startsWithProgram(session, places) ? error : inconsistent(session) };
    }
  }
  if (!startsWithProgram(session, places)) return { kind: 'failed', error: inconsistent(session) };
  return { kind: 'complete', searchList: places.map(({ map }) => map).filter(({ elf }) => elf) };
}

/** Before 2.32 a filter of the program itself was an inconsistency. */
function startsWithProgram({ program, request }: Session, places: readonly Place[]): boolean {
  const first = places.find(({ map }) => map.elf !== undefined)?.map;
  return first === program || isAtLeast(request.loader.settings, 2, 32);
}

/** What one object asks for. Tokens without a value are skipped in DT_NEEDED and DT_FILTER, and fatal in DT_AUXILIARY. */
function followNeeds(session: Session, places: Place[], at: number): LoaderError | undefined {
  const place = places[at];
  if (place?.map.elf === undefined) {
    if (place !== undefined) place.done = true;
    return undefined;
  }
  place.done = true;
  const { map } = place;
  let owner = at;
  for (const { kind, written } of wantsOf(place.map)) {
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
    if (kind === 'needed') enlist(places, outcome.map);
    else if (placeBefore(session, places, owner, outcome.map)) owner += 1;
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

function enlist(places: Place[], map: LinkMap): void {
  if (map.listed) return;
  map.listed = true;
  places.push({ map, done: false });
}

/** Puts a filter's object in front of its owner, in both lists; false when it is in front already. */
function placeBefore(session: Session, places: Place[], owner: number, map: LinkMap): boolean {
  if (map.listed) {
    const later = places.findIndex((place, index) => index > owner && place.map === map);
    if (later < 0) return false;
    places.splice(later, 1);
  }
  map.listed = true;
  const ownerMap = places[owner]?.map;
  places.splice(owner, 0, { map, done: false });
  const { chain } = session;
  chain.splice(chain.indexOf(map), 1);
  chain.splice(ownerMap === undefined ? 0 : chain.indexOf(ownerMap), 0, map);
  return true;
}

function inconsistent({ program }: Session): LoaderError {
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
