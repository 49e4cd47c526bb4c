// An error → SQLite's result code, where it is one of SQLite's; what each caller makes of it is its own.

/** Without the extension (sqlite.org/rescode.html); undefined for any other error. */
export function resultCode(error: unknown): number | undefined {
  return error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : undefined;
}
