// An errno → musl's text for it (src/errno/__strerror.h).
import type { MuslErrno } from './musl-session.ts';

const texts: Readonly<Record<MuslErrno, string>> = {
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
export function muslErrorText(errno: MuslErrno): string {
  return texts[errno];
}
