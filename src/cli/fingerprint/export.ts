// `nix-foreign fingerprint export PROGRAM|DIRECTORY`: the documents that let others start the same programs without a
// search.
import path from 'node:path';
import { type Fingerprint, signedText } from '../../fingerprint/fingerprint.ts';
import { readDocument, sidecarOf, TREE_NAME } from '../../fingerprint/sidecar.ts';
import { type SecretKey, signFingerprint } from '../../fingerprint/signature.ts';
import {
  entriesOfTree,
  MAXIMUM_TREE_SIZE,
  type TreeEntries,
  type TreeEntry,
  treeText,
} from '../../fingerprint/tree-file.ts';
import { ForeignError, reasonOf } from '../../host/errors.ts';
import { sha256OfProgram } from '../../host/file-identity.ts';
import { filesBelow, isDirectory, isFile } from '../../host/files.ts';
import { notice, printJson, printOneLine } from '../../host/output.ts';
import { inspectProgram, type ProgramFile } from '../../program/inspect-program.ts';
import type { Context } from '../../resolve/context.ts';
import { forOriginal } from '../../resolve/for-original.ts';
import { dynamicOf } from '../../resolve/job.ts';
import { savedFingerprintOfProgram } from '../../resolve/program-fingerprint.ts';
import { jsonFailure } from '../command.ts';
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

/** What is written again is ours, and trusted as such: none that others could have written. Of a pipe there is none. */
function entriesThere(file: string, uid: number): TreeEntries {
  if (file === '-' || !isFile(file)) return { kind: 'entries', entries: [] };
  const document = readDocument(file, MAXIMUM_TREE_SIZE, { user: uid, program: undefined });
  if (document.kind === 'absent') return { kind: 'entries', entries: [] };
  if (document.kind === 'refused') return document;
  const { text, writers } = document;
  return writers.kind === 'trusted' ? entriesOfTree(text) : { kind: 'refused', why: writers.why };
}

/** Of a patched program, that of its original; undefined where none can be told. */
async function contentOf({ program }: Exported, context: Context): Promise<string | undefined> {
  try {
    return await forOriginal(program, context, (name) => sha256OfProgram(name));
  } catch (error) {
    if (error instanceof ForeignError) return undefined;
    throw error;
  }
}

/** What the tree that is there has of programs that failed. @throws ForeignError `unwritable`: it cannot be kept. */
async function entriesToKeep(
  file: string,
  failed: readonly Exported[],
  context: Context,
): Promise<readonly TreeEntry[]> {
  if (failed.length === 0) return [];
  const there = entriesThere(file, context.host.uid);
  if (there.kind === 'refused')
    throw new ForeignError(`${file}: it stays, since not every program has a fingerprint: ${there.why}`, {
      code: 'unwritable',
      hint: 'write another file, -o FILE, or take it away first, if it is not needed',
      exitCode: 125,
    });
  const contents = await Promise.all(failed.map((each) => contentOf(each, context)));
  return there.entries.filter(({ sha256 }) => contents.includes(sha256));
}

async function exportOneTree(
  programs: readonly string[],
  file: string,
  { output, key: keyFile }: ExportOptions,
  context: Context,
): Promise<Exported[]> {
  const key = keyFile === undefined ? undefined : readSecretKey(keyFile);
  const entries: TreeEntry[] = [];
  const exported = await exportEach(programs, context, (_, fingerprint) => {
    entries.push({ sha256: fingerprint.program.sha256, text: documentText(fingerprint, key) });
    return file;
  });
  if (entries.length === 0) return exported;
  try {
    const failed = exported.filter(({ failure }) => failure !== undefined);
    const kept = await entriesToKeep(file, failed, context);
    (output === undefined ? writeByOurName : writeOutput)(file, treeText([...entries, ...kept]));
    return exported;
  } catch (error) {
    if (!(error instanceof ForeignError)) throw error;
    return exported.map(({ program, failure = error }) => ({ program, failure }));
  }
}

async function exportDirectory(
  directory: string,
  options: ExportOptions,
  context: Context,
): Promise<Exported[]> {
  const { output, tree, key: keyFile } = options;
  if (output !== undefined && !tree) throw usageError('one file for many programs is a tree', 'add --tree');
  const programs = programsBelow(directory, context).map((program) => program.path);
  if (programs.length === 0)
    throw new ForeignError(`${directory}: no program built for another Linux is in it`, {
      code: 'no-programs',
      hint: 'name a program, or the directory that holds some',
      exitCode: 125,
    });
  if (tree) return await exportOneTree(programs, output ?? path.join(directory, TREE_NAME), options, context);
  const key = keyFile === undefined ? undefined : readSecretKey(keyFile);
  return await exportEach(programs, context, (program, fingerprint) => {
    const file = sidecarOf(program.path);
    writeByOurName(file, documentText(fingerprint, key), 'keep all of them in one file: --tree -o FILE');
    return file;
  });
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

/** Writes the documents and says which; returns, unsaid, the failures among many programs, each once. */
export async function exportCommand(
  typedName: string,
  options: ExportOptions,
  context: Context,
): Promise<readonly ForeignError[]> {
  const exported = isDirectory(typedName)
    ? await exportDirectory(typedName, options, context)
    : await exportOne(typedName, options, context);
  const onStdout = options.output === '-';
  if (options.json && !onStdout) {
    printJson(
      exported.map(({ failure, ...rest }) => (failure ? { ...rest, ...jsonFailure(failure) } : rest)),
    );
  }
  if (!options.json && !onStdout) {
    const files = new Set(exported.flatMap(({ file }) => (file === undefined ? [] : [file])));
    for (const file of files) printOneLine(`wrote ${file}`);
  }
  return [...new Set(exported.map(({ failure }) => failure))].filter((failure) => failure !== undefined);
}
