// What is to be simulated: a program, its loader, what the loader was told, and the file system as it sees it.
import type { ElfFile } from '../../elf/elf-file.ts';

export interface SimulationRequest {
  readonly program: StartedProgram;
  readonly loader: Loader;
  /** LD_LIBRARY_PATH or `--library-path`; empty for none. */
  readonly libraryPath: string;
  /** Names or paths, as LD_PRELOAD lists them; the loader's own preload file is the caller's to read. */
  readonly preload?: readonly string[];
  readonly files: LoaderFiles;
  /** What a library that is nowhere does: end the start, or be noted as by LD_TRACE_LOADED_OBJECTS (glibc only). */
  readonly onMissing?: 'stop' | 'note';
}

interface StartedProgram {
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

/** What open(2) and the first bytes give. */
export type Probe =
  | {
      readonly kind: 'elf';
      readonly elf: ElfFile;
      /** Device and inode, e.g. `2049:131`: two paths with the same one are the same object to ld.so. */
      readonly identity: string;
    }
  /** ELF by its magic, but broken. `why` is one clause of our own; size in bytes. */
  | { readonly kind: 'bad-elf'; readonly why: string; readonly size: number; readonly identity: string }
  /** Opens, but is no ELF: a linker script, an empty file; size in bytes. */
  | { readonly kind: 'not-elf'; readonly size: number; readonly identity: string }
  | { readonly kind: 'directory' }
  /** open(2) failed. */
  | { readonly kind: 'unopened'; readonly errno: Errno };

/** Errnos by which the search goes on or ends, and by which it words its last message. */
export type Errno =
  | 'ENOENT'
  | 'EACCES'
  | 'ENOTDIR'
  | 'ELOOP'
  | 'ENAMETOOLONG'
  | 'EPERM'
  | 'EIO'
  | 'ENXIO'
  | 'EMFILE'
  | 'ENFILE'
  | 'EINVAL'
  | 'ENOMEM'
  | 'EISDIR';

/** Paths are latin1 text, as in ElfFile; relative ones are seen from the working directory. */
export interface LoaderFiles {
  probe(path: string): Probe;
  /** stat(2) works and says directory. */
  isDirectory(path: string): boolean;
  /** Absolute. */
  readonly workingDirectory: string;
}
