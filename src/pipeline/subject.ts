// A program → what the later stages need of it when it is dynamic and foreign.
import { type Libc, libcOf } from '../candidates/libc.ts';
import type { Program } from '../candidates/program.ts';
import type { ElfFile } from '../elf/elf-file.ts';
import { rootLink } from '../fingerprint/records.ts';
import { planKey } from '../launch/plan-key.ts';
import type { Place } from '../platform/places.ts';

export interface Dynamic {
  readonly program: Program;
  readonly elf: ElfFile;
  readonly libc: Libc;
  /** PT_INTERP. */
  readonly interpreter: string;
}

/** Undefined for what is started directly: static programs, scripts, programs built by Nix, AppImages. */
export function dynamicOf(program: Program): Dynamic | undefined {
  const { kind } = program;
  if (kind.kind !== 'dynamic' || program.appImage !== undefined) return undefined;
  return { program, elf: kind.file, libc: libcOf(kind.file, kind.libc), interpreter: kind.interpreter };
}

/** The root link of a program's place. */
export function rootFile(place: Place, sha256: string, program: Program): string {
  return rootLink(place, sha256, planKey(program.path));
}
