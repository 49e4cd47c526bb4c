// C source → the program of the torture that runs in a root and does something to another one's calls.
import { execFileSync } from 'node:child_process';
import path from 'node:path';

const PROGRAMS = path.join(import.meta.dirname, 'programs');
/** Where a root has it whose `/opt/torture` is a directory with it. */
export const INJECTOR = '/opt/torture/inject-at-call';

/** Puts it into a directory. */
export function buildInjector(directory: string): void {
  const name = path.basename(INJECTOR);
  const source = path.join(PROGRAMS, `${name}.c`);
  execFileSync('gcc', ['-O1', '-static', '-o', path.join(directory, name), source]);
}
