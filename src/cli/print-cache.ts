// `nix-foreign print-cache PID`: what `ldconfig -p` prints in a view for that process, in the format of glibc's.
// `print-cache libc`: what `ldd --version` prints there.
import { cacheFlagsOf } from '../elf/machine.ts';
import type { Context } from '../resolve/context.ts';
import { newestGlibc, type OfferedLibrary, offeredLibraries } from '../resolve/offered-libraries.ts';

function lineOf({ name, file, machine }: OfferedLibrary): string {
  return `\t${name} (${cacheFlagsOf(machine)}) => ${file}\n`;
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
