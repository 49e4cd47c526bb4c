// The one error class: what went wrong, what to do about it, and the exit status env(1) would use.

/** 127 not found, 126 found but cannot run, 125 the tool itself failed (env(1), "Exit status"). */
export type ExitCode = 125 | 126 | 127;

interface ForeignErrorDetails {
  /** Stable word for programs, e.g. `no-provider`. */
  readonly code: string;
  /** One line: what the user can do. */
  readonly hint: string;
  readonly exitCode: ExitCode;
  readonly cause?: unknown;
}

/** An error that ends the work. `message` is one line of cause, `hint` one line of remedy. */
export class ForeignError extends Error {
  readonly code: string;
  readonly hint: string;
  readonly exitCode: ExitCode;

  constructor(message: string, details: ForeignErrorDetails) {
    super(message, { cause: details.cause });
    this.name = 'ForeignError';
    this.code = details.code;
    this.hint = details.hint;
    this.exitCode = details.exitCode;
  }
}

/** The errno name of a Node system error (`ENOENT`), or undefined for anything else. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** One short clause for an error of the system or of a library, for use inside a message. */
export function reasonOf(error: unknown): string {
  const clauses: Record<string, string> = {
    EACCES: 'permission denied',
    EPERM: 'operation not permitted',
    EROFS: 'read-only file system',
    ENOSPC: 'no space left on the device',
    EDQUOT: 'disk quota exceeded',
    ENOENT: 'no such file or directory',
    ENOTDIR: 'a component of the path is not a directory',
    EISDIR: 'it is a directory',
    EEXIST: 'something that is no directory is in its place',
    ELOOP: 'too many levels of symbolic links',
    EIO: 'input/output error',
    EMFILE: 'too many open files',
    ENFILE: 'too many open files in the system',
    ENAMETOOLONG: 'the name is too long',
    ESTALE: 'stale file handle',
    ENOMEM: 'out of memory',
    EAGAIN: 'too many processes',
  };
  const errno = errnoOf(error);
  if (errno !== undefined && clauses[errno] !== undefined) return clauses[errno];
  return error instanceof Error ? (error.message.split('\n')[0] ?? 'unknown error') : String(error);
}

/** What can be done about an errno that no better words were found for. */
const REMEDIES: Readonly<Record<string, string>> = {
  // bash, zsh and fish know `hard`; without -S the hard limit is set too, and never comes back.
  EMFILE: 'raise the limit of open files: ulimit -S -n hard',
  ENFILE: 'raise it, as root: sysctl -w fs.file-max=NUMBER; sysctl fs.file-max says what it is',
  ENOSPC: 'make room there',
  EDQUOT: 'make room there',
  EIO: 'check the disk: dmesg says more',
  ESTALE: 'mount its file system anew: findmnt --target names it',
  ENAMETOOLONG: 'take a shorter name',
};

/** What the user can do about an errno; `otherwise` where that depends on what was to be done. */
export function remedyOf(
  errno: string | undefined,
  otherwise = 'check the path and its permissions: ls -ld says more',
): string {
  return REMEDIES[errno ?? ''] ?? otherwise;
}

/** An error of a system call that nobody expected → what is told of it; undefined for defects of ours. */
export function systemFailure(error: unknown): ForeignError | undefined {
  const errno = errnoOf(error);
  if (errno === undefined || !(error instanceof Error) || !('syscall' in error)) return undefined;
  const file = 'path' in error && typeof error.path === 'string' ? error.path : undefined;
  const clause = `${error.syscall}: ${reasonOf(error)}`;
  return new ForeignError(file === undefined ? clause : `${file}: ${clause}`, {
    code: 'system',
    hint: remedyOf(errno),
    exitCode: 125,
    cause: error,
  });
}
