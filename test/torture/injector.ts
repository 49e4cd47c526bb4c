// C sources → the programs of the torture that run in a root.
import { execFileSync } from 'node:child_process';
import path from 'node:path';

const PROGRAMS = path.join(import.meta.dirname, 'programs');
/** Where a root has it whose `/opt/torture` is a directory with it. */
export const INJECTOR = '/opt/torture/inject-at-call';
/** The same for the program that tells one state from another. */
export const DIGEST = '/opt/torture/digest-of-trees';

/** Puts both into a directory. */
export function buildInjector(directory: string): void {
  for (const name of [INJECTOR, DIGEST].map((file) => path.basename(file))) {
    const source = path.join(PROGRAMS, `${name}.c`);
    execFileSync('gcc', ['-O1', '-static', '-o', path.join(directory, name), source]);
  }
}
