// C text → a real ELF file where a test wants it.
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';

/** Compiles with the machine's C compiler. `flags` come after the source, so they may name libraries. */
export function compile(output: string, source: string, flags: readonly string[] = []): string {
  mkdirSync(path.dirname(output), { recursive: true });
  execFileSync('cc', ['-x', 'c', '-o', output, '-', '-x', 'none', ...flags], { input: source });
  return output;
}

/** A shared library that answers to `soname`, for programs to be linked with. */
export function compileLibrary(
  output: string,
  soname: string,
  source: string,
  flags: readonly string[] = [],
): string {
  return compile(output, source, ['-shared', '-fPIC', `-Wl,-soname,${soname}`, ...flags]);
}
