// A shared library of another Linux → the loader and the directories by which a program would load it. Writes nothing.
import path from 'node:path';
import { isMarkedAsProgram } from '../elf/classify.ts';
import type { ElfFile } from '../elf/elf-file.ts';
import { ET_DYN } from '../elf/gabi.ts';
import { findMachine } from '../elf/machine.ts';
import { elfFileAt } from '../elf/open-elf.ts';
import { identityOf } from '../host/file-identity.ts';
import { libcOf } from '../program/libc.ts';
import { unprovidedNames } from '../solver/explain-conflict.ts';
import type { Solution } from '../solver/solution.ts';
import { withStore } from '../store/open-catalogue.ts';
import { conflictError } from './conflict-error.ts';
import type { Context } from './context.ts';
import type { DynamicProgram } from './job.ts';
import { solveProgram } from './solve-program.ts';
import { inWritableDirectories } from './writable-directories.ts';

interface LibrarySet {
  readonly loader: string;
  /** With colons between. */
  readonly libraryPath: string;
}

/** What would start a program of the machine is what loads its libraries. */
function asProgram(file: string, elf: ElfFile, interpreter: string): DynamicProgram {
  const kind = { kind: 'dynamic', file: elf, interpreter, libc: 'glibc' } as const;
  const libc = libcOf(elf, 'glibc');
  return { typedName: file, path: file, identity: identityOf(file), size: 0, kind, elf, libc, interpreter };
}

function setOf({ loader, choices }: Solution): LibrarySet {
  const own = choices.map(({ provider }) => path.dirname(path.join(provider.storePath, provider.file)));
  return { loader: loader.path, libraryPath: [...new Set([...own, path.dirname(loader.path)])].join(':') };
}

/** The set of a file; undefined where it is no library that asks for libraries. The same for one of the store. */
export async function librarySet(file: string, context: Context): Promise<LibrarySet | undefined> {
  const elf = elfFileAt(file);
  const machine = elf && findMachine(elf);
  if (machine === undefined || elf?.type !== ET_DYN || !elf.dynamic) return undefined;
  if (elf.interpreter !== undefined || isMarkedAsProgram(elf)) return undefined;
  const program = asProgram(file, elf, machine.interpreter);
  return await inWritableDirectories(context.host.uid, (dirs) =>
    withStore(dirs.catalogues, context.location, (catalogue): LibrarySet => {
      const { problem, outcome, closest } = solveProgram(program, catalogue, new Set());
      if (outcome.kind === 'solution') return setOf(outcome);
      const missing = unprovidedNames(problem);
      throw conflictError(program, outcome, { missing, catalogue, closest });
    }),
  );
}
