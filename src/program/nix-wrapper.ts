// A file of the store → the program that it executes in its place, where it is a wrapper that Nix made.
import { readFileSync, realpathSync, statSync } from 'node:fs';
import type { ElfFile } from '../elf/elf-file.ts';
import { elfFileAt } from '../elf/open-elf.ts';
import { readScriptLine } from '../elf/script-line.ts';
import { readStart } from '../host/files.ts';
import { storeObjectOf } from '../store/store-location.ts';

interface WrappedProgram {
  /** Without links. */
  readonly file: string;
  readonly elf: ElfFile;
  /** How many wrappers execute each other before it, the first included. */
  readonly wrappers: number;
}

/** Larger programs are none: nixpkgs' take 20 KB. In bytes. */
const LARGEST_WRAPPER = 1 << 18;
/** From file to file: wrappers execute wrappers, and scripts. The audit module counts up to 9 (audit/RUN-TIME.md). */
const MOST_STEPS = 10;

/** makeBinaryWrapper writes the command that made it into the file (nixpkgs, make-binary-wrapper.sh, docstring). */
const COMMAND = /\nmakeCWrapper '(\/[^'\0\n]+)'/;

/** Beside a preload there may be no module, and the launcher sees none that a wrapper adds (launcher/exec.c). */
const PRELOAD = /'LD_PRELOAD'/;

function executedByWrapper(file: string): string | undefined {
  if (statSync(file).size > LARGEST_WRAPPER) return undefined;
  const text = readFileSync(file, 'latin1');
  return PRELOAD.test(text) ? undefined : COMMAND.exec(text)?.[1];
}

/** A script of the store is executed by what its first line names. */
function interpreterOf(file: string): string | undefined {
  const line = readScriptLine(readStart(file, 256));
  return line.kind === 'script' ? line.interpreter : undefined;
}

function follow(start: string, storeDir: string): WrappedProgram | undefined {
  let [file, wrappers] = [start, 0];
  for (let step = 0; step < MOST_STEPS; step += 1) {
    const elf = elfFileAt(file);
    const next = elf === undefined ? interpreterOf(file) : executedByWrapper(file);
    if (next === undefined) return elf === undefined || wrappers === 0 ? undefined : { file, elf, wrappers };
    if (elf !== undefined) wrappers += 1;
    file = realpathSync.native(next);
    if (storeObjectOf(storeDir, file) === undefined) return undefined;
  }
  return undefined;
}

/** Undefined for what is no wrapper, or one of which it cannot be seen what it executes. */
export function programOfWrapper(file: string, storeDir: string): WrappedProgram | undefined {
  try {
    return follow(file, storeDir);
  } catch {
    return undefined;
  }
}
