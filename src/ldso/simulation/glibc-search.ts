// A requester and a name → the file that glibc's loader opens for it, by which rule, and what it passes over.

import type { ElfFile } from '../../elf/elf-file.ts';
import { expandTokens } from '../../elf/run-path.ts';
import { earlyErrorText } from './early-errors.ts';
import type { Folder, GlibcState } from './glibc-state.ts';
import { type LinkMap, searchedBy } from './link-map.ts';
import { type Errno, isAtLeast, type Probe } from './request.ts';
import type { Finding, OpenAttempt, Searched } from './trace.ts';

export interface SearchOutcome {
  readonly opened: Opened;
  readonly found: Finding;
  readonly tried: readonly OpenAttempt[];
  readonly otherClass: boolean;
  readonly searched: readonly Searched[];
}

const FLAG1_NO_DEFAULT_LIBRARIES = 0x800;

/** _dl_map_new_object (elf/dl-load.c) up to where the file is open; the cache is inhibited. */
export function searchLibrary(session: GlibcState, requester: LinkMap, name: string): SearchOutcome {
  const search: LibrarySearch = { session, name, tried: [], otherClass: false };
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
export function expandName(session: GlibcState, requester: LinkMap, name: string): string | undefined {
  const { lib, platform } = session.request.loader.settings;
  return expandTokens(name, { origin: requester.origin, lib, platform });
}

/** Lists of directories in the order they are searched. */
function* sourcesOf(session: GlibcState, requester: LinkMap): Generator<Searched> {
  const { settings } = session.request.loader;
  if (requester.elf?.runpath === undefined) yield* rpathsAbove(session, requester);
  yield { directories: session.libraryPath, found: { by: 'library path' } };
  const { runpath } = searchedBy(requester, settings);
  yield { directories: runpath, found: { by: 'runpath', of: requester.path } };
  if (((requester.elf?.flags1 ?? 0) & FLAG1_NO_DEFAULT_LIBRARIES) === 0) {
    yield { directories: settings.defaultDirectories, found: { by: 'default directory' } };
  }
}

/** The requester's own, then that of the object that loaded it, and so on; the program's at last, but once. */
function* rpathsAbove(session: GlibcState, requester: LinkMap): Generator<Searched> {
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

/** One request on its way through the sources. */
interface LibrarySearch {
  readonly session: GlibcState;
  readonly name: string;
  readonly tried: OpenAttempt[];
  /** A candidate of the other class was met, which words the message when there is no other. */
  otherClass: boolean;
}

type Opened =
  | {
      readonly kind: 'opened';
      readonly path: string;
      readonly hwcaps: string | undefined;
      readonly elf: ElfFile;
      readonly identity: string;
      readonly refusedLater: string | undefined;
    }
  /** The start ends here. */
  | { readonly kind: 'refused'; readonly path: string; readonly message: string }
  | { readonly kind: 'absent' };

const ABSENT: Opened = { kind: 'absent' };

/** Opens one path (open_verify); a failure sets errno and is noted. */
function openFile(search: LibrarySearch, path: string, hwcaps: string | undefined): Opened {
  const { session, tried } = search;
  const { files, loader } = session.request;
  const verdict: FileVerdict = judgeCandidate(files.probe(path), loader.elf);
  if (verdict.kind === 'refuse') return { kind: 'refused', path, message: verdict.message };
  if (verdict.kind === 'take') {
    const { elf, identity, refusedLater } = verdict;
    session.errno = undefined;
    return { kind: 'opened', path, hwcaps, elf, identity, refusedLater };
  }
  tried.push({ path, why: verdict.why });
  search.otherClass ||= verdict.why === 'wrong class';
  session.errno = verdict.errno;
  return ABSENT;
}

/**
 * For each directory its hwcaps subdirectories, then itself. An errno other than that of a file that is not there or
 * may not be read ends the list, but only of this one directory's last try.
 */
function openPath(search: LibrarySearch, directories: readonly string[]): Opened {
  for (const directory of directories) {
    const outcome = openInDirectory(search, directory);
    if (outcome.kind !== 'absent' || endsList(search.session, outcome.anyThere)) return outcome;
  }
  return ABSENT;
}

type InDirectory =
  | Exclude<Opened, { kind: 'absent' }>
  | { readonly kind: 'absent'; readonly anyThere: boolean };

function openInDirectory(search: LibrarySearch, directory: string): InDirectory {
  const { session, name } = search;
  const folders = foldersOf(session, directory);
  let anyThere = false;
  for (const folder of folders) {
    const outcome = openFile(search, `${folder.start}${name}`, folder.hwcaps);
    if (outcome.kind !== 'absent') return outcome;
    folder.state ??= isThere(session, folder.start) ? 'existing' : 'nonexisting';
    if (folder.state === 'existing') anyThere = true;
  }
  if (folders.some(({ state }) => state === 'nonexisting')) {
    const left = folders.filter(({ state }) => state !== 'nonexisting');
    session.folders.set(directory, left);
  }
  return { kind: 'absent', anyThere };
}

/** What is left of a directory's hwcaps subdirectories and itself, in the order they are tried. */
function foldersOf(session: GlibcState, directory: string): readonly Folder[] {
  const known = session.folders.get(directory);
  if (known !== undefined) return known;
  const { subdirectories } = session.request.loader.settings;
  const start = directory === '' || directory === '/' ? directory : `${directory}/`;
  const folders: Folder[] = [
    ...subdirectories.map((hwcaps) => ({ start: `${start}${hwcaps}/`, hwcaps, state: undefined })),
    { start, hwcaps: undefined, state: undefined },
  ];
  session.folders.set(directory, folders);
  return folders;
}

/**
 * Looked up after the first failure only; relative directories count as existing always. Before 2.38 the name of the
 * root directory became empty here, so it was searched once only (BZ 30435).
 */
function isThere({ request: { files, loader } }: GlibcState, start: string): boolean {
  if (!start.startsWith('/')) return true;
  if (start === '/') return isAtLeast(loader.settings, 2, 38);
  return files.isDirectory(start.slice(0, -1));
}

/** ENOTDIR is among the harmless ones since 2.39 (BZ 31035). */
function endsList({ errno, request: { loader } }: GlibcState, anyThere: boolean): boolean {
  if (!anyThere || errno === 'ENOENT' || errno === 'EACCES') return false;
  return errno !== 'ENOTDIR' || !isAtLeast(loader.settings, 2, 39);
}

type FileVerdict =
  | {
      readonly kind: 'take';
      readonly elf: ElfFile;
      readonly identity: string;
      /** Found wrong only when it is about to be mapped, so not if it is loaded already. */
      readonly refusedLater: string | undefined;
    }
  | { readonly kind: 'pass'; readonly why: OpenAttempt['why']; readonly errno: Errno }
  | { readonly kind: 'refuse'; readonly message: string };

/** The class, machine and byte order that the loader was built for. */
type WantedLibrary = Pick<ElfFile, 'class' | 'machine' | 'byteOrder'>;

/** Errors of open_verify in front of its look at the machine, and behind it. */
const BEFORE_MACHINE: ReadonlySet<string> = new Set([
  'ELF file version ident does not match current one',
  'ELF file OS ABI invalid',
  'ELF file ABI version invalid',
  'nonzero padding in e_ident',
  'ELF file version does not match current one',
]);
const OF_HEADER = 'only ET_DYN and ET_EXEC can be loaded';

/** open_verify (glibc elf/dl-load.c), in its order. */
function judgeCandidate(probe: Probe, wanted: WantedLibrary): FileVerdict {
  const headerSize = wanted.class === 64 ? 64 : 52;
  switch (probe.kind) {
    case 'unopened':
      return { kind: 'pass', why: probe.errno, errno: probe.errno };
    case 'directory':
      return { kind: 'refuse', message: `cannot read file data: ${earlyErrorText('EISDIR')}` };
    case 'not-elf':
      return { kind: 'refuse', message: probe.size < headerSize ? 'file too short' : 'invalid ELF header' };
    case 'bad-elf':
      return { kind: 'refuse', message: probe.size < headerSize ? 'file too short' : probe.why };
    case 'elf':
      return judgeElf(probe.elf, probe.identity, wanted);
  }
}

function judgeElf(elf: ElfFile, identity: string, wanted: WantedLibrary): FileVerdict {
  const { loadError } = elf;
  if (elf.class !== wanted.class) return { kind: 'pass', why: 'wrong class', errno: 'ENOENT' };
  if (elf.byteOrder !== wanted.byteOrder) {
    return { kind: 'refuse', message: `ELF file data encoding not ${wanted.byteOrder}-endian` };
  }
  if (loadError !== undefined && BEFORE_MACHINE.has(loadError)) return { kind: 'refuse', message: loadError };
  if (elf.machine !== wanted.machine) return { kind: 'pass', why: 'wrong machine', errno: 'ENOENT' };
  if (loadError === OF_HEADER) return { kind: 'refuse', message: loadError };
  return { kind: 'take', elf, identity, refusedLater: loadError };
}
