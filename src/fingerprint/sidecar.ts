// A program → the fingerprints that came with it, in the order in which they are looked at; the first that is trusted,
// and why those before it are not.
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readSync,
  realpathSync,
  type Stats,
} from 'node:fs';
import path from 'node:path';
import { errnoOf, reasonOf } from '../host/errors.ts';
import { NOBODY } from '../host/user-namespace.ts';
import { MAXIMUM_SIZE } from './fingerprint.ts';
import { findInTree, MAXIMUM_TREE_SIZE } from './tree-file.ts';
import {
  type DistrustCause,
  judgeTrust,
  type Owners,
  type ProgramIdentity,
  type Trust,
  type TrustVerdict,
  type Writers,
  writersOf,
} from './trust.ts';

/** One document for a whole tree of programs (tree-file.ts). */
export const TREE_NAME = '.nix-fingerprints.json';

/** The document of one program, beside it. */
export function sidecarOf(program: string): string {
  return `${program}.nix-fingerprint.json`;
}

interface SidecarLocation {
  readonly kind: 'sidecar' | 'tree';
  readonly file: string;
}

/** What is asked of the file system. */
export interface DirectoryFacts {
  /** uid of the owner of a file or directory that is no symbolic link; undefined where it cannot be looked at. */
  ownerOf(file: string): number | undefined;
  /** The directory without symbolic links; undefined where there is none. */
  realDirectory(directory: string): string | undefined;
}

export const fileSystem: DirectoryFacts = {
  ownerOf: (file) => {
    try {
      return lstatSync(file, { throwIfNoEntry: false })?.uid;
    } catch {
      return undefined;
    }
  },
  realDirectory: (directory) => {
    try {
      return realpathSync(directory);
    } catch {
      return undefined;
    }
  },
};

/** The directories above a file that belong to its owner, from below, up to the first that does not. */
function directoriesOfOwner(file: string, facts: DirectoryFacts): string[] {
  const owner = facts.ownerOf(file);
  if (owner === undefined || owner === NOBODY) return [];
  const directories: string[] = [];
  for (let at = path.dirname(file); facts.ownerOf(at) === owner; at = path.dirname(at)) {
    directories.push(at);
    if (at === path.dirname(at)) break;
  }
  return directories;
}

/**
 * Beside the real file; beside the path as it was given, which may be a symbolic link; then the tree files above the
 * real file. `given` is absolute, `real` has no symbolic link in it. Nothing was opened, and whether the files exist
 * was not asked.
 */
export function sidecarLocations(
  typedName: string,
  real: string,
  facts: DirectoryFacts = fileSystem,
): SidecarLocation[] {
  const beside = [sidecarOf(real)];
  const directory = facts.realDirectory(path.dirname(typedName));
  if (directory !== undefined) beside.push(sidecarOf(path.join(directory, path.basename(typedName))));
  const trees = directoriesOfOwner(real, facts).map((each) => path.join(each, TREE_NAME));
  return [
    ...[...new Set(beside)].map((file) => ({ kind: 'sidecar', file }) as const),
    ...trees.map((file) => ({ kind: 'tree', file }) as const),
  ];
}

/** A file that was there and did not serve. */
interface RefusedLocation extends SidecarLocation {
  /** `tree` is a tree file that is none. */
  readonly cause: DistrustCause | ReadCause | 'tree';
  readonly why: string;
}

export interface SidecarSearch {
  readonly trusted?: SidecarLocation & Omit<Extract<TrustVerdict, { kind: 'trusted' }>, 'kind'>;
  /** In the order of the places. */
  readonly refused: readonly RefusedLocation[];
}

type Judged =
  | TrustVerdict
  | { readonly kind: 'absent' }
  | { readonly kind: 'refused'; readonly cause: RefusedLocation['cause']; readonly why: string };

