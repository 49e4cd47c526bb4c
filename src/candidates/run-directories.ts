// An object's rpath or runpath → the directories it searches itself, as paths of the file system.
import path from 'node:path';
import type { ElfFile } from '../elf/elf-file.ts';
import { runPathDirectories, type TokenValues } from '../elf/run-path.ts';

/** ELF strings are kept as latin1 so that no byte is lost; paths of the file system are UTF-8 here. */
export function pathOfElfString(text: string): string {
  return Buffer.from(text, 'latin1').toString('utf8');
}

/**
 * `$ORIGIN` is the directory of the path the object is opened by; `$LIB` and `$PLATFORM` are `lib` and `x86_64`, as
 * nixpkgs' glibc and a plain CPU have them.
 */
export function tokensOf(openedAs: string): TokenValues {
  return { origin: path.dirname(openedAs), lib: 'lib', platform: 'x86_64' };
}

/** The directories of one run path. */
export function runDirectories(runPath: string | undefined, openedAs: string): string[] {
  if (runPath === undefined) return [];
  return runPathDirectories(pathOfElfString(runPath), tokensOf(openedAs));
}

/** DT_RPATH, where it counts: ld.so ignores it in an object that has DT_RUNPATH too (glibc elf/get-dynamic-info.h). */
export function effectiveRpath(elf: Pick<ElfFile, 'rpath' | 'runpath'>): string | undefined {
  return elf.runpath === undefined ? elf.rpath : undefined;
}

/** True when an object reaches its neighbours by its own place, so it must be opened where it lies. */
export function usesOrigin(elf: Pick<ElfFile, 'rpath' | 'runpath'>): boolean {
  return /\$(ORIGIN|\{ORIGIN\})/.test(elf.runpath ?? elf.rpath ?? '');
}
