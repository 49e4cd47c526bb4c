// An error of SQLite over a side catalogue → nothing to read there, or what keeps it from being read now.
import { closeSync, openSync, readSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { errnoOf, ForeignError, reasonOf, remedyOf } from '../host/errors.ts';
import { errnoBehind, resultCode } from '../store/sqlite-error.ts';

/**
 * As SQLite takes it. Nothing writes into a catalogue that is in place, it is replaced: so no lock is asked for, which
 * could fail (sqlite.org/uri.html, "immutable").
 */
export function addressOf(file: string): URL {
  const address = pathToFileURL(file);
  address.search = '?mode=ro&immutable=1';
  return address;
}

/**
 * PERM, BUSY, NOMEM, READONLY, INTERRUPT, IOERR, FULL, CANTOPEN, PROTOCOL, NOLFS (sqlite.org/rescode.html): nothing is
 * known against what the file holds. After any other error of SQLite it is no catalogue of this version.
 */
const NOT_NOW = [3, 5, 7, 8, 9, 10, 13, 14, 15, 22];

const PIECE = 1 << 20;

function readThrough(file: string): void {
  const fd = openSync(file, 'r');
  try {
    const piece = Buffer.alloc(PIECE);
    for (let at = 0, got = 1; got > 0; at += got) got = readSync(fd, piece, 0, PIECE, at);
  } finally {
    closeSync(fd);
  }
}

/** SQLite tells no errno, and calls it damage where the disk does not give a page (src/os_unix.c, CORRUPTFS). */
function errorOfReading(file: string): unknown {
  try {
    readThrough(file);
    return undefined;
  } catch (error) {
    return error;
  }
}

/** What the user can do about an error of SQLite or the system that a catalogue met. */
export function remedyOfCatalogue(error: unknown): string {
  return error instanceof ForeignError ? error.hint : remedyOf(errnoBehind(error));
}

const CODE = 'unreadable-index';

function unreadableCatalogue(file: string, cause: unknown): ForeignError {
  return new ForeignError(`${file}: what was read of the file indexes cannot be asked: ${reasonOf(cause)}`, {
    code: CODE,
    hint: remedyOfCatalogue(cause),
    exitCode: 125,
    cause,
  });
}

export function isUnreadableCatalogue(error: unknown): error is ForeignError {
  return error instanceof ForeignError && error.code === CODE;
}

/**
 * Returns where there is no catalogue in the file, or a damaged one, or one of another version.
 * @throws ForeignError `unreadable-index` where it could not be asked; what is no error of SQLite as it is.
 */
export function assertNoCatalogue(error: unknown, file: string): void {
  const code = resultCode(error);
  if (code === undefined) throw error;
  const met = errorOfReading(file);
  if (['ENOENT', 'ENOTDIR'].includes(errnoOf(met) ?? '')) return;
  if (met !== undefined || NOT_NOW.includes(code)) throw unreadableCatalogue(file, met ?? error);
}
