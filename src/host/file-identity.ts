// stat(2) → the identity text by which the launcher recognises a file without reading it.
// A file that was just changed → its stamps, once any later change would show in them.
// A file → sha256 of its bytes, without holding the file in memory.

import { createHash } from 'node:crypto';
import { type BigIntStats, closeSync, fstatSync, openSync, readSync, statfsSync, statSync } from 'node:fs';
import { barOnTerminal, type Progress } from './progress-bar.ts';

/** Of st_dev (include/linux/kdev_t.h, new_encode_dev). */
const MAJOR = 0xfff00n;

/**
 * btrfs, ZFS, NFS, overlay: their device has no major number, and the number is given anew with each mount (Linux
 * fs/super.c, get_anon_bdev). Plans and catalogues outlive a boot.
 */
const lastingDevice = (device: bigint): bigint => ((device & MAJOR) === 0n ? 0n : device);

/** `<dev>:<ino>:<size>:<mtime sec>.<nsec>:<ctime sec>.<nsec>`, decimal, nanoseconds not padded (plan/PLAN.md). */
export function identityOfStats(stats: BigIntStats): string {
  const time = (ns: bigint): string => {
    const seconds = ns >= 0n ? ns / 1_000_000_000n : -((-ns + 999_999_999n) / 1_000_000_000n);
    return `${seconds}.${ns - seconds * 1_000_000_000n}`;
  };
  return `${lastingDevice(stats.dev)}:${stats.ino}:${stats.size}:${time(stats.mtimeNs)}:${time(stats.ctimeNs)}`;
}

/** The identity of a file, symlinks followed. @throws Node's errno errors. */
export function identityOf(file: string): string {
  return identityOfStats(statSync(file, { bigint: true }));
}

/** Device and inode: the same for one file under all of its names, whatever is written into it. */
export function inodeOf({ dev, ino }: { dev: number | bigint; ino: number | bigint }): string {
  return `${dev}:${ino}`;
}

/** statfs(2), f_type of FAT: it counts in two seconds. */
const MSDOS_SUPER_MAGIC = 0x4d44;

/**
 * Milliseconds by which the kernel's clock for stamps lies behind, at most (CLOCK_REALTIME_COARSE at 100 Hz), doubled.
 */
const LAG = 20;

/** Milliseconds in which two changes of a file can get the same stamp; some file systems count in whole seconds. */
function stampStep(file: string, { ctimeNs }: BigIntStats): number {
  if (ctimeNs % 1_000_000_000n !== 0n) return 0;
  return statfsSync(file).type === MSDOS_SUPER_MAGIC ? 2000 : 1000;
}

/**
 * Milliseconds until each further change of a file will show in its ctime, which nobody can set; 0 or less: it does.
 */
function untilDistinct(file: string, stats: BigIntStats): number {
  const changed = Number(stats.ctimeNs / 1_000_000n);
  return changed + stampStep(file, stats) + LAG - Date.now();
}

/** More than any step. What is changed later than that, by our clock, was changed by another clock. */
const LONGEST_STEP = 2000 + LAG;

/** A file that is changed again and again is not waited for: that it changed will show. */
const MOST_WAITS = 3;

/**
 * What stat(2) says of a file at a moment from which on a change cannot go unseen. What git calls a racy entry: a file
 * that was changed in this very step of the clock could be changed once more under the same stamps. Mostly there is
 * nothing to wait for. @throws Node's errno errors.
 */
export function distinctStats(file: string): BigIntStats {
  for (let waits = 0; ; waits += 1) {
    const stats = statSync(file, { bigint: true });
    const left = untilDistinct(file, stats);
    if (left <= 0 || left > LONGEST_STEP || waits === MOST_WAITS) return stats;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, left);
  }
}

const CHUNK = 1 << 18;

function hashFile(file: string, progress: Progress): string {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafeSlow(CHUNK);
  const fd = openSync(file, 'r');
  try {
    const { size } = fstatSync(fd);
    let done = 0;
    for (let n = readSync(fd, buffer); n > 0; n = readSync(fd, buffer)) {
      hash.update(buffer.subarray(0, n));
      done += n;
      progress(done, size);
    }
  } finally {
    closeSync(fd);
  }
  return hash.digest('hex');
}

/** Lower-case hex sha256 of a file's bytes. @throws Node's errno errors. */
export function sha256OfFile(file: string): string {
  return hashFile(file, () => {});
}

/** Bytes that are read within a second on any machine. */
const LARGE = 64 << 20;

/** By identity: a large program is read once in a process. */
const hashes = new Map<string, string>();

/** The same for a program, which may have gigabytes: with a bar on a terminal. */
export async function sha256OfProgram(file: string): Promise<string> {
  const identity = identityOf(file);
  const known = hashes.get(identity);
  if (known !== undefined) return known;
  const sha256 = await readSha256(file);
  if (identityOf(file) === identity) hashes.set(identity, sha256);
  return sha256;
}

async function readSha256(file: string): Promise<string> {
  if (statSync(file).size < LARGE) return sha256OfFile(file);
  const { progress, done } = await barOnTerminal('reading the program');
  const mebibytes = (bytes: number): number => Math.ceil(bytes / (1 << 20));
  try {
    return hashFile(file, (read, size) => progress(mebibytes(read), mebibytes(size)));
  } finally {
    done();
  }
}

/** Lower-case hex sha256 of a text. */
export function sha256OfText(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
