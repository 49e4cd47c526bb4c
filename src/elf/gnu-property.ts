// A GNU property note -> the x86 instruction set levels that ld.so demands of the processor.
import type { Note } from './notes.ts';

const isaNeeded = 0xc0008002;
const i386 = 3;
const x86_64 = 62;

/** True for the note that `readIsaNeeded` reads: NT_GNU_PROPERTY_TYPE_0 of owner GNU. */
export function isPropertyNote({ owner, type }: Note): boolean {
  return owner === 'GNU' && type === 5;
}

/**
 * Bits of GNU_PROPERTY_X86_ISA_1_NEEDED, 0 when absent or for other machines. As sysdeps/x86/dl-prop.h: the note must
 * have the alignment of the class, the properties come in ascending order, and each is padded to a word.
 */
export function readIsaNeeded(note: Note, machine: number, word: 4 | 8): number {
  if ((machine !== i386 && machine !== x86_64) || note.align !== word) return 0;
  const bytes = note.read();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let bits = 0;
  let last = 0;
  for (let at = 0; at + 8 <= view.byteLength; ) {
    const type = view.getUint32(at, true);
    const size = view.getUint32(at + 4, true);
    if (type < last || at + 8 + size > view.byteLength) break;
    if (type === isaNeeded && size === 4) bits |= view.getUint32(at + 8, true);
    last = type;
    at += 8 + Math.ceil(size / word) * word;
  }
  return bits >>> 0;
}
