// A configured source and a program's content → the text of its fingerprint there, if there is one; a source that had
// none is not asked again on the same day.
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { errnoOf, reasonOf } from '../host/errors.ts';
import { sha256OfText } from '../host/file-identity.ts';
import { makeDirectories } from '../host/files.ts';
import { type HttpAnswer, type Limits, webText } from '../host/http.ts';

export type { HttpAnswer, Limits } from '../host/http.ts';

/** Bytes; no fingerprint is larger. */
export const LARGEST = 1 << 20;

interface SourceQuestion {
  /** Lower-case hex. */
  readonly sha256: string;
  readonly limits: Limits;
  /** Undefined asks whatever was answered before. */
  readonly absences: Absences | undefined;
}

/** `v1/<first two>/<sha256>.json`: what a static web server, a bucket or a git repository serves. */
export function pathInSource(sha256: string): string {
  return `v1/${sha256.slice(0, 2)}/${sha256}.json`;
}

/** A source as it may be printed: without password and query. */
export function nameOfSource(source: string): string {
  const url = source.startsWith('/') ? null : URL.parse(source);
  return url === null ? source : `${url.origin}${url.pathname}`;
}

/** Below the path of the URL; its query, such as a bucket's signature, stays. */
function addressIn(source: string, sha256: string): string {
  const url = new URL(source);
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/${pathInSource(sha256)}`;
  url.hash = '';
  return url.href;
}

function readBounded(fd: number, largest: number): Buffer | undefined {
  const buffer = Buffer.allocUnsafe(Math.min(fstatSync(fd).size, largest) + 1);
  let size = 0;
  for (let n = -1; n !== 0 && size < buffer.length; size += n)
    n = readSync(fd, buffer, size, buffer.length - size, null);
  return size === buffer.length ? undefined : buffer.subarray(0, size);
}

function textOfFile(file: string, largest: number): HttpAnswer {
  let fd: number | undefined;
  try {
    fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK); // a FIFO must not hold up the start
    if (!fstatSync(fd).isFile()) return { kind: 'unreachable', why: `${file} is no file` };
    const bytes = readBounded(fd, largest);
    if (bytes === undefined) return { kind: 'unreachable', why: `${file} has more than ${largest} bytes` };
    return { kind: 'found', text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? '')) return { kind: 'absent' };
    const why = error instanceof TypeError ? 'it is no text' : reasonOf(error);
    return { kind: 'unreachable', why: `${file}: ${why}` };
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** Asks one source. Never throws. That a web source has nothing is remembered for the day. */
async function askSource(source: string, question: SourceQuestion, stop: AbortSignal): Promise<HttpAnswer> {
  const { sha256, limits, absences } = question;
  if (!/^[0-9a-f]{64}$/.test(sha256)) return { kind: 'absent' };
  if (source.startsWith('/')) return textOfFile(path.join(source, pathInSource(sha256)), limits.largest);
  if (URL.parse(source) === null) return { kind: 'unreachable', why: 'it is neither a directory nor a URL' };
  if (absences !== undefined && isKnownAbsent(absences, source, sha256)) return { kind: 'absent' };
  const answer = await webText(addressIn(source, sha256), limits, stop);
  if (answer.kind === 'absent' && absences !== undefined) noteAbsence(absences, source, sha256);
  return answer;
}

interface Asked {
  readonly source: string;
  readonly answer: HttpAnswer;
}

/**
 * Asks all sources at the same time and yields their answers in the order of the sources, so that many slow ones take
 * no longer than the slowest. Who stops iterating, because a fingerprint was trusted, ends what is still asked.
 */
export async function* askSources(
  sources: readonly string[],
  question: SourceQuestion,
): AsyncGenerator<Asked> {
  const stop = new AbortController();
  const asked = sources.map((source) => ({ source, answer: askSource(source, question, stop.signal) }));
  try {
    for (const { source, answer } of asked) yield { source, answer: await answer };
  } finally {
    stop.abort();
  }
}

/** Where the absences are, and which day it is: `2024-02-29`. */
export interface Absences {
  readonly directory: string;
  readonly day: string;
}

/** `2024-02-29`, in UTC: a day must not begin twice. */
export function dayOf(time: Date): string {
  return time.toISOString().slice(0, 10);
}

/** `<directory>/<day>/<program>-<source>`: the source is hashed, because it may hold a password and slashes. */
function absenceFile({ directory, day }: Absences, source: string, sha256: string): string {
  return path.join(directory, day, `${sha256}-${sha256OfText(source).slice(0, 16)}`);
}

function isKnownAbsent(absences: Absences, source: string, sha256: string): boolean {
  return existsSync(absenceFile(absences, source, sha256));
}

/** The first note of a day sweeps away the days before. A place that cannot be written is asked again, that is all. */
function noteAbsence(absences: Absences, source: string, sha256: string): void {
  const file = absenceFile(absences, source, sha256);
  try {
    const isNew = makeDirectories(path.dirname(file)) === 'made';
    writeFileSync(file, '', { mode: 0o600 });
    if (isNew) removeOtherDays(absences);
  } catch {}
}

function removeOtherDays({ directory, day }: Absences): void {
  for (const name of readdirSync(directory)) {
    if (/^\d{4}-\d\d-\d\d$/.test(name) && name !== day) {
      rmSync(path.join(directory, name), { recursive: true, force: true });
    }
  }
}
