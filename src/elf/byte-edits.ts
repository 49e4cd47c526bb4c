// An object's headers → how its fields are written back in its own class and byte order, as edits of bytes.
import type { Header } from './header.ts';

/** Bytes to be written over what lies at a file offset. */
export interface ByteEdit {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** Elf_Addr, Elf_Off, Elf_Xword (class 64) or Elf_Word (class 32) at an offset. */
export function wordEdit(header: Header, offset: number, value: number): ByteEdit {
  const wide = header.class === 64;
  const bytes = new Uint8Array(wide ? 8 : 4);
  const view = new DataView(bytes.buffer);
  const little = header.byteOrder === 'little';
  if (wide) view.setBigUint64(0, BigInt(value), little);
  else view.setUint32(0, value, little);
  return { offset, bytes };
}
