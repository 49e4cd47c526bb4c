// A program that is dynamic and foreign → the job of resolving it: all that the steps of a miss are told.
import { readChoices, type SavedChoices } from '../choices/choices-file.ts';
import type { ElfFile } from '../elf/elf-file.ts';
import type { RootAdders } from '../fingerprint/save-and-pin.ts';
import { rootLink } from '../fingerprint/saved-fingerprints.ts';
import type { Directories } from '../host/directories.ts';
import { identityOf } from '../host/file-identity.ts';
import { type Verdict, verdictFor } from '../ldso/list-objects.ts';
import { type LaunchPlan, planKey } from '../plan/plan-format.ts';
import type { RunTimeRecord } from '../plan/run-time-record.ts';
import type { ProgramFile } from '../program/inspect-program.ts';
import { type Libc, libcOf } from '../program/libc.ts';
import { type PlainNames, plainNamesOf, withPlainNames } from '../program/needed-paths.ts';
import type { Context } from './context.ts';
import type { FetchBudget } from './fetch-rounds.ts';
import { allDirectories } from './writable-directories.ts';

/** A program whose libraries are ours to find: dynamically linked, and built for another Linux. */
export interface DynamicProgram extends ProgramFile {
  readonly elf: ElfFile;
  readonly libc: Libc;
  /** PT_INTERP. */
  readonly interpreter: string;
  /** Name → file outside the store that the user added (choices/choices.ts). */
  readonly added?: ReadonlyMap<string, string>;
  /** What it needs by a path where nothing is; `elf` has the plain names. */
  readonly plainNames?: PlainNames;
}

/** `as-needed` takes a plan that still holds; `rehash` reads the content again; `refresh` solves again. */
export type ResolveMode = 'as-needed' | 'rehash' | 'refresh';

/** One program that is being resolved, and where the result goes. */
export interface Job {
  readonly program: DynamicProgram;
  /** Of the program's bytes, in hexadecimal digits. */
  readonly sha256: string;
  readonly context: Context;
  readonly dirs: Directories;
  readonly mode: ResolveMode;
  /** What the user chose by hand for this program. */
  readonly choices: SavedChoices | undefined;
  readonly rootAdders: RootAdders;
  readonly budget: FetchBudget;
  /** What the program opened in earlier starts. */
  readonly learned?: Pick<RunTimeRecord, 'names' | 'plugIns'> | undefined;
  /** A set whose libc does not serve a driver that the program opens is not taken; else it is told. */
  readonly unservedDrivers?: 'refused';
}

/** What came of one try to resolve a program. */
export type Resolution =
  | { readonly kind: 'planned'; readonly plan: LaunchPlan }
  /** The program was replaced, written or touched meanwhile: what is known of it is of another file. */
  | { readonly kind: 'changed' };

/** A set was not taken, since its libc does not serve a driver. */
export interface Unserving {
  readonly kind: 'unserving';
  /** A clause. */
  readonly why: string;
}

/** Such a set, for where no other serves the driver. */
export interface LastResort extends Unserving {
  /** The plan by it all the same; undefined where it does not serve the program either. */
  readonly anyway: () => Promise<Resolution | undefined>;
  /** What is said where another set is taken. */
  readonly farewell?: string;
}

/** Whether the file is another than the one that was inspected; also where it is gone. */
export function hasChanged(program: Pick<ProgramFile, 'path' | 'identity'>): boolean {
  try {
    return identityOf(program.path) !== program.identity;
  } catch {
    return true;
  }
}

/** Undefined for what is started directly: static programs, scripts, programs built by Nix, AppImages. */
export function dynamicOf(file: ProgramFile): DynamicProgram | undefined {
  const { kind } = file;
  if (kind.kind !== 'dynamic' || file.appImage !== undefined) return undefined;
  const libc = libcOf(kind.file, kind.libc);
  const plainNames: PlainNames = libc.kind === 'glibc' ? plainNamesOf(kind.file) : new Map();
  const elf = withPlainNames(kind.file, plainNames);
  return { ...file, elf, libc, interpreter: kind.interpreter, ...(plainNames.size > 0 && { plainNames }) };
}

/**
 * Who says whether a set is right for the program: its loader, or where that could run code of others the simulation.
 */
export function verdictOf(program: DynamicProgram, { host, isStart }: Context): Verdict {
  return verdictFor(program, { uid: host.uid, isStart });
}

/** The GC root link of a program's fingerprint. */
export function rootOf({ dirs, sha256, program }: Pick<Job, 'dirs' | 'sha256' | 'program'>): string {
  return rootLink(dirs, sha256, planKey(program.path));
}

/** Looks in all directories: choices hold although the plan may have to be written elsewhere today. */
export async function choicesOfProgram(
  program: ProgramFile,
  { host }: Context,
): Promise<SavedChoices | undefined> {
  return await readChoices(await allDirectories(host.uid), program.path, planKey(program.path));
}
