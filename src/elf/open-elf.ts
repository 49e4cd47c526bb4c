// A path → the bytes of that file, read where asked, and what ld.so would decide by in it, or why it cannot be read.
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { identityOfStats } from '../host/file-identity.ts';
import type { ElfFile } from './elf-file.ts';
import { type ElfReading, readElf } from './read-elf.ts';
import type { ByteSource } from './reader.ts';

export interface FileSource extends ByteSource {
  /** Device, inode, size and times: the same for an unchanged file under any name. */
  readonly identity: string;
  close(): void;
}

/**
 * Opens a file for reading. What is neither a regular file nor a directory has size 0 and is never waited for.
 * Throws Node's errno errors: ENOENT, EACCES, EISDIR and the like here, EIO from `read`.
 */
export function openFileSource(path: string): FileSource {
  // O_NONBLOCK: opening a FIFO would wait for its writer otherwise.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const status = fstatSync(fd, { bigint: true });
    if (status.isDirectory()) readSync(fd, Buffer.alloc(1), 0, 1, 0);
    return {
      size: status.isFile() ? Number(status.size) : 0,
      identity: identityOfStats(status),
      read: (offset, length) => readInto(Buffer.allocUnsafeSlow(length), fd, offset),
      readInto: (bytes, offset) => readInto(bytes, fd, offset),
      close: () => closeSync(fd),
    };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** pread(2) into `bytes`, again after a short read until they are full or the file ends; what was read. */
export function readInto(bytes: Uint8Array, fd: number, offset: number): Uint8Array {
  let done = 0;
  while (done < bytes.length) {
    const read = readSync(fd, bytes, done, bytes.length - done, offset + done);
    if (read === 0) break;
    done += read;
  }
  return bytes.subarray(0, done);
}

/** `error`: Node's error of open(2) or read(2). */
export type FileReading = ElfReading | { readonly kind: 'unreadable'; readonly error: unknown };

/** Opens, reads and closes. Total: whatever is at the path gives a reading. */
export function readElfFile(file: string): FileReading {
  let source: FileSource | undefined;
  try {
    source = openFileSource(file);
    return readElf(source);
  } catch (error) {
    return { kind: 'unreadable', error };
  } finally {
    source?.close();
  }
}

const readings = new Map<string, ElfReading>();

/**
 * The same, each file read once in a process while it stays as it is (device, inode, size, times). Not for whole
 * stores: what was read stays in memory.
 */
export function readElfOnce(file: string): FileReading {
  let source: FileSource | undefined;
  try {
    source = openFileSource(file);
    const reading = readings.get(source.identity) ?? readElf(source);
    readings.set(source.identity, reading);
    return reading;
  } catch (error) {
    return { kind: 'unreadable', error };
  } finally {
    source?.close();
  }
}

/** The ELF file at a path; undefined for everything else. */
export function elfFileAt(file: string): ElfFile | undefined {
  const reading = readElfOnce(file);
  return reading.kind === 'elf' ? reading.file : undefined;
}
