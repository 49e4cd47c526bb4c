// What the kernel says of the processor → the x86-64 levels that a library may demand.
// This kernel → whether it runs 32-bit programs.
import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs';
import { runProgramNow } from './run-program.ts';

/**
 * Flags of /proc/cpuinfo by the level that brings them (x86-64 psABI, "Micro-architecture levels"); bits of x86 ISA
 * notes.
 */
const LEVELS: readonly (readonly [bit: number, flags: readonly string[]])[] = [
  [1, ['cmov', 'cx8', 'fpu', 'fxsr', 'mmx', 'sse', 'sse2']],
  [2, ['cx16', 'lahf_lm', 'popcnt', 'pni', 'sse4_1', 'sse4_2', 'ssse3']],
  [4, ['avx', 'avx2', 'bmi1', 'bmi2', 'f16c', 'fma', 'abm', 'movbe', 'xsave']],
  [8, ['avx512f', 'avx512bw', 'avx512cd', 'avx512dq', 'avx512vl']],
];

/** GNU_PROPERTY_X86_ISA_1_BASELINE, which every x86-64 processor has; 0 is a library that demands nothing. */
const BASELINE = 1;

/**
 * The bits of GNU_PROPERTY_X86_ISA_1_NEEDED that a processor with these flags covers; each level has those below it.
 */
export function levelBits(flags: ReadonlySet<string>): number {
  let bits = 0;
  for (const [bit, needed] of LEVELS) {
    if (!needed.every((flag) => flags.has(flag))) break;
    bits |= bit;
  }
  return bits;
}

/** The flags of the first processor in the text of /proc/cpuinfo. */
export function flagsIn(cpuinfo: string): ReadonlySet<string> {
  return new Set(/^flags\s*:\s*(.*)$/m.exec(cpuinfo)?.[1]?.split(' ') ?? []);
}

let covered: number | undefined;

/** Where the kernel does not tell, nothing is ruled out: the loader has the last word. */
function coveredHere(): number {
  try {
    return levelBits(flagsIn(readFileSync('/proc/cpuinfo', 'latin1')));
  } catch {
    return ~0;
  }
}

/**
 * True if the processor has what a library demands: ld.so refuses others with `CPU ISA level is lower than required`
 * (glibc sysdeps/x86/dl-prop.h). Reads /proc/cpuinfo when first asked about more than the baseline, once per process.
 */
export function canRun(isaNeeded: number): boolean {
  if ((isaNeeded & ~BASELINE) === 0) return true;
  covered ??= coveredHere();
  return (isaNeeded & ~covered) === 0;
}

/** Exit status of the program below, which no shell gives that the C library may start for what the kernel refuses. */
const OWN_STATUS = 86;

/** The smallest 32-bit program: one segment with `exit(86)` (System V ABI i386). */
function smallestProgram(): Buffer {
  const code = Buffer.from([0xb8, 1, 0, 0, 0, 0xbb, OWN_STATUS, 0, 0, 0, 0xcd, 0x80]);
  const size = 84 + code.length;
  const header = Buffer.alloc(84);
  header.write('\x7fELF\x01\x01\x01', 'latin1');
  // e_type, e_machine, e_ehsize, e_phentsize, e_phnum
  const shorts = { 16: 2, 18: 3, 40: 52, 42: 32, 44: 1 };
  for (const [offset, value] of Object.entries(shorts)) header.writeUInt16LE(value, Number(offset));
  const base = 0x8048000;
  // e_version, e_entry, e_phoff; PT_LOAD at 52: p_type, p_vaddr, p_paddr, p_filesz, p_memsz, p_flags, p_align
  const segment = { 52: 1, 60: base, 64: base, 68: size, 72: size, 76: 5, 80: 4096 };
  const words = { 20: 1, 24: base + 84, 28: 52, ...segment };
  for (const [offset, value] of Object.entries(words)) header.writeUInt32LE(value, Number(offset));
  return Buffer.concat([header, code]);
}

/** open(2): a file without a name, that nobody has to remove. */
const O_TMPFILE = 0o20200000;

/** True where the kernel refuses the format, and not the file system the right to execute. */
function refusesFormat(): boolean {
  const writable = openSync('/tmp', constants.O_RDWR | O_TMPFILE, 0o700);
  let readable: number;
  try {
    writeSync(writable, smallestProgram());
    readable = openSync(`/proc/self/fd/${writable}`, 'r');
  } finally {
    closeSync(writable); // what is open for writing cannot be executed
  }
  try {
    const ended = runProgramNow(`/proc/${process.pid}/fd/${readable}`, [], { env: {}, timeout: 5000 });
    if (ended.failure !== undefined) return ended.failure === 'ENOEXEC';
    return ended.status !== undefined && ended.status !== OWN_STATUS;
  } finally {
    closeSync(readable);
  }
}

let runs: boolean | undefined;

/**
 * Whether this kernel, of a 64-bit machine, runs 32-bit programs for x86: asked by starting one, since it may be built
 * for them and yet be told not to, or run where the processor is not. True where nobody can tell.
 */
export function runs32BitPrograms(): boolean {
  try {
    runs ??= !refusesFormat();
  } catch {
    runs = true;
  }
  return runs;
}
