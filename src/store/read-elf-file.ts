// A path → what ld.so would decide by in the file there, or why it cannot be read.
import type { ElfFile } from '../elf/elf-file.ts';
import { type ElfReading, readElf } from '../elf/read-elf.ts';
import { type FileSource, openFileSource } from '../platform/file-source.ts';

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
 * The same, each file read once in a process while it stays as it is (device, inode, size, times). Not for whole stores:
 * what was read is kept.
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
