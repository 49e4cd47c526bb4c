// What a simulated start gives: every object in load order, why it is that one, and what ld.so says.
import type { ElfFile } from '../../elf/elf-file.ts';
import type { Errno } from './request.ts';

export interface LoadTrace {
  /** In the order of ld.so's list of objects, the program first unless a filter of its own stands before it. */
  readonly objects: readonly TracedObject[];
  /** In ld.so's order. */
  readonly errors: readonly LoaderError[];
  readonly warnings: readonly LoaderWarning[];
  /** Exit status of a start that fails; 0 when the loader would hand over to the program. */
  readonly status: number;
  /** Exit status of `--list`: 0 even for a missing version. */
  readonly listStatus: number;
}

export interface TracedObject {
  /** The name or path it was first requested by. */
  readonly name: string;
  /** The path it was opened by; undefined for a library that is nowhere. */
  readonly path: string | undefined;
  readonly elf: ElfFile | undefined;
  readonly role: 'program' | 'loader' | 'library';
  /** 0 for the program, else one more than that of the first requester. */
  readonly depth: number;
  readonly found: Finding;
  /** The hwcaps subdirectory it was found in. */
  readonly hwcaps: string | undefined;
  /** What was tried before, in order. */
  readonly tried: readonly OpenAttempt[];
  /** Every request that this object answered, the one that loaded it first. */
  readonly requests: readonly ObjectRequest[];
}

/** How a file was found, when it was opened. */
export type Finding =
  | { readonly by: 'program' | 'interpreter' | 'slash name' | 'library path' | 'default directory' }
  /** `of`: the path of the object whose run path it is. */
  | { readonly by: 'rpath' | 'runpath'; readonly of: string }
  | { readonly by: 'nowhere' };

/** One entry of DT_NEEDED, DT_FILTER or DT_AUXILIARY, or one preload. */
export interface ObjectRequest {
  /** After $ORIGIN and the like were replaced. */
  readonly name: string;
  /** Path of the requester. */
  readonly from: string;
  readonly kind: RequestKind;
  /** How the request ended at this object. */
  readonly how: 'opened' | AlreadyLoaded;
}

export type RequestKind = 'needed' | 'filter' | 'auxiliary' | 'preload';

/** Why no file was searched for, or why the file found was not loaded again. */
export type AlreadyLoaded = 'loaded by path' | 'loaded by name' | 'loaded by soname' | 'loaded by inode';

/** A path that was looked at and not taken. */
export interface OpenAttempt {
  readonly path: string;
  readonly why: 'wrong class' | 'wrong machine' | Errno;
}

export interface LoaderError {
  /** `start`: after the list of objects is complete, so `--list` does not show it. */
  readonly stage: 'load' | 'versions' | 'start';
  readonly kind: 'missing' | 'refused' | 'version' | 'inconsistent' | 'relr' | 'isa level';
  /** Path or name of the object that the message is about; a requested name where nothing was found. */
  readonly about: string;
  /** Path of the object that needs it. */
  readonly neededBy: string | undefined;
  /** ld.so's own words, without the program's name in front. */
  readonly message: string;
  /** Where a library that is nowhere was looked for, in order. */
  readonly searched?: readonly Searched[];
  /** What was met there and passed over. */
  readonly tried?: readonly OpenAttempt[];
}

/** One list of directories, and by which rule it is searched. */
export interface Searched {
  readonly found: Finding;
  readonly directories: readonly string[];
}

export interface LoaderWarning {
  readonly kind:
    | 'no versions'
    | 'weak version'
    | 'not preloaded'
    | 'auditor'
    | 'unversioned provider'
    | 'relative relocations';
  readonly about: string;
  readonly neededBy: string | undefined;
  readonly message: string;
}

/** E.g. `the runpath of /vendor/lib/liba.so.1`. `nameOf` shortens the path of the object whose run path it is. */
export function findingText(found: Finding, nameOf: (path: string) => string = (path) => path): string {
  switch (found.by) {
    case 'rpath':
    case 'runpath':
      return `the ${found.by} of ${nameOf(found.of)}`;
    case 'default directory':
      return "the loader's default directories";
    case 'slash name':
      return 'its path';
    case 'library path':
      return 'the library path';
    case 'interpreter':
      return 'the interpreter';
    case 'program':
      return 'the program';
    case 'nowhere':
      return 'nowhere';
  }
}
