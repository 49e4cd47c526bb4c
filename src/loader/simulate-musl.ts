// A request for musl's loader → the trace of the start.
import type { ElfFile } from '../elf/elf-file.ts';
import type { LoadTrace, RequestKind, TracedObject } from './load-trace.ts';
import type { Probe } from './loader-files.ts';
import type { SimulationRequest } from './loader-request.ts';
import { muslErrorText } from './musl-errors.ts';
import { type MuslFound, searchMusl } from './musl-search.ts';
import { type Dso, type MuslErrno, type MuslSession, noteRequest, openMuslSession } from './musl-session.ts';

/** __dls3 (musl ldso/dynlink.c), from `ld-musl PROGRAM` to where the objects would be relocated. */
export function simulateMusl(request: SimulationRequest): LoadTrace {
  const session = openMuslSession(request);
  for (const name of request.preload ?? []) loadLibrary(session, undefined, name, 'preload');
  const { chain, errors } = session;
  // The list grows while it is walked; needs that are missing do not end the walk.
  for (const dso of chain) {
    if (dso.role === 'loader') continue;
    for (const name of dso.elf.needed) {
      if (loadLibrary(session, dso, name, 'needed')) continue;
      const message = `Error loading shared library ${name}: ${muslErrorText(session.errno)} (needed by ${dso.name})`;
      const { searched, tried } = session.lastSearch;
      const places = { about: name, neededBy: dso.name, searched, tried };
      errors.push({ stage: 'load', kind: 'missing', ...places, message });
    }
  }
  const status = errors.length === 0 ? 0 : 127;
  return { objects: chain.map(tracedObject), errors, warnings: [], status, listStatus: status };
}

/** Names that stand for the loader itself, by their beginning: `libc.so.6` too. */
const ownName = /^lib(?:c|pthread|rt|m|dl|util|xnet)\./;
const longestName = 255;

/** load_library; undefined where it fails, with errno set. */
function loadLibrary(
  session: MuslSession,
  from: Dso | undefined,
  name: string,
  kind: RequestKind,
): Dso | undefined {
  const { chain, loader, program } = session;
  const note = { name, from, kind };
  session.lastSearch = { searched: [], tried: [] };
  if (name === '') return fail(session, 'EINVAL');
  if (ownName.test(name) || name === loader.name) {
    if (!chain.includes(loader)) chain.push(loader);
    return noteRequest(session, loader, note, name === loader.name ? 'loaded by path' : 'loaded by name');
  }
  const others = () => chain.filter((dso) => dso !== program);
  if (!name.includes('/')) {
    const known = others().find(({ shortName }) => shortName === name);
    if (known !== undefined) return noteRequest(session, known, note, 'loaded by name');
    if (name.length > longestName) return undefined;
  }
  const opened = name.includes('/') ? openSlashName(session, name) : searchMusl(session, from, name);
  const { path, probe } = opened;
  session.lastSearch = opened;
  if (path === undefined || probe === undefined) return undefined;
  const shortName = name.includes('/') ? undefined : path.slice(path.lastIndexOf('/') + 1);
  const identity = probe.kind === 'directory' ? undefined : identityOf(probe);
  const same = others().find((dso) => identity !== undefined && dso.identity === identity);
  if (same !== undefined) {
    if (shortName !== undefined) same.shortName ??= same.name.slice(same.name.lastIndexOf('/') + 1);
    return noteRequest(session, same, note, 'loaded by inode');
  }
  const elf = mappable(session, probe);
  if (elf === undefined) return undefined;
  if (isSomeLibc(elf)) return loadLibrary(session, from, 'libc.so', kind);
  const { found, tried } = opened;
  const dso: Dso = {
    ...{ role: 'library', elf, name: path, requestedAs: name, shortName, identity },
    ...{ neededBy: from, found, tried, requests: [] },
  };
  chain.push(dso);
  return noteRequest(session, dso, note, 'opened');
}

function fail(session: MuslSession, errno: MuslErrno): undefined {
  session.errno = errno;
}

/** No tokens are replaced in names. */
function openSlashName(session: MuslSession, name: string): MuslFound {
  const probe = session.request.files.probe(name);
  if (probe.kind !== 'unopened') {
    return { path: name, probe, found: { by: 'slash name' }, tried: [], searched: [] };
  }
  session.errno = probe.errno;
  return { path: undefined, probe: undefined, found: { by: 'nowhere' }, tried: [], searched: [] };
}

function identityOf(probe: Probe): string | undefined {
  return 'identity' in probe ? probe.identity : undefined;
}

/** map_library: no magic, class or machine is looked at, but hardly a file of another class has a dynamic segment then. */
function mappable(session: MuslSession, probe: Probe): ElfFile | undefined {
  if (probe.kind === 'directory') return fail(session, 'EISDIR');
  if (probe.kind !== 'elf') return fail(session, 'ENOEXEC');
  const { elf } = probe;
  const loadable = elf.type === 2 || elf.type === 3;
  const right = elf.class === session.request.loader.elf.class;
  return loadable && elf.dynamic && right ? elf : fail(session, 'ENOEXEC');
}

/** musl looks for the symbols `__libc_start_main` and `stdin`; these are the sonames of the files that define both. */
function isSomeLibc({ soname }: ElfFile): boolean {
  return soname === 'libc.so.6' || soname === 'libc.so' || /^libc\.musl-/.test(soname ?? '');
}

function tracedObject(dso: Dso): TracedObject {
  const { role, elf, name, requestedAs, found, tried, requests } = dso;
  return {
    ...{ name: requestedAs, path: name, elf, role, found, tried, requests },
    depth: depthOf(dso),
    hwcaps: undefined,
  };
}

function depthOf(dso: Dso): number {
  if (dso.role === 'program') return 0;
  return dso.neededBy === undefined ? 1 : depthOf(dso.neededBy) + 1;
}
