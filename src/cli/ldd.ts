// `nix-foreign ldd PROGRAM...`: what the loader of its plan would load, in the words of glibc's ldd(1).
import { existsSync, realpathSync } from 'node:fs';
import { elfFileAt } from '../elf/open-elf.ts';
import { printLine, reportFailure } from '../host/output.ts';
import { listedText } from '../ldso/ask-loader.ts';
import { inspectProgram } from '../program/inspect-program.ts';
import type { Context } from '../resolve/context.ts';
import { librarySet } from '../resolve/library-set.ts';
import { namedProgram } from './program-argument.ts';
import { resolve } from './resolve.ts';

interface Listed {
  readonly text: string;
  /** Of the loader, as far as it is known. */
  readonly status: number;
}

const NOT_DYNAMIC: Listed = { text: '\tnot a dynamic executable', status: 1 };

function listBy(loader: string, libraryPath: string, program: string): Listed {
  const { stdout, stderr, status } = listedText({ loader, libraryPath, program });
  return {
    text: [stdout, stderr]
      .map((each) => each.trimEnd())
      .filter(Boolean)
      .join('\n'),
    status: status ?? 1,
  };
}

async function listOf(typedName: string, context: Context): Promise<Listed> {
  if (existsSync(typedName) && elfFileAt(typedName) === undefined) return NOT_DYNAMIC;
  const library = existsSync(typedName) ? await librarySet(realpathSync(typedName), context) : undefined;
  if (library !== undefined) return listBy(library.loader, library.libraryPath, realpathSync(typedName));
  const { kind, path: program } = inspectProgram(typedName, context.host);
  if (kind.kind === 'already-nix') return listBy(kind.interpreter, '', program);
  if (kind.kind !== 'dynamic') return NOT_DYNAMIC;
  const { loader, libraryPath } = await resolve(typedName, context, 'as-needed');
  return loader === undefined ? NOT_DYNAMIC : listBy(loader, libraryPath ?? '', program);
}

/** Prints what each loads; the exit status, 1 where one of them loads nothing. */
export async function lddCommand(programs: readonly string[], context: Context): Promise<number> {
  let worst = 0;
  for (const typedName of programs) {
    if (programs.length > 1) printLine(`${typedName}:`);
    try {
      const { text, status } = await listOf(namedProgram(typedName, context), context);
      printLine(text);
      if (status !== 0) worst = 1;
    } catch (error) {
      worst = Math.max(1, reportFailure(error));
    }
  }
  return worst;
}
