// What the kernel says of the processor → the x86-64 levels that a library may demand.
import { readFileSync } from 'node:fs';

/** Flags of /proc/cpuinfo by the level that brings them (x86-64 psABI, "Micro-architecture levels"); bits of x86 ISA notes. */
const LEVELS: readonly (readonly [bit: number, flags: readonly string[]])[] = [
  [1, ['cmov', 'cx8', 'fpu', 'fxsr', 'mmx', 'sse', 'sse2']],
  [2, ['cx16', 'lahf_lm', 'popcnt', 'pni', 'sse4_1', 'sse4_2', 'ssse3']],
  [4, ['avx', 'avx2', 'bmi1', 'bmi2', 'f16c', 'fma', 'abm', 'movbe', 'xsave']],
  [8, ['avx512f', 'avx512bw', 'avx512cd', 'avx512dq', 'avx512vl']],
];

/** GNU_PROPERTY_X86_ISA_1_BASELINE, which every x86-64 processor has; 0 is a library that demands nothing. */
const BASELINE = 1;

/** The bits of GNU_PROPERTY_X86_ISA_1_NEEDED that a processor with these flags covers; each level has those below it. */
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

/** Where the kernel does not tell, nothing is ruled out: the proof has the last word. */
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
