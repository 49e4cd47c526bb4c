// Reads of any offset and length -> few reads of whole blocks, each made once.
import type { ByteSource } from './byte-source.ts';

/** A power of two, in bytes: headers, notes and the first tables of most objects lie in one block. */
export const blockSize = 16_384;

/** A block and the same bytes as numbers. `bytes` is shorter than `blockSize` where the file ends. */
export interface Block {
  readonly bytes: Buffer;
  readonly view: DataView;
}

/** Gives block `index` (byte offset `index * blockSize`), keeping at most `kept` blocks, the oldest dropped first. */
export function cacheBlocks(source: ByteSource, kept: number): (index: number) => Block {
  const blocks = new Map<number, Block>();
  return (index) => {
    const known = blocks.get(index);
    if (known) return known;
    if (blocks.size >= kept) {
      const [oldest] = blocks.keys();
      if (oldest !== undefined) blocks.delete(oldest);
    }
    const read = source.read(index * blockSize, blockSize);
    const block = {
      bytes: Buffer.from(read.buffer, read.byteOffset, read.length),
      view: new DataView(read.buffer, read.byteOffset, read.length),
    };
    blocks.set(index, block);
    return block;
  };
}
