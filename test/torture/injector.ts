// C source → the program of the torture that runs in a root and does something to another one's calls; what it says.
import { execFileSync } from 'node:child_process';
import path from 'node:path';

/** Sources in C. */
export const PROGRAMS = path.join(import.meta.dirname, 'programs');
/** Where a root has it whose `/opt/torture` is a directory with it. */
export const INJECTOR = '/opt/torture/inject-at-call';

/** Puts it into a directory. */
export function buildInjector(directory: string): void {
  const name = path.basename(INJECTOR);
  const source = path.join(PROGRAMS, `${name}.c`);
  execFileSync('gcc', ['-O1', '-static', '-o', path.join(directory, name), source]);
}

/** Its last line of standard error. */
export const SAID = /^inject: \d+ (.*)\n/m;
/** It could not do its work (inject-at-call.c): no work ends so. */
const FAILED = [94, 95, 96, 97, 98, 99];

/** `NAME PATH` of the call that something happened at, or nothing. @throws where the injector itself failed */
export function callAt({ status, stderr }: { readonly status: number; readonly stderr: string }): string {
  const [, at] = SAID.exec(stderr) ?? [];
  if (at === undefined || FAILED.includes(status))
    throw new Error(`the injector failed: ${status} ${stderr}`);
  return at.trim();
}
