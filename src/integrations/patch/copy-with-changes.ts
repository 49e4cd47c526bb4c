// A file and its changes, or what takes them back → a new file with them, made by the kernel where it can.

import { createHash } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  cpSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { type ByteSource, fillFrom } from '../../elf/reader.ts';
import { errnoOf } from '../../host/errors.ts';
import { runProgramNow } from '../../host/run-program.ts';
import type { FileChanges, Undo } from './file-changes.ts';

const CHUNK = 1 << 18;

function writeAll(fd: number, bytes: Uint8Array, offset: number): void {
  for (let done = 0; done < bytes.length; )
    done += writeSync(fd, bytes, done, bytes.length - done, offset + done);
}

/** Copies `[from, to)` to `target + from + shift`; zeros stay holes. */
function copyRange(
  source: number,
  target: number,
  [from, to]: readonly [number, number],
  shift: number,
): void {
  const buffer = Buffer.allocUnsafeSlow(CHUNK);
  const zeros = Buffer.alloc(CHUNK);
  for (let at = from; at < to; ) {
    const read = readSync(source, buffer, 0, Math.min(CHUNK, to - at), at);
    if (read === 0) break;
    if (zeros.compare(buffer, 0, read, 0, read) !== 0) writeAll(target, buffer.subarray(0, read), at + shift);
    at += read;
  }
}

function withFiles<T>(
  from: string,
  to: string,
  work: (source: number, target: number, size: number) => T,
): T {
  const source = openSync(from, 'r');
  try {
    const target = openSync(to, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600);
    try {
      return work(source, target, fstatSync(source).size);
    } finally {
      closeSync(target);
    }
  } finally {
    closeSync(source);
  }
}

function isSparse(file: string): boolean {
  const fd = openSync(file, 'r');
  try {
    const { size, blocks } = fstatSync(fd);
    return blocks * 512 < size - CHUNK;
  } finally {
    closeSync(fd);
  }
}

/**
 * cp(1) asks where the holes are (lseek(2), SEEK_DATA), for which Node has no call: reading 3 GiB of them takes
 * seconds.
 */
function copyWithHoles(from: string, to: string): boolean {
  const args = ['--sparse=always', '--no-target-directory', '--', from, to];
  const env = { PATH: '/run/current-system/sw/bin:/usr/bin:/bin' };
  if (runProgramNow('cp', args, { env, timeout: 600_000 }).status === 0) return true;
  rmSync(to, { force: true });
  return false;
}

/**
 * A tree with its hard links, owners and times to the nanosecond, as cp(1) has it; where there is none, what Node
 * copies. `to` must not be there. @throws Node's errno errors, or one that says what cp(1) said.
 */
export function copyDirectory(from: string, to: string, searchPath: string | undefined): void {
  const env = { PATH: searchPath ?? '/run/current-system/sw/bin:/usr/bin:/bin' };
  const args = ['-a', '--no-target-directory', '--', from, to];
  const { status, failure, stderr } = runProgramNow('cp', args, { env, timeout: 3_600_000 });
  if (status === 0) return;
  if (failure !== 'ENOENT') throw new Error(stderr.trim().split('\n')[0] ?? 'cp failed');
  cpSync(from, to, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
}

/** Nobody but who makes it can open the copy. */
function copyByReading(from: string, to: string): void {
  withFiles(from, to, (source, target, size) => {
    copyRange(source, target, [0, size], 0);
    ftruncateSync(target, size);
  });
}

/** Clones where the file system can; else the kernel copies (copy_file_range(2)), which fills holes with zeros. */
function copyWhole(from: string, to: string): void {
  // Node gives the copy the mode of what it copies: one with set-id bits would be its maker's until it is changed.
  if ((statSync(from).mode & 0o6000) !== 0) {
    copyByReading(from, to);
    return;
  }
  try {
    copyFileSync(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE);
    return;
  } catch (error) {
    if (['ENOSPC', 'EDQUOT', 'EACCES', 'EROFS', 'EEXIST'].includes(errnoOf(error) ?? '')) throw error;
  }
  if (isSparse(from)) {
    if (!copyWithHoles(from, to)) copyByReading(from, to);
  } else copyFileSync(from, to, constants.COPYFILE_EXCL);
}

/** The copy has the mode of what was copied, which its owner may not be allowed to write. */
function write(file: string, work: (fd: number) => void): void {
  chmodSync(file, 0o600);
  const fd = openSync(file, 'r+');
  try {
    work(fd);
    // What a loss of power cut short would be started as it is.
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** `to` must not be there. @throws Node's errno errors; a part of `to` may be left then. */
export function copyWithChanges(from: string, to: string, { edits, added }: FileChanges, size: number): void {
  const isInserted = added !== undefined && added.at < size;
  if (isInserted) {
    withFiles(from, to, (source, target, all) => {
      copyRange(source, target, [0, added.at], 0);
      copyRange(source, target, [added.at, all], added.bytes.length);
      ftruncateSync(target, all + added.bytes.length);
    });
  } else copyWhole(from, to);
  write(to, (fd) => {
    for (const { offset, bytes } of edits) writeAll(fd, bytes, offset);
    if (added !== undefined) writeAll(fd, added.bytes, added.at);
  });
}

/** The other way round. `to` must not be there. @throws Node's errno errors. */
export function copyWithUndo(from: string, to: string, { ranges, added, size }: Undo): void {
  const isInserted = added !== undefined && added.at < size;
  if (isInserted) {
    withFiles(from, to, (source, target) => {
      copyRange(source, target, [0, added.at], 0);
      copyRange(source, target, [added.at + added.length, size + added.length], -added.length);
    });
  } else copyWhole(from, to);
  write(to, (fd) => {
    ftruncateSync(fd, size);
    for (const { offset, old } of ranges) writeAll(fd, old, offset);
  });
}

/** Lower-case hex sha256 of all bytes. `tick` is called now and then. */
export function sha256OfSource(source: ByteSource, tick: () => void = () => {}): string {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafeSlow(Math.min(CHUNK, source.size));
  for (let at = 0; at < source.size; ) {
    const bytes = fillFrom(source, buffer.subarray(0, source.size - at), at);
    if (bytes.length === 0) break;
    hash.update(bytes);
    at += bytes.length;
    tick();
  }
  return hash.digest('hex');
}
