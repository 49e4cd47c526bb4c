// An error → SQLite's result code, where it is one of SQLite's; what each caller makes of it is its own.
import { errnoOf } from '../host/errors.ts';

/** Without the extension (sqlite.org/rescode.html); undefined for any other error. */
export function resultCode(error: unknown): number | undefined {
  return error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : undefined;
}

/** SQLITE_BUSY and SQLITE_PROTOCOL: a lock could not be had, where there is no busy handler or it gave up. */
export function isBusy(error: unknown): boolean {
  return [5, 15].includes(resultCode(error) ?? 0);
}

/** SQLITE_IOERR and SQLITE_FULL, which an errno says better. */
const ERRNOS: ReadonlyMap<number, string> = new Map([
  [10, 'EIO'],
  [13, 'ENOSPC'],
]);

/** The errno of an error of the system, or the one that SQLite's code stands for. */
export function errnoBehind(error: unknown): string | undefined {
  return ERRNOS.get(resultCode(error) ?? 0) ?? errnoOf(error);
}

/** How long a lock is asked for again, and how often. Milliseconds. */
export const LOCK_PATIENCE = { longest: 5000, between: 50 } as const;
