// The path of a sidecar or tree file → its text and who could have written it, all of one and the same file.
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import path from 'node:path';
import { errnoOf, reasonOf } from '../errors.ts';
import { type Owners, type Writers, writersOf } from './ownership.ts';

export type Document =
  | { readonly kind: 'absent' }
  | { readonly kind: 'refused'; readonly cause: ReadCause; readonly why: string }
  | { readonly kind: 'read'; readonly text: string; readonly writers: Writers };

export type ReadCause = 'symlink' | 'no-file' | 'size' | 'encoding' | 'unreadable';

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
