// The id of a process → what it has loaded, the library path that it was started with, and where it is.
import { readFileSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import type { ElfFile } from '../elf/elf-file.ts';
import { elfFileAt } from '../elf/open-elf.ts';
import { realPath } from '../host/files.ts';

export interface ProcessObjects {
  /** Of the store, in the order of their addresses; the file is the real one. */
  readonly store: readonly { readonly soname: string; readonly path: string }[];
  /** Real paths of its other files. */
  readonly elsewhere: readonly string[];
  /** Its ld.so; undefined where it cannot be told. */
  readonly loader: string | undefined;
}

/** `7f..-7f.. r-xp 00000000 fe:01 1234   /nix/store/...` (proc_pid_maps(5)); a removed file is none. */
function mappedFiles(processId: number): string[] {
  try {
    const lines = readFileSync(`/proc/${processId}/maps`, 'utf8').split('\n');
    const files = lines.flatMap((line) => /^\S+ \S+ \S+ \S+ \d+ +(\/.*)$/.exec(line)?.[1] ?? []);
    return [...new Set(files)].filter((file) => !file.endsWith(' (deleted)'));
  } catch {
    return [];
  }
}

/**
 * Of a process by its id. Total: where /proc cannot be read nothing is loaded. A file of the store without DT_SONAME is
 * left out.
 */
export function loadedObjectsOf(processId: number, storeDir: string): ProcessObjects {
  const files = mappedFiles(processId);
  const isOfStore = (file: string): boolean => file.startsWith(`${storeDir}/`);
  const store = files.filter(isOfStore).flatMap((file) => {
    const elf = elfFileAt(file);
    return elf?.soname === undefined ? [] : [{ soname: elf.soname, path: file }];
  });
  const loader = store.find(({ soname }) => /^ld-linux|^ld\.so|^ld64\.so/.test(soname));
  return { store, elsewhere: files.filter((file) => !isOfStore(file)), loader: loader?.path };
}

/** What the process has from outside the store, by each name that it answers to: ld.so looks no further for these. */
export function loadedElsewhere({ elsewhere }: ProcessObjects): ReadonlyMap<string, ElfFile> {
  return new Map(
    elsewhere.flatMap((file) => {
      const elf = elfFileAt(file);
      if (elf === undefined) return [];
      const names = [path.basename(file), ...(elf.soname ? [elf.soname] : [])];
      return names.map((name) => [name, elf] as const);
    }),
  );
}

/**
 * An object that the process has loaded: ld.so calls one that was opened by a relative path by just that (glibc,
 * elf/dl-object.c). Looked for from where the process is now; it may have gone elsewhere since. The same text where no
 * file, or more than one, can be meant.
 */
export function wholePathOf(processId: number, name: string, workingDirectory = '/'): string {
  if (name === '' || path.isAbsolute(name)) return name;
  const files = mappedFiles(processId);
  const fromHere = path.resolve(workingDirectory, name);
  if (files.includes(realPath(fromHere))) return fromHere;
  const end = path.normalize(name).replace(/^(?:\.\.\/)+/, '');
  const [only, ...others] = files.filter((file) => file.endsWith(`/${end}`));
  return only !== undefined && others.length === 0 ? only : name;
}

/** LD_LIBRARY_PATH as the process was started with it; undefined where there was none. */
export function libraryPathOf(processId: number): string | undefined {
  try {
    const entries = readFileSync(`/proc/${processId}/environ`, 'utf8').split('\0');
    const entry = entries.find((each) => each.startsWith('LD_LIBRARY_PATH='));
    return entry?.slice(entry.indexOf('=') + 1);
  } catch {
    return undefined;
  }
}

/** From where ld.so takes relative directories of LD_LIBRARY_PATH; undefined where it cannot be told. */
export function workingDirectoryOf(processId: number): string | undefined {
  try {
    return readlinkSync(`/proc/${processId}/cwd`);
  } catch {
    return undefined;
  }
}
