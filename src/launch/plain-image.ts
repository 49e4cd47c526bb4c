// An AppImage → a file for the loader to be asked about: its ELF part alone, without the mark.
import { closeSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { appImageMark, isAppImage } from '../elf/app-image.ts';
import { temporaryName } from '../platform/atomic-file.ts';
import { elfFileAt } from '../store/read-elf-file.ts';

function readStart(file: string, size: number): Buffer {
  const fd = openSync(file, 'r');
  try {
    const bytes = Buffer.alloc(size);
    return bytes.subarray(0, readSync(fd, bytes, 0, size, 0));
  } finally {
    closeSync(fd);
  }
}

/**
 * glibc's loader refuses the mark ("ELF file ABI version invalid", elf/dl-load.c, open_verify) in what it opens itself,
 * the kernel does not. Every other program is handed to `ask` as it is. The file lies in `scratch`, for as long as `ask`
 * takes. @throws Node's errors.
 */
export function withPlainImage<T>(program: string, scratch: string, ask: (file: string) => T): T {
  const end = isAppImage(readStart(program, 16)) ? elfFileAt(program)?.end : undefined;
  if (end === undefined) return ask(program);
  const file = temporaryName(path.join(scratch, 'image'));
  try {
    const bytes = readStart(program, end);
    bytes.fill(0, appImageMark.offset, appImageMark.offset + appImageMark.size);
    writeFileSync(file, bytes, { mode: 0o700 });
    return ask(file);
  } finally {
    rmSync(file, { force: true });
  }
}
