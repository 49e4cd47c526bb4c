// A path → what ld.so meets when it opens that path: the file system as the simulation sees it.
import type { ElfFile } from '../elf/elf-file.ts';

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
