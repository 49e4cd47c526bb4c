// An error → SQLite's result code, where it is one of SQLite's; what each caller makes of it is its own.

/** Without the extension (sqlite.org/rescode.html); undefined for any other error. */
export function resultCode(error: unknown): number | undefined {
  return error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : undefined;
}

/** SQLITE_BUSY and SQLITE_PROTOCOL: a lock could not be had, where there is no busy handler or it gave up. */
export function isBusy(error: unknown): boolean {
  return [5, 15].includes(resultCode(error) ?? 0);
}

/** How long a lock is asked for again, and how often. Milliseconds. */
export const LOCK_PATIENCE = { longest: 5000, between: 50 } as const;
