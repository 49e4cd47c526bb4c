// A program → what the later stages need of it when it is dynamic and foreign.
// A program → the choices kept for it, wherever they could be written.

import { type SavedChoices, readChoices } from '../choices/choices-file.ts';
import type { ElfFile } from '../elf/elf-file.ts';
import { rootLink } from '../fingerprint/saved-fingerprints.ts';
import type { Place } from '../host/directories.ts';
import { planKey } from '../plan/plan-format.ts';
import type { Program } from '../program/inspect-program.ts';
import { type Libc, libcOf } from '../program/libc.ts';
import type { Context } from './context.ts';
import { places } from './writable-directories.ts';

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

/** Looks in every place: choices hold although the plan may have to be written elsewhere today. */
export async function choicesOfProgram(
  program: Program,
  { host }: Context,
): Promise<SavedChoices | undefined> {
  return await readChoices(await places(host.uid), program.path, planKey(program.path));
}
