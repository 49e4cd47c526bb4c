// Random access to the bytes of a file, so that the pure ELF reader never opens one.

/** Something with bytes. `read` returns exactly `length` bytes, or fewer where the file ends. */
export interface ByteSource {
  readonly size: number;
  read(offset: number, length: number): Uint8Array;
}

/** A source over bytes already in memory. */
export function bytesInMemory(bytes: Uint8Array): ByteSource {
  return { size: bytes.length, read: (offset, length) => bytes.subarray(offset, offset + length) };
}
