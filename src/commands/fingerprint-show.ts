// `nix-foreign fingerprint show FILE|PROGRAM` and `diff A B`: what a fingerprint says, and how two differ.
import { closeSync, openSync, readSync } from 'node:fs';
import path from 'node:path';
import { differenceLines, differences } from '../fingerprint/diff.ts';
import { canonicalText, type Fingerprint, type StoreFile } from '../fingerprint/fingerprint.ts';
import { type NamedDocument, readNamedDocument } from '../fingerprint/named-document.ts';
import type { Context } from '../pipeline/context.ts';
import { recordOfProgram } from '../pipeline/record-of-program.ts';
import { printJson, printLine } from '../platform/print.ts';
import { namedProgram } from './named-program.ts';
import { usageError } from './usage-error.ts';

/** A document begins with a brace; no program does. */
function isDocument(file: string): boolean {
  try {
    const fd = openSync(file, 'r');
    try {
      const first = Buffer.alloc(1);
      return readSync(fd, first, 0, 1, 0) === 1 && first.toString() === '{';
    } finally {
      closeSync(fd);
    }
  } catch {
    return false;
  }
}

/** The documents in a file, or the record of a program. @throws ForeignError of either. */
async function documentsOf(named: string, context: Context): Promise<NamedDocument['documents']> {
  if (isDocument(named)) return readNamedDocument(named, context.location.storeDir).documents;
  const { fingerprint } = (await recordOfProgram(namedProgram(named, context), context)).record;
  return [{ fingerprint, signatures: [], text: canonicalText(fingerprint) }];
}

function pathOf({ storePath, file }: StoreFile): string {
  return path.join(storePath, file);
}

function lines({ program, loader, libraries, tool }: Fingerprint, signatures: readonly string[]): string[] {
  const width = Math.max(9, ...libraries.map(({ soname }) => soname.length));
  const head: [string, string][] = [
    ['program', `${program.sha256}, ${program.size} bytes, ${program.system}`],
    ['needs', program.interpreter],
    ['made by', `${tool.name} ${tool.version}`],
    ...signatures.map((each): [string, string] => ['signed by', each.slice(0, each.indexOf(':'))]),
    ['loader', pathOf(loader)],
  ];
  const matchOf = (match: string) => (match === 'exact' ? '' : `  (${match})`);
  return [
    ...head.map(([key, value]) => `${key.padEnd(width)}  ${value}`),
    ...libraries.map((each) => `${each.soname.padEnd(width)}  ${pathOf(each)}${matchOf(each.match)}`),
  ];
}

export async function showCommand(
  named: string,
  options: { json: boolean },
  context: Context,
): Promise<void> {
  const documents = await documentsOf(named, context);
  if (options.json) {
    const values = documents.map(({ text }) => JSON.parse(text) as unknown);
    return printJson(values.length === 1 ? values[0] : values);
  }
  const texts = documents.map(({ fingerprint, signatures }) => lines(fingerprint, signatures).join('\n'));
  printLine(texts.length === 0 ? 'it is a tree without programs' : texts.join('\n\n'));
}

async function onlyFingerprint(named: string, context: Context): Promise<Fingerprint> {
  const [first, ...more] = await documentsOf(named, context);
  if (first !== undefined && more.length === 0) return first.fingerprint;
  throw usageError(
    `${named} is a tree of ${more.length === 0 ? 'no' : more.length + 1} programs`,
    'name one document',
  );
}

/** Exit status as diff(1): 0 the same, 1 different. */
export async function diffCommand(
  before: string,
  after: string,
  options: { json: boolean },
  context: Context,
): Promise<0 | 1> {
  const all = differences(await onlyFingerprint(before, context), await onlyFingerprint(after, context));
  if (options.json) printJson(all);
  else if (all.length > 0) printLine(differenceLines(all).join('\n'));
  return all.length === 0 ? 0 : 1;
}
