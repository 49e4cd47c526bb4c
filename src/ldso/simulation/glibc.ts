// A request for glibc's loader → the trace of the start.

import { withoutErrorText } from './early-errors.ts';
import { checkStart, checkVersions } from './glibc-checks.ts';
import { mapDependencies, mapObject } from './glibc-map.ts';
import { type GlibcState, openGlibcState } from './glibc-state.ts';
import type { LinkMap } from './link-map.ts';
import { isAtLeast, type SimulationRequest } from './request.ts';
import type { LoaderError, LoadTrace, TracedObject } from './trace.ts';

/** dl_main (glibc elf/rtld.c), from `ld.so PROGRAM` to where the objects would be relocated. */
export function simulateGlibc(request: SimulationRequest): LoadTrace {
  const session = openGlibcState(request);
  const preloads = preloadObjects(session);
  const dependencies = mapDependencies(session, preloads);
  if (dependencies.kind === 'failed') {
    session.errors.push(dependencies.error);
    if (session.loader.requests.length === 0) session.chain.splice(session.chain.indexOf(session.loader), 1);
    return traceOf(session);
  }
  placeLoader(session, dependencies.searchList);
  if (checkVersions(session, dependencies.searchList)) checkStart(session, dependencies.searchList);
  return traceOf(session);
}

/** do_preload: failures are said and ignored, names that are loaded already count once. */
function preloadObjects(session: GlibcState): LinkMap[] {
  const preloads: LinkMap[] = [];
  for (const name of session.request.preload ?? []) {
    const before = session.chain.length;
    const outcome = mapObject(session, session.program, name, 'preload');
    if (outcome.kind === 'mapped') {
      if (session.chain.length > before) preloads.push(outcome.map);
      continue;
    }
    const { about, message } = outcome.error;
    const why = withoutErrorText(message.slice(about.length + 2));
    session.warnings.push({
      kind: 'not preloaded',
      about,
      neededBy: undefined,
      message: `object '${name}' cannot be preloaded (${why}): ignored.`,
    });
  }
  return preloads;
}

/**
 * The loader goes behind its predecessor in symbol search. Before 2.41 it leaves the list of objects where none needs
 * it; since then it stays, as the last one.
 */
function placeLoader({ chain, loader, request }: GlibcState, searchList: readonly LinkMap[]): void {
  chain.splice(chain.indexOf(loader), 1);
  const found = searchList.indexOf(loader);
  const at = found < 1 && isAtLeast(request.loader.settings, 2, 41) ? searchList.length : found;
  const previous = at < 1 ? undefined : searchList[at - 1];
  if (previous !== undefined) chain.splice(chain.indexOf(previous) + 1, 0, loader);
}

function traceOf(session: GlibcState): LoadTrace {
  const { chain, errors, warnings } = session;
  return {
    objects: chain.map((map) => tracedObject(map, chain)),
    errors,
    warnings,
    status: statusOf(errors),
    listStatus: errors.some(endsList) ? 127 : 0,
  };
}

function statusOf(errors: readonly LoaderError[]): number {
  if (errors.length === 0) return 0;
  return !errors.some(endsList) && errors.some(({ kind }) => kind === 'version') ? 1 : 127;
}

function endsList({ stage, kind }: LoaderError): boolean {
  return stage === 'load' || kind === 'inconsistent' || kind === 'relr';
}

function tracedObject(map: LinkMap, all: readonly LinkMap[]): TracedObject {
  const { elf, role, found, hwcaps, tried, requests, names } = map;
  return {
    name: role === 'program' ? map.path : (names[0] ?? map.path),
    path: elf === undefined ? undefined : map.path,
    elf,
    role,
    depth: depthOf(map, all),
    found,
    hwcaps,
    tried,
    requests,
  };
}

function depthOf(map: LinkMap, all: readonly LinkMap[]): number {
  if (map.role === 'program') return 0;
  const by = map.loadedBy ?? all.find(({ path }) => path === map.requests[0]?.from);
  return by === undefined ? 0 : depthOf(by, all) + 1;
}
