// `nix-foreign fingerprint export PROGRAM|DIRECTORY`: the documents that let others start the same programs without a
// search.
import path from 'node:path';
import { type Fingerprint, signedText } from '../../fingerprint/fingerprint.ts';
import { sidecarOf, TREE_NAME } from '../../fingerprint/sidecar.ts';
import { type SecretKey, signFingerprint } from '../../fingerprint/signature.ts';
import { treeText } from '../../fingerprint/tree-file.ts';
import { ForeignError, reasonOf } from '../../host/errors.ts';
import { filesBelow, isDirectory } from '../../host/files.ts';
import { notice, printJson, printOneLine } from '../../host/output.ts';
import { inspectProgram, type ProgramFile } from '../../program/inspect-program.ts';
import type { Context } from '../../resolve/context.ts';
import { forOriginal } from '../../resolve/for-original.ts';
import { dynamicOf } from '../../resolve/job.ts';
import { savedFingerprintOfProgram } from '../../resolve/program-fingerprint.ts';
import { writeByOurName, writeOutput } from '../output-file.ts';
import { namedProgram } from '../program-argument.ts';
import { usageError } from '../usage-error.ts';
import { readSecretKey } from './sign.ts';

interface ExportOptions {
  readonly output: string | undefined;
  readonly tree: boolean;
  readonly key: string | undefined;
  readonly json: boolean;
}

/** One program's document, or why it has none. */
interface Exported {
  readonly program: string;
  readonly file?: string;
  readonly failure?: ForeignError;
}

/** What another user chose by hand is not to look like choices of the reader's. */
function documentText({ choices: _, ...fingerprint }: Fingerprint, key: SecretKey | undefined): string {
  return signedText(fingerprint, key === undefined ? [] : [signFingerprint(fingerprint, key)]);
}

function foreignProgram(file: string, context: Context): ProgramFile | undefined {
  try {
    const program = inspectProgram(file, context.host);
    return dynamicOf(program) === undefined ? undefined : program;
  } catch (error) {
    if (error instanceof ForeignError && error.code === 'unreadable') notice(`skipped ${error.message}`);
    return undefined; // no program, or none that could be started
  }
}

/** Every program below a directory that a fingerprint would be for; links are not followed. */
function programsBelow(directory: string, context: Context): ProgramFile[] {
  const files = filesBelow(directory, (each, error) =>
    notice(`skipped ${each}: it cannot be listed: ${reasonOf(error)}`),
  );
  return [...files]
    .filter(({ kind }) => kind === 'file')
    .map(({ file }) => foreignProgram(file, context))
    .filter((program) => program !== undefined);
}

async function exportEach(
  programs: readonly string[],
  context: Context,
  take: (program: ProgramFile, fingerprint: Fingerprint) => string,
): Promise<Exported[]> {
  const exported: Exported[] = [];
  for (const typedName of programs) {
    try {
      const { program, saved } = await forOriginal(typedName, context, (name) =>
        savedFingerprintOfProgram(name, context),
      );
      exported.push({ program: typedName, file: take(program, saved.fingerprint) });
    } catch (error) {
      if (!(error instanceof ForeignError)) throw error;
      exported.push({ program: typedName, failure: error });
    }
  }
  return exported;
}

async function exportTree(directory: string, options: ExportOptions, context: Context): Promise<Exported[]> {
  const key = options.key === undefined ? undefined : readSecretKey(options.key);
  const programs = programsBelow(directory, context).map((program) => program.path);
  if (!options.tree) {
    if (options.output !== undefined) throw usageError('one file for many programs is a tree', 'add --tree');
    return await exportEach(programs, context, (program, fingerprint) => {
      const file = sidecarOf(program.path);
      writeByOurName(file, documentText(fingerprint, key), 'keep all of them in one file: --tree -o FILE');
      return file;
    });
  }
  const { output } = options;
  const file = output ?? path.join(directory, TREE_NAME);
  const entries: { sha256: string; text: string }[] = [];
  const exported = await exportEach(programs, context, (_, fingerprint) => {
    entries.push({ sha256: fingerprint.program.sha256, text: documentText(fingerprint, key) });
    return file;
  });
  (output === undefined ? writeByOurName : writeOutput)(file, treeText(entries));
  return exported;
}

async function exportOne(typedName: string, options: ExportOptions, context: Context): Promise<Exported[]> {
  if (options.tree) throw usageError('a tree is of a directory', 'leave --tree out, or name a directory');
  const key = options.key === undefined ? undefined : readSecretKey(options.key);
  const { program, saved } = await forOriginal(namedProgram(typedName, context), context, (name) =>
    savedFingerprintOfProgram(name, context),
  );
  const { output } = options;
  const file = output ?? sidecarOf(program.path);
  (output === undefined ? writeByOurName : writeOutput)(file, documentText(saved.fingerprint, key));
  return [{ program: typedName, file }];
}

/** Writes the documents and says which; returns, unsaid, the failures among many programs. */
export async function exportCommand(
  typedName: string,
  options: ExportOptions,
  context: Context,
): Promise<readonly ForeignError[]> {
  const exported = isDirectory(typedName)
    ? await exportTree(typedName, options, context)
    : await exportOne(typedName, options, context);
  if (exported.length === 0) {
    throw new ForeignError(`${typedName}: no program built for another Linux is in it`, {
      code: 'no-programs',
      hint: 'name a program, or the directory that holds some',
      exitCode: 125,
    });
  }
  const onStdout = options.output === '-';
  if (options.json && !onStdout) {
    printJson(exported.map(({ failure, ...rest }) => (failure ? { ...rest, error: failure.message } : rest)));
  }
  if (!options.json && !onStdout) {
    const files = new Set(exported.flatMap(({ file }) => (file === undefined ? [] : [file])));
    for (const file of files) printOneLine(`wrote ${file}`);
  }
  return exported.map(({ failure }) => failure).filter((failure) => failure !== undefined);
}
