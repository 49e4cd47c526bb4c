// `nix-foreign ldd PROGRAM...`: what the loader of its plan would load, in the words of glibc's ldd(1).
import { realpathSync } from 'node:fs';
import { trustedSystemDirectories } from '../host/directories.ts';
import { isFile } from '../host/files.ts';
import { printJson, printLine, reportFailure } from '../host/output.ts';
import { type ListOutput, listedText, parseListOutput } from '../ldso/ask-loader.ts';
import { listWithPlainNames } from '../ldso/list-objects.ts';
import { planWithLoader } from '../plan/plan-files.ts';
import { inspectProgram, requireReadable } from '../program/inspect-program.ts';
import type { PlainNames } from '../program/needed-paths.ts';
import type { Context } from '../resolve/context.ts';
import { type DynamicProgram, dynamicOf, verdictOf } from '../resolve/job.ts';
import { librarySet } from '../resolve/library-set.ts';
import { allDirectories } from '../resolve/writable-directories.ts';
import { jsonFailure } from './command.ts';
import { namedProgram } from './program-argument.ts';
import { resolve } from './resolve.ts';

interface Listed extends ListOutput {
  readonly text: string;
  /** Of the loader, as far as it is known. */
  readonly status: number;
}

const NOT_DYNAMIC: Listed = {
  text: '\tnot a dynamic executable',
  objects: [],
  complaints: ['not a dynamic executable'],
  status: 1,
};

function listBy(loader: string, libraryPath: string, program: string): Listed {
  const { stdout, stderr, status } = listedText({ loader, libraryPath, program });
  return {
    ...parseListOutput(stdout, stderr, program),
    text: [stdout, stderr]
      .map((each) => each.trimEnd())
      .filter(Boolean)
      .join('\n'),
    status: status ?? 1,
  };
}

/** Where something leads from a needed path to the plain name, as in the view or the copy that starts it. */
async function listByPlainNames(
  { loader, libraryPath = '' }: { readonly loader: string; readonly libraryPath?: string },
  program: DynamicProgram & { readonly plainNames: PlainNames },
  context: Context,
): Promise<Listed> {
  const { libc, path: file } = program;
  const request = { loader, libc: libc.kind, libraryPath, program: file };
  const listed = await listWithPlainNames(request, libc, verdictOf(program, context), program);
  const lines = listed.objects.map(({ name, path: found = 'not found' }) => `\t${name} => ${found}`);
  return {
    ...listed,
    text: [...lines, ...listed.complaints].join('\n'),
    status: listed.complaints.length > 0 ? 1 : 0,
  };
}

async function listProgram(typedName: string, context: Context): Promise<Listed> {
  const file = inspectProgram(typedName, context.host);
  const { kind, path: program } = file;
  if (kind.kind === 'already-nix') return listBy(kind.interpreter, '', program);
  if (kind.kind !== 'dynamic') return NOT_DYNAMIC;
  const plan = await resolve(typedName, context, 'as-needed');
  const all = [...(await allDirectories(context.host.uid)), trustedSystemDirectories() ?? []].flat();
  const { loader, libraryPath = '' } = planWithLoader(all, plan);
  if (loader === undefined) return NOT_DYNAMIC;
  const dynamic = dynamicOf(file);
  const { plainNames } = dynamic ?? {};
  return dynamic === undefined || plainNames === undefined
    ? listBy(loader, libraryPath, program)
    : await listByPlainNames({ loader, libraryPath }, { ...dynamic, plainNames }, context);
}

async function listOf(typedName: string, context: Context): Promise<Listed> {
  // What is no file is no program either, and inspectProgram says why.
  if (!isFile(typedName)) return await listProgram(typedName, context);
  if (requireReadable(typedName).kind === 'not-elf') return NOT_DYNAMIC;
  const file = realpathSync(typedName);
  const library = await librarySet(file, context);
  if (library !== undefined) return listBy(library.loader, library.libraryPath, file);
  return await listProgram(typedName, context);
}

/** A path is null where the loader finds none. */
const rowOf = (program: string, { objects, complaints, status }: Listed) => ({
  program,
  objects: objects.map(({ name, path: file }) => ({ name, path: file ?? null })),
  complaints,
  status,
});

type Row = ReturnType<typeof rowOf> & Partial<ReturnType<typeof jsonFailure>>;

async function rowFor(typedName: string, show: (text: string) => void, context: Context): Promise<Row> {
  try {
    const listed = await listOf(namedProgram(typedName, context), context);
    show(listed.text);
    return rowOf(typedName, listed);
  } catch (error) {
    const status = reportFailure(error);
    return { program: typedName, objects: [], complaints: [], status, ...jsonFailure(error) };
  }
}

/** Prints what each loads; the exit status, 1 where one of them loads nothing. */
export async function lddCommand(
  programs: readonly string[],
  format: 'text' | 'json',
  context: Context,
): Promise<number> {
  const show = format === 'json' ? () => {} : printLine;
  const rows: Row[] = [];
  for (const typedName of programs) {
    if (programs.length > 1) show(`${typedName}:`);
    rows.push(await rowFor(typedName, show, context));
  }
  if (format === 'json') printJson(rows);
  return Math.max(0, ...rows.map(({ status, error }) => (error === undefined && status !== 0 ? 1 : status)));
}
