// Paths → the bytes of many files, a few blocks of each, read into memory that is got in large pieces.
import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import type { ByteSource } from '../elf/byte-source.ts';
import { readInto } from '../platform/file-source.ts';

/** Getting memory for each block by itself takes longer than reading it. */
const SLAB = 1_048_576;

/** What is read when a file is opened: most headers and, in small libraries, every table. */
const HEAD = 16_384;

export interface FileBlocks {
  /**
   * Opens a file and hands its bytes to `ask`. They can be read later too: the file is then opened once more for each
   * read, so that hundreds of files hold no descriptors. @throws Node's errno errors, also from `read`.
   */
  open<T>(path: string, ask: (source: ByteSource) => T): T;
}

export function createFileBlocks(): FileBlocks {
  let slab = Buffer.alloc(0);
  let used = 0;
  const room = (length: number): Buffer => {
    if (used + length > slab.length) {
      slab = Buffer.allocUnsafeSlow(Math.max(SLAB, length));
      used = 0;
    }
    used += length;
    return slab.subarray(used - length, used);
  };
  const readAt = (fd: number, offset: number, length: number) => readInto(room(length), fd, offset);
  return {
    open: (path, ask) => {
      let fd = openFile(path);
      try {
        const status = fstatSync(fd);
        const size = status.isFile() ? status.size : 0;
        const head = readAt(fd, 0, Math.min(HEAD, size));
        const read = (offset: number, wanted: number): Uint8Array => {
          const length = Math.max(0, Math.min(wanted, size - offset));
          if (offset + length <= head.length) return head.subarray(offset, offset + length);
          if (fd >= 0) return readAt(fd, offset, length);
          const again = openFile(path);
          try {
            return readAt(again, offset, length);
          } finally {
            closeSync(again);
          }
        };
        return ask({ size, read });
      } finally {
        closeSync(fd);
        fd = -1;
      }
    },
  };
}

/** O_NONBLOCK: opening a FIFO would wait for its writer otherwise. */
function openFile(path: string): number {
  return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
}
