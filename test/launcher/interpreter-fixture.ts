// The workshop's launcher as PT_INTERP of small programs, with plans that name the machine's own loader.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { compile, type Workshop } from './launcher-fixture.ts';
import { planText, putPlan } from './plan-fixture.ts';

/** This machine's glibc. */
export const LOADER = realpathSync('/lib64/ld-linux-x86-64.so.2');

/** Compiles programs/NAME.c so that the kernel enters `interpreter`, the launcher if it is left out, for it. */
export function compileEntered(
  workshop: Workshop,
  name: string,
  flags: readonly string[] = [],
  interpreter = workshop.launcher,
): string {
  return compile(workshop, name, [
    `-Wl,--dynamic-linker=${interpreter}`,
    '-w',
    '-Wl,--no-as-needed',
    ...flags,
  ]);
}

/** Compiles programs/NAME.c to a library in a directory of its own; returns its file. */
export function compileLibrary(workshop: Workshop, name: string, flags: readonly string[] = []): string {
  const directory = mkdtempSync(path.join(workshop.directory, `${name}-`));
  const file = path.join(directory, `lib${name}.so.1`);
  const source = path.join(import.meta.dirname, 'programs', `${name}.c`);
  const words = ['-g', '-shared', '-fPIC', `-Wl,-soname,${path.basename(file)}`, ...flags];
  execFileSync('cc', [...words, '-o', file, source]);
  return file;
}

/** Makes a plan for a program: its loader, and the directory that is searched first. */
export function plan(
  workshop: Workshop,
  program: string,
  libraries: string,
  loader = LOADER,
  more: readonly string[] = [],
): void {
  const records = [`l${loader}`, `b${libraries}`, ...more];
  putPlan(workshop.place, program, planText(program, records));
}
