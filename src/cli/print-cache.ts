// `nix-foreign print-cache PID`: what `ldconfig -p` prints in a view for that process, in the format of glibc's.
// `print-cache libc`: what `ldd --version` prints there.
import { findMachine, type MachineKey } from '../elf/machine.ts';
import type { Context } from '../resolve/context.ts';
import { newestGlibc, type OfferedLibrary, offeredLibraries } from '../resolve/offered-libraries.ts';

/** glibc elf/cache.c, print_entry; 32-bit x86 has no name there (sysdeps/generic/dl-cache.h). */
const FLAGS: ReadonlyMap<string, string> = new Map([
  ['x86_64-linux', 'libc6,x86-64'],
  ['aarch64-linux', 'libc6,AArch64'],
  ['armv7l-linux', 'libc6,hard-float'],
  ['riscv64-linux', 'libc6,double-float'],
]);

function flagsOf(machine: MachineKey): string {
  return FLAGS.get(findMachine(machine)?.system ?? '') ?? 'libc6';
}

function lineOf({ name, file, machine }: OfferedLibrary): string {
  return `\t${name} (${flagsOf(machine)}) => ${file}\n`;
}

export async function printCacheCommand(word: string, context: Context): Promise<void> {
  if (word === 'libc') {
    process.stdout.write(`ldd (GNU libc) ${(await newestGlibc(context)) ?? ''}`.trimEnd().concat('\n'));
    return;
  }
  const all = await offeredLibraries(Number(word), context);
  const first = `${all.length} libs found in cache \`/etc/ld.so.cache'\n`;
  process.stdout.write(first + all.map(lineOf).join(''));
}
