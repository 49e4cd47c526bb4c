// A kernel → whether it executes 32-bit x86 programs, tried with a program of 96 bytes: no file says it for certain.
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { temporaryName } from './atomic-file.ts';
import { runProgramNow } from './run-program.ts';

/** e_machine of 32-bit x86 (elf.h). */
const EM_386 = 3;
const HEADER = 52;
const SEGMENT = 32;
const ADDRESS = 0x08048000;
/** xor eax,eax; mov al,1; push 42; pop ebx; int 0x80: exit(42). */
const CODE = Buffer.from('31c0b0016a2a5bcd80', 'hex');

/** A static 32-bit program that ends with 42: elf(5), one segment with everything. */
export function tinyProgram(machine = EM_386): Uint8Array {
  const size = HEADER + SEGMENT + CODE.length;
  const file = Buffer.alloc(size);
  file.write('\x7fELF\x01\x01\x01', 'latin1');
  file.writeUInt16LE(2, 16); // ET_EXEC
  file.writeUInt16LE(machine, 18);
  file.writeUInt32LE(1, 20);
  file.writeUInt32LE(ADDRESS + HEADER + SEGMENT, 24);
  file.writeUInt32LE(HEADER, 28);
  for (const [at, value] of [
    [40, HEADER],
    [42, SEGMENT],
    [44, 1],
  ] as const)
    file.writeUInt16LE(value, at);
  const segment = [1, 0, ADDRESS, ADDRESS, size, size, 5, 0x1000]; // PT_LOAD, readable and executable
  for (const [index, value] of segment.entries()) file.writeUInt32LE(value, HEADER + 4 * index);
  CODE.copy(file, HEADER + SEGMENT);
  return file;
}

/** `unknown` where nothing in the directory can be executed. */
export function runs32Bit(directory: string, program = tinyProgram()): 'yes' | 'no' | 'unknown' {
  const file = temporaryName(path.join(directory, 'tiny'));
  try {
    writeFileSync(file, program, { mode: 0o700 });
    const { status, failure, timedOut } = runProgramNow(file, [], { env: {}, timeout: 5000 });
    if (status === 42) return 'yes';
    // What the kernel refuses Node gives to /bin/sh, as execvp(3) does, which may not be there.
    const isRefused = !timedOut && [undefined, 'ENOEXEC', 'ENOENT'].includes(failure);
    return isRefused ? 'no' : 'unknown';
  } catch {
    return 'unknown';
  } finally {
    rmSync(file, { force: true });
  }
}
