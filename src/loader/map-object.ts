// A requester and a name → the object that the name stands for, loaded now if it was not yet.
import { earlyErrorText } from './early-errors.ts';
import type { Session } from './glibc-session.ts';
import { findLoaded, type LinkMap, makeLinkMap, originOf } from './link-map.ts';
import type { AlreadyLoaded, LoaderError, RequestKind } from './load-trace.ts';
import { type SearchOutcome, searchLibrary } from './search-library.ts';

export type MapOutcome =
  | { readonly kind: 'mapped'; readonly map: LinkMap }
  | { readonly kind: 'failed'; readonly error: LoaderError };

/** _dl_map_object (elf/dl-load.c). Its needs are not looked at. */
export function mapObject(session: Session, requester: LinkMap, name: string, kind: RequestKind): MapOutcome {
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
export function visible({ chain, program }: Session): readonly LinkMap[] {
  return chain[0] === program ? chain : chain.slice(chain.indexOf(program));
}

function append(session: Session, requester: LinkMap, name: string, outcome: SearchOutcome): LinkMap {
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

function missingMessage({ errno, request: { loader } }: Session, otherClass: boolean): string {
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
