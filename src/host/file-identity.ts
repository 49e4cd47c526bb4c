// stat(2) → the identity text by which the launcher recognises a file without reading it.
// A file → sha256 of its bytes, without holding the file in memory.

import { createHash } from 'node:crypto';
import { type BigIntStats, closeSync, openSync, readSync, statSync } from 'node:fs';

/** `<dev>:<ino>:<size>:<mtime sec>.<nsec>:<ctime sec>.<nsec>`, decimal, nanoseconds not padded (launch/PLAN.md). */
export function identityOfStats(stats: BigIntStats): string {
  const time = (ns: bigint): string => {
    const seconds = ns >= 0n ? ns / 1_000_000_000n : -((-ns + 999_999_999n) / 1_000_000_000n);
    return `${seconds}.${ns - seconds * 1_000_000_000n}`;
  };
  return `${stats.dev}:${stats.ino}:${stats.size}:${time(stats.mtimeNs)}:${time(stats.ctimeNs)}`;
}

/** The identity of a file, symlinks followed. @throws Node's errno errors. */
export function identityOf(file: string): string {
  return identityOfStats(statSync(file, { bigint: true }));
}

const CHUNK = 1 << 20;

/** Lower-case hex sha256 of a file's bytes. @throws Node's errno errors. */
export function sha256OfFile(file: string): string {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafeSlow(CHUNK);
  const fd = openSync(file, 'r');
  try {
    for (let n = readSync(fd, buffer); n > 0; n = readSync(fd, buffer)) hash.update(buffer.subarray(0, n));
  } finally {
    closeSync(fd);
  }
  return hash.digest('hex');
}

/** Lower-case hex sha256 of a text. */
export function sha256OfText(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
