// A path → the text of a configuration file that only its owner can have written.
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { errnoOf, ForeignError, reasonOf } from '../errors.ts';

/** Bytes. */
const LARGEST = 1 << 20;

/** Who may have written a file: `root` stands for what lies in /etc, whoever it seems to belong to in a container. */
export type Writer = 'root' | { readonly uid: number };

function unusable(file: string, why: string, hint: string, cause?: unknown): ForeignError {
  return new ForeignError(`${file}: ${why}`, { code: 'configuration', hint, exitCode: 125, cause });
}

/** Whoever can write the file decides which keys are trusted. */
function refuseUntrusted(file: string, fd: number, writer: Writer): void {
  const stats = fstatSync(fd);
  if (!stats.isFile()) throw unusable(file, 'it is no file', 'replace it by a file, or remove it');
  if (stats.size > LARGEST) throw unusable(file, 'it is larger than 1 MiB', 'make it shorter, or remove it');
  if ((stats.mode & 0o022) !== 0) throw unusable(file, 'others can write it', `chmod go-w ${file}`);
  if (writer === 'root' || stats.uid === writer.uid || stats.uid === 0) return;
  throw unusable(file, 'it belongs to somebody else', `chown ${writer.uid} ${file}, or remove it`);
}

function openIfThere(file: string): number | undefined {
  try {
    return openSync(file, constants.O_RDONLY | constants.O_NONBLOCK); // a FIFO must not hold up the start
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? '')) return undefined;
    throw unusable(file, reasonOf(error), 'make it readable, or remove it', error);
  }
}

/** The text; undefined when there is no such file, for the price of one open(2). @throws ForeignError `configuration`. */
export function readConfigFile(file: string, writer: Writer): string | undefined {
  const fd = openIfThere(file);
  if (fd === undefined) return undefined;
  try {
    refuseUntrusted(file, fd, writer);
    const bytes = readFileSync(fd);
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    } catch (error) {
      throw unusable(file, 'it is not UTF-8', 'save it as UTF-8', error);
    }
  } finally {
    closeSync(fd);
  }
}
