// A proven set and the launcher → a patched copy of the program that the loader takes for the same, or why there is none.
import type { Program } from '../candidates/program.ts';
import { findMachine, sameMachine } from '../elf/machine.ts';
import { copiesDirectory } from '../launch/copies.ts';
import type { Proven } from '../launch/enact.ts';
import { inspectInterpreter } from '../launch/interpreter.ts';
import type { Place } from '../platform/places.ts';
import { elfFileAt } from '../store/read-elf-file.ts';
import { type CopyOutcome, makeCopy } from './make-copy.ts';
import { whyNotTheSame } from './prove-copy.ts';

export interface CopyWish {
  readonly program: Program;
  readonly sha256: string;
  readonly proven: Proven;
  readonly libc: 'glibc' | 'musl';
  /** Path of the launcher; undefined where it is not known. */
  readonly launcher: string | undefined;
  readonly place: Place;
  readonly searchPath: string | undefined;
}

/** Lengths of names, with their NUL, that a binfmt_misc rule takes for those of foreign programs (binfmt/rules.ts). */
const FOREIGN_LENGTHS = [19, 27, 28];

/** The copy must not be taken for a foreign program again: a slash more names the same file. */
export function unlikeForeign(launcher: string): string {
  return FOREIGN_LENGTHS.includes(Buffer.byteLength(launcher) + 1) ? unlikeForeign(`/${launcher}`) : launcher;
}

function whyUnusable(launcher: string | undefined, program: Program): string | undefined {
  if (launcher === undefined || inspectInterpreter(launcher).kind !== 'launcher')
    return 'there is no launcher that it could name as its interpreter';
  const own = elfFileAt(launcher);
  const machine = program.elf && findMachine(program.elf);
  if (own === undefined || machine === undefined || !sameMachine(own, machine))
    return 'the launcher is for another machine';
  return undefined;
}

/**
 * The copy names the launcher as its interpreter, so it carries nothing else: the launcher finds the plan of the copy,
 * and the libraries in it, even when the copy starts itself again with an empty environment.
 * @throws Node's errors when the place cannot be written.
 */
export function copyForPlan(wish: CopyWish): CopyOutcome {
  const { program, sha256, proven, libc, launcher = '', place, searchPath } = wish;
  const unusable = whyUnusable(wish.launcher, program);
  if (unusable !== undefined) return { kind: 'impossible', why: unusable };
  const interpreter = unlikeForeign(launcher);
  const copies = copiesDirectory(place);
  const outcome = makeCopy({ program, sha256, interpreter, copies, shared: place.shared, searchPath });
  if (outcome.kind === 'impossible') return outcome;
  const why = whyNotTheSame(outcome.file, proven, libc);
  return why === undefined ? outcome : { kind: 'impossible', why };
}

/** A static AppImage as an ordinary program: the copy is started where the program itself would come back to us. */
export function copyOfAppImage(
  program: Program,
  sha256: string,
  place: Place,
): Extract<CopyOutcome, { kind: 'copied' }> | undefined {
  const request = {
    program,
    sha256,
    interpreter: undefined,
    copies: copiesDirectory(place),
    shared: place.shared,
    searchPath: undefined,
  };
  const outcome = makeCopy(request);
  return outcome.kind === 'copied' ? outcome : undefined;
}
