// A name and one list of directories → the first file of that name that can be loaded, as glibc's open_path has it.
import type { ElfFile } from '../elf/elf-file.ts';
import type { Folder, Session } from './glibc-session.ts';
import { judgeCandidate, type Verdict } from './judge-candidate.ts';
import type { Attempt } from './load-trace.ts';
import { isAtLeast } from './loader-request.ts';

/** One request on its way through the sources. */
export interface Search {
  readonly session: Session;
  readonly name: string;
  readonly tried: Attempt[];
  /** A candidate of the other class was met, which words the message when there is no other. */
  otherClass: boolean;
}

export type Opened =
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

const absent: Opened = { kind: 'absent' };

/** Opens one path (open_verify); a failure sets errno and is noted. */
export function openFile(search: Search, path: string, hwcaps: string | undefined): Opened {
  const { session, tried } = search;
  const { files, loader } = session.request;
  const verdict: Verdict = judgeCandidate(files.probe(path), loader.elf);
  if (verdict.kind === 'refuse') return { kind: 'refused', path, message: verdict.message };
  if (verdict.kind === 'take') {
    const { elf, identity, refusedLater } = verdict;
    session.errno = undefined;
    return { kind: 'opened', path, hwcaps, elf, identity, refusedLater };
  }
  tried.push({ path, why: verdict.why });
  search.otherClass ||= verdict.why === 'wrong class';
  session.errno = verdict.errno;
  return absent;
}

/**
 * For each directory its hwcaps subdirectories, then itself. An errno other than that of a file that is not there or
 * may not be read ends the list, but only of this one directory's last try.
 */
export function openPath(search: Search, directories: readonly string[]): Opened {
  for (const directory of directories) {
    const outcome = openInDirectory(search, directory);
    if (outcome.kind !== 'absent' || endsList(search.session, outcome.anyThere)) return outcome;
  }
  return absent;
}

type InDirectory =
  | Exclude<Opened, { kind: 'absent' }>
  | { readonly kind: 'absent'; readonly anyThere: boolean };

function openInDirectory(search: Search, directory: string): InDirectory {
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
function foldersOf(session: Session, directory: string): readonly Folder[] {
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
function isThere({ request: { files, loader } }: Session, start: string): boolean {
  if (!start.startsWith('/')) return true;
  if (start === '/') return isAtLeast(loader.settings, 2, 38);
  return files.isDirectory(start.slice(0, -1));
}

/** ENOTDIR is among the harmless ones since 2.39 (BZ 31035). */
function endsList({ errno, request: { loader } }: Session, anyThere: boolean): boolean {
  if (!anyThere || errno === 'ENOENT' || errno === 'EACCES') return false;
  return errno !== 'ENOTDIR' || !isAtLeast(loader.settings, 2, 39);
}
