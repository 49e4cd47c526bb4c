// What is to be simulated: a program, the loader that gets it, and what the loader was told.
import type { ElfFile } from '../elf/elf-file.ts';
import type { LoaderFiles } from './loader-files.ts';

export interface SimulationRequest {
  readonly program: Program;
  readonly loader: Loader;
  /** LD_LIBRARY_PATH or `--library-path`; empty for none. */
  readonly libraryPath: string;
  /** Names or paths, as LD_PRELOAD lists them; the loader's own preload file is the caller's to read. */
  readonly preload?: readonly string[];
  readonly files: LoaderFiles;
  /** What a library that is nowhere does: end the start, or be noted as by LD_TRACE_LOADED_OBJECTS (glibc only). */
  readonly onMissing?: 'stop' | 'note';
}

export interface Program {
  /** As given to ld.so. */
  readonly path: string;
  /** glibc before 2.42 takes $ORIGIN from `path`, later ones from this; `path` where it is left out. */
  readonly realPath?: string;
  readonly elf: ElfFile;
}

export interface Loader {
  readonly libc: 'glibc' | 'musl';
  /** The path it is run by. */
  readonly path: string;
  readonly elf: ElfFile;
  readonly settings: LoaderSettings;
}

/** What was built into a loader or found out by it about the processor. */
export interface LoaderSettings {
  /** E.g. [2, 36]. */
  readonly version: readonly number[];
  /** Directories searched last, without slashes at their end. musl: those of its `.path` file where there is one. */
  readonly defaultDirectories: readonly string[];
  /** hwcaps subdirectories of every searched directory in the order they are tried, e.g. `glibc-hwcaps/x86-64-v3`. */
  readonly subdirectories: readonly string[];
  /** $LIB, $PLATFORM; undefined where it has none. */
  readonly lib: string | undefined;
  readonly platform: string | undefined;
}

/** Whether the loader is of `major.minor` or later. */
export function isAtLeast(settings: LoaderSettings, major: number, minor: number): boolean {
  const [ownMajor = 0, ownMinor = 0] = settings.version;
  return ownMajor > major || (ownMajor === major && ownMinor >= minor);
}
