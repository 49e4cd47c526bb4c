// stat(2) → the identity text by which the launcher recognises a file without reading it.
import { type BigIntStats, statSync } from 'node:fs';

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