async function judgeLocation(
  location: SidecarLocation,
  program: ProgramIdentity,
  owners: Owners,
  trust: Trust,
): Promise<Judged> {
  const limit = location.kind === 'tree' ? MAXIMUM_TREE_SIZE : MAXIMUM_SIZE;
  const document = readDocument(location.file, limit, owners);
  if (document.kind !== 'read') return document;
  const { text, writers } = document;
  if (location.kind === 'sidecar') return judgeTrust(text, { kind: 'sidecar', writers }, program, trust);
  const found = findInTree(text, program.sha256);
  if (found.kind === 'absent') return found;
  if (found.kind === 'refused') return { kind: 'refused', cause: 'tree', why: found.why };
  return judgeTrust(found.text, { kind: 'tree', writers }, program, trust);
}

/** Looks at the places of sidecar.ts one after the other and at nothing else. Never throws for what lies there. */
export async function findSidecar(
  locations: readonly SidecarLocation[],
  program: ProgramIdentity,
  owners: Owners,
  trust: Trust,
): Promise<SidecarSearch> {
  const refused: RefusedLocation[] = [];
  for (const location of locations) {
    const verdict = await judgeLocation(location, program, owners, trust);
    if (verdict.kind === 'refused') refused.push({ ...location, cause: verdict.cause, why: verdict.why });
    if (verdict.kind === 'trusted') {
      const { fingerprint, signedBy } = verdict;
      return {
        trusted: { ...location, fingerprint, ...(signedBy === undefined ? {} : { signedBy }) },
        refused,
      };
    }
  }
  return { refused };
}

type Document =
  | { readonly kind: 'absent' }
  | { readonly kind: 'refused'; readonly cause: ReadCause; readonly why: string }
  | { readonly kind: 'read'; readonly text: string; readonly writers: Writers };

type ReadCause = 'symlink' | 'no-file' | 'size' | 'encoding' | 'unreadable';

const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } = constants;
/** Needs no permission to list the directory (open(2)); the same on every Linux this runs on (asm-generic/fcntl.h). */
const O_PATH = 0o10000000;

function refused(cause: ReadCause, why: string): Document {
  return { kind: 'refused', cause, why };
}

/**
 * Opens the directory and then the file through that directory (proc(5), /proc/pid/fd), so that what is checked is what
 * is read, whatever is renamed meanwhile. A symbolic link is not followed; of a FIFO nobody waits for a writer.
 * @param limit in bytes.
 */
export function readDocument(file: string, limit: number, owners: Owners): Document {
  let directory: number | undefined;
  let fd: number | undefined;
  try {
    directory = openSync(path.dirname(file), O_PATH | O_DIRECTORY);
    fd = openSync(`/proc/self/fd/${directory}/${path.basename(file)}`, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    return readOpen(fd, fstatSync(directory), limit, owners);
  } catch (error) {
    const errno = errnoOf(error) ?? '';
    if (['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'].includes(errno)) return { kind: 'absent' };
    if (errno === 'ELOOP') return refused('symlink', 'it is a symbolic link');
    if (errno === 'ENXIO') return refused('no-file', 'it is no regular file');
    return refused('unreadable', `it cannot be read: ${reasonOf(error)}`);
  } finally {
    if (fd !== undefined) closeSync(fd);
    if (directory !== undefined) closeSync(directory);
  }
}

function readOpen(fd: number, directory: Stats, limit: number, owners: Owners): Document {
  const stats = fstatSync(fd);
  if (!stats.isFile()) return refused('no-file', 'it is no regular file');
  const tooLarge = `it is larger than ${limit / (1 << 20)} MiB`;
  if (stats.size > limit) return refused('size', tooLarge);
  const bytes = readAtMost(fd, stats.size + 1);
  if (bytes.length > stats.size) return refused('size', 'it grew while it was read');
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return { kind: 'read', text, writers: writersOf(stats, directory, owners) };
  } catch {
    return refused('encoding', 'it is not UTF-8');
  }
}

function readAtMost(fd: number, length: number): Uint8Array {
  const bytes = Buffer.allocUnsafeSlow(length);
  let done = 0;
  while (done < length) {
    const read = readSync(fd, bytes, done, length - done, done);
    if (read === 0) break;
    done += read;
  }
  return bytes.subarray(0, done);
}
