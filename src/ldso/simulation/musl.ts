// A request for musl's loader → the trace of the start.

import type { ElfFile } from '../../elf/elf-file.ts';
import { ET_DYN, ET_EXEC } from '../../elf/gabi.ts';
import { muslRunPathDirectories, muslSearchPath } from '../../elf/run-path.ts';
import type { Errno, Probe, SimulationRequest } from './request.ts';
import type {
  AlreadyLoaded,
  Finding,
  LoaderError,
  LoadTrace,
  ObjectRequest,
  OpenAttempt,
  RequestKind,
  Searched,
  TracedObject,
} from './trace.ts';

/** __dls3 (musl ldso/dynlink.c), from `ld-musl PROGRAM` to where the objects would be relocated. */
export function simulateMusl(request: SimulationRequest): LoadTrace {
  const session = openMuslState(request);
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
const OWN_NAME = /^lib(?:c|pthread|rt|m|dl|util|xnet)\./;
const LONGEST_NAME = 255;

/** load_library; undefined where it fails, with errno set. */
function loadLibrary(
  session: MuslState,
  from: Dso | undefined,
  name: string,
  kind: RequestKind,
): Dso | undefined {
  const { chain, loader, program } = session;
  const note = { name, from, kind };
  session.lastSearch = { searched: [], tried: [] };
  if (name === '') return fail(session, 'EINVAL');
  if (OWN_NAME.test(name) || name === loader.name) {
    if (!chain.includes(loader)) chain.push(loader);
    return noteRequest(session, loader, note, name === loader.name ? 'loaded by path' : 'loaded by name');
  }
  const others = () => chain.filter((dso) => dso !== program);
  if (!name.includes('/')) {
    const known = others().find(({ shortName }) => shortName === name);
    if (known !== undefined) return noteRequest(session, known, note, 'loaded by name');
    if (name.length > LONGEST_NAME) return undefined;
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

function fail(session: MuslState, errno: MuslErrno): undefined {
  session.errno = errno;
}

/** No tokens are replaced in names. */
function openSlashName(session: MuslState, name: string): MuslFound {
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

/**
 * map_library: no magic, class or machine is looked at, but hardly a file of another class has a dynamic segment then.
 */
function mappable(session: MuslState, probe: Probe): ElfFile | undefined {
  if (probe.kind === 'directory') return fail(session, 'EISDIR');
  if (probe.kind !== 'elf') return fail(session, 'ENOEXEC');
  const { elf } = probe;
  const loadable = elf.type === ET_EXEC || elf.type === ET_DYN;
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

/** struct dso (musl ldso/dynlink.c), as far as the search for libraries reads it. */
interface Dso {
  readonly role: 'program' | 'loader' | 'library';
  readonly elf: ElfFile;
  /** As opened. */
  readonly name: string;
  readonly requestedAs: string;
  /** The last component of `name`, once a search has found the object; what later requests are compared with. */
  shortName: string | undefined;
  /** The program and the loader have none. */
  readonly identity: string | undefined;
  readonly neededBy: Dso | undefined;
  readonly found: Finding;
  readonly tried: readonly OpenAttempt[];
  readonly requests: ObjectRequest[];
}

interface MuslState {
  readonly request: SimulationRequest;
  /** Without the loader until something needs it. */
  readonly chain: Dso[];
  readonly program: Dso;
  readonly loader: Dso;
  errno: MuslErrno;
  /** Of the last request: where it was looked for, and what was passed over. */
  lastSearch: { readonly searched: readonly Searched[]; readonly tried: readonly OpenAttempt[] };
  readonly errors: LoaderError[];
}

type MuslErrno = Errno | 'ENOEXEC';

function openMuslState(request: SimulationRequest): MuslState {
  const { program, loader } = request;
  const nobody = { shortName: undefined, identity: undefined, neededBy: undefined, tried: [] } as const;
  const self: Dso = {
    ...nobody,
    role: 'program',
    elf: program.elf,
    name: program.path,
    requestedAs: program.path,
    found: { by: 'program' },
    requests: [],
  };
  // With --list the loader goes by the program's PT_INTERP, as it would if the kernel had started the program.
  const name = program.elf.interpreter ?? loader.path;
  const itself: Dso = {
    ...nobody,
    role: 'loader',
    elf: loader.elf,
    name,
    requestedAs: name,
    found: { by: 'interpreter' },
    requests: [],
  };
  const lastSearch = { searched: [], tried: [] };
  return { request, chain: [self], program: self, loader: itself, errno: 'ENOENT', lastSearch, errors: [] };
}

/** Notes that `dso` answered a request. Preloads are asked for by nobody, which counts as by the program. */
function noteRequest(
  session: MuslState,
  dso: Dso,
  { name, from, kind }: { readonly name: string; readonly from: Dso | undefined; readonly kind: RequestKind },
  how: 'opened' | AlreadyLoaded,
): Dso {
  dso.requests.push({ name, from: (from ?? session.program).name, kind, how });
  return dso;
}

interface MuslFound {
  /** Undefined when no file was opened; errno says why. */
  readonly path: string | undefined;
  readonly probe: Probe | undefined;
  readonly found: Finding;
  readonly tried: readonly OpenAttempt[];
  readonly searched: readonly Searched[];
}

/** buf[2*NAME_MAX+2] of load_library: a longer path is passed over. */
const LONGEST_PATH = 2 * 255 + 2;

/** load_library (musl ldso/dynlink.c) up to where the file is open. `name` has no slash. */
function searchMusl(session: MuslState, neededBy: Dso | undefined, name: string): MuslFound {
  const tried: OpenAttempt[] = [];
  const searched: Searched[] = [];
  const nowhere: MuslFound = { path: undefined, probe: undefined, found: { by: 'nowhere' }, tried, searched };
  for (const source of sourcesOf(session, neededBy)) {
    const { directories, found } = source;
    if (directories.length > 0) searched.push(source);
    for (const directory of directories) {
      const path = `${directory}/${name}`;
      if (path.length >= LONGEST_PATH) continue;
      const probe = session.request.files.probe(path);
      if (probe.kind !== 'unopened') return { path, probe, found, tried, searched };
      tried.push({ path, why: probe.errno });
      session.errno = probe.errno;
      if (!GOES_ON.has(probe.errno)) return nowhere;
    }
  }
  return nowhere;
}

/** path_open: any other errno ends the whole search. */
const GOES_ON: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'EACCES', 'ENAMETOOLONG']);

/** The library path comes before every run path, and run paths of all requesters above count, RUNPATH or RPATH. */
function* sourcesOf(session: MuslState, neededBy: Dso | undefined): Generator<Searched> {
  const { libraryPath, loader } = session.request;
  yield { directories: muslSearchPath(libraryPath), found: { by: 'library path' } };
  for (let dso = neededBy; dso !== undefined; dso = dso.neededBy) {
    const by = dso.elf.runpath === undefined ? 'rpath' : 'runpath';
    yield { directories: runPathOf(dso), found: { by, of: dso.name } };
  }
  yield { directories: loader.settings.defaultDirectories, found: { by: 'default directory' } };
}

function runPathOf({ elf, name }: Dso): string[] {
  const slash = name.lastIndexOf('/');
  return muslRunPathDirectories(elf.runpath ?? elf.rpath ?? '', slash < 0 ? '.' : name.slice(0, slash));
}

const TEXTS: Readonly<Record<MuslErrno, string>> = {
  EPERM: 'Operation not permitted',
  ENOENT: 'No such file or directory',
  EIO: 'I/O error',
  ENXIO: 'No such device or address',
  ENOEXEC: 'Exec format error',
  ENOMEM: 'Out of memory',
  EACCES: 'Permission denied',
  ENOTDIR: 'Not a directory',
  EISDIR: 'Is a directory',
  EINVAL: 'Invalid argument',
  ENFILE: 'Too many open files in system',
  EMFILE: 'No file descriptors available',
  ENAMETOOLONG: 'Filename too long',
  ELOOP: 'Symbolic link loop',
};

/** E.g. `Symbolic link loop`. */
function muslErrorText(errno: MuslErrno): string {
  return TEXTS[errno];
}
