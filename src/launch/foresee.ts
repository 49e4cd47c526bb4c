// A program, a loader and a library path → what that loader will load and why, without starting the program.
import type { Libc } from '../candidates/libc.ts';
import type { Program } from '../candidates/program.ts';
import type { ElfFile } from '../elf/elf-file.ts';
import type { LoadTrace } from '../loader/load-trace.ts';
import type { Loader } from '../loader/loader-request.ts';
import { simulate } from '../loader/simulate.ts';
import { loaderFactsOf, muslDirectoriesOf } from '../store/loader-facts.ts';
import { elfFileAt } from '../store/read-elf-file.ts';
import { filesOfMachine } from './loader-files.ts';
import { readableTrace } from './readable-trace.ts';

/** Path with no links in it, and what is in the file. */
export type Foreseen = Pick<Program, 'path'> & { readonly elf: ElfFile };

function loaderAt(file: string, libc: Libc, interpreter: string | undefined): Loader | undefined {
  const elf = elfFileAt(file);
  if (elf === undefined) return undefined;
  if (libc.kind === 'glibc') {
    const settings = loaderFactsOf(file);
    return settings && { libc: 'glibc', path: rawText(file), elf, settings };
  }
  const architecture = /^ld-musl-(.+)\.so\.1$/.exec(libc.loaderName)?.[1] ?? '';
  const defaultDirectories = muslDirectoriesOf(interpreter ?? file, architecture);
  const builtIn = { version: [], subdirectories: [], lib: undefined, platform: undefined };
  return { libc: 'musl', path: rawText(file), elf, settings: { ...builtIn, defaultDirectories } };
}

/** The simulation sees paths as bytes. */
function rawText(text: string): string {
  return Buffer.from(text).toString('latin1');
}

/**
 * Simulates `loaderFile --inhibit-cache --library-path libraryPath PROGRAM` on the files that are there now; the farm
 * must have been made. A glibc loader is asked once which directories it searches; the program is not shown to it.
 * Total: a loader that does not answer, or is none, is an error in the trace. Paths in the trace are ordinary text.
 */
export function foresee(program: Foreseen, libc: Libc, loaderFile: string, libraryPath: string): LoadTrace {
  const loader = loaderAt(loaderFile, libc, program.elf.interpreter);
  if (loader === undefined) return noLoader(loaderFile);
  const trace = simulate({
    program: { path: rawText(program.path), elf: program.elf },
    loader,
    libraryPath: rawText(libraryPath),
    files: filesOfMachine(),
  });
  return readableTrace(trace);
}

function noLoader(file: string): LoadTrace {
  const message = `${file}: does not tell which directories it searches`;
  const error = { stage: 'load', kind: 'refused', about: file, neededBy: undefined, message } as const;
  return { objects: [], errors: [error], warnings: [], status: 127, listStatus: 127 };
}
