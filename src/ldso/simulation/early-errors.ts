// An errno → the text that glibc's loader has for it before libc is there.
import type { Errno } from './request.ts';

/** Numbers of Linux on x86, ARM, Power, RISC-V and S/390; MIPS has another ELOOP and ENAMETOOLONG. */
const NUMBERS: Readonly<Record<Errno, number>> = {
  EPERM: 1,
  ENOENT: 2,
  EIO: 5,
  ENXIO: 6,
  ENOMEM: 12,
  EACCES: 13,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  ENFILE: 23,
  EMFILE: 24,
  ENAMETOOLONG: 36,
  ELOOP: 40,
};

/** The few that elf/dl-minimal.c (__strerror_r) knows. */
const TEXTS: Readonly<Partial<Record<Errno, string>>> = {
  ENOMEM: 'Cannot allocate memory',
  EINVAL: 'Invalid argument',
  ENOENT: 'No such file or directory',
  EPERM: 'Operation not permitted',
  EIO: 'Input/output error',
  EACCES: 'Permission denied',
};

/** Whether the loader simulation knows an errno by that name. */
export function isErrno(name: string): name is Errno {
  return Object.hasOwn(NUMBERS, name);
}

/** E.g. `No such file or directory`, `Error 40`. */
export function earlyErrorText(errno: Errno): string {
  return TEXTS[errno] ?? `Error ${NUMBERS[errno]}`;
}

/** The message as do_preload (elf/rtld.c) prints it: it leaves the errno out. */
export function withoutErrorText(message: string): string {
  const text = [...Object.values(TEXTS), ...Object.values(NUMBERS).map((number) => `Error ${number}`)].find(
    (each) => message.endsWith(`: ${each}`),
  );
  return text === undefined ? message : message.slice(0, -text.length - 2);
}
