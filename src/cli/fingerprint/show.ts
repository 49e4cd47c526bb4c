// `nix-foreign fingerprint show FILE|PROGRAM` and `diff A B`: what a fingerprint says, and how two differ.
import path from 'node:path';
import {
  canonicalText,
  type Fingerprint,
  type FingerprintLibrary,
  type StoreFile,
} from '../../fingerprint/fingerprint.ts';
import { hexOfNarHash } from '../../fingerprint/nar-hash.ts';
import { ForeignError } from '../../host/errors.ts';
import { readStart } from '../../host/files.ts';
import { printableLine, printJson, printLine } from '../../host/output.ts';
import type { Context } from '../../resolve/context.ts';
import { savedFingerprintOfProgram } from '../../resolve/program-fingerprint.ts';
import { nameOfStoreObject } from '../../store/store-location.ts';
import { namedProgram } from '../program-argument.ts';
import { usageError } from '../usage-error.ts';
import { type NamedDocument, readNamedDocument } from './named-document.ts';

/** A document begins with a brace; no program does. */
function isDocument(file: string): boolean {
  try {
    return readStart(file, 1).toString() === '{';
  } catch {
    return false;
  }
}

/** Who asks what a text says does not want to start it; a program or script may only lack the permission. */
function isText(file: string, error: unknown): boolean {
  if (!(error instanceof ForeignError) || error.code !== 'not-executable') return false;
  try {
    return !/^(?:\x7fELF|#!)/.test(readStart(file, 4).toString('latin1'));
  } catch {
    return false;
  }
}

function neither(named: string): ForeignError {
  return new ForeignError(`${named}: it is neither a fingerprint nor a program that can be started`, {
    code: 'document',
    hint: 'name a file that nix-foreign fingerprint export has written, or a program',
    exitCode: 125,
  });
}

/** The documents in a file, or the record of a program. @throws ForeignError of either. */
async function documentsOf(named: string, context: Context): Promise<NamedDocument['documents']> {
  if (isDocument(named)) return readNamedDocument(named, context.location.storeDir).documents;
  const file = namedProgram(named, context);
  const { fingerprint } = (
    await savedFingerprintOfProgram(file, context).catch((error: unknown) => {
      throw isText(file, error) ? neither(named) : error;
    })
  ).saved;
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

interface FieldChange<T> {
  readonly before: T;
  readonly after: T;
}

/** `field` is a field of `program` in FORMAT.md. The tool's version is no part of the meaning. */
type Difference =
  | ({ readonly kind: 'program'; readonly field: keyof Fingerprint['program'] } & FieldChange<
      string | number
    >)
  | ({ readonly kind: 'loader' } & FieldChange<StoreFile>)
  | { readonly kind: 'added'; readonly library: FingerprintLibrary }
  | { readonly kind: 'removed'; readonly library: FingerprintLibrary }
  | ({ readonly kind: 'changed'; readonly soname: string } & FieldChange<FingerprintLibrary>)
  | ({ readonly kind: 'choices' } & FieldChange<string | undefined>);

const PROGRAM_FIELDS = ['sha256', 'size', 'system', 'interpreter'] as const;

/** A hash that only one of the two gives is no difference. */
function isOtherContent(before: StoreFile, after: StoreFile): boolean {
  if (before.storePath !== after.storePath) return false;
  if (before.narHash === undefined || after.narHash === undefined) return false;
  return hexOfNarHash(before.narHash) !== hexOfNarHash(after.narHash);
}

function isOtherFile(before: StoreFile, after: StoreFile): boolean {
  return before.storePath !== after.storePath || before.file !== after.file || isOtherContent(before, after);
}

function libraryDifference(
  before: FingerprintLibrary | undefined,
  after: FingerprintLibrary | undefined,
): Difference[] {
  if (before === undefined) return after === undefined ? [] : [{ kind: 'added', library: after }];
  if (after === undefined) return [{ kind: 'removed', library: before }];
  if (!isOtherFile(before, after) && before.match === after.match) return [];
  return [{ kind: 'changed', soname: before.soname, before, after }];
}

/**
 * The differences in a fixed order: the program, the loader, the libraries by soname, the choices. Empty: same meaning.
 */
export function differences(before: Fingerprint, after: Fingerprint): Difference[] {
  const program = PROGRAM_FIELDS.filter((field) => before.program[field] !== after.program[field]).map(
    (field): Difference => ({
      kind: 'program',
      field,
      before: before.program[field],
      after: after.program[field],
    }),
  );
  const loader: Difference[] = isOtherFile(before.loader, after.loader)
    ? [{ kind: 'loader', before: before.loader, after: after.loader }]
    : [];
  const old = new Map(before.libraries.map((each) => [each.soname, each]));
  const now = new Map(after.libraries.map((each) => [each.soname, each]));
  const sonames = [...new Set([...old.keys(), ...now.keys()])].sort();
  const libraries = sonames.flatMap((soname) => libraryDifference(old.get(soname), now.get(soname)));
  const choices: Difference[] =
    before.choices === after.choices
      ? []
      : [{ kind: 'choices', before: before.choices, after: after.choices }];
  return [...program, ...loader, ...libraries, ...choices];
}

/** The shortest words that tell two files apart: names, else whole store paths, else the files within. */
function tellApart(before: StoreFile, after: StoreFile): string {
  const names = [before, after].map((each) => nameOfStoreObject(each.storePath));
  if (names[0] !== names[1]) return names.join(' → ');
  if (before.storePath !== after.storePath) return `${before.storePath} → ${after.storePath}`;
  if (before.file !== after.file) return `${names[0]}: ${before.file} → ${after.file}`;
  return `${before.storePath} with other content`;
}

function changeLine(before: FingerprintLibrary, after: FingerprintLibrary): string {
  const match = before.match === after.match ? '' : ` (${before.match} → ${after.match})`;
  const where = isOtherFile(before, after) ? tellApart(before, after) : nameOfStoreObject(after.storePath);
  return `~ ${before.soname}  ${where}${match}`;
}

function libraryLine(sign: string, library: FingerprintLibrary): string {
  return `${sign} ${library.soname}  ${nameOfStoreObject(library.storePath)} (${library.match})`;
}

function lineOf(difference: Difference): string {
  switch (difference.kind) {
    case 'program':
      return `~ program ${difference.field}  ${difference.before} → ${difference.after}`;
    case 'loader':
      return `~ loader  ${tellApart(difference.before, difference.after)}`;
    case 'added':
      return libraryLine('+', difference.library);
    case 'removed':
      return libraryLine('-', difference.library);
    case 'changed':
      return changeLine(difference.before, difference.after);
    case 'choices':
      return `~ choices  ${difference.before ?? 'none'} → ${difference.after ?? 'none'}`;
  }
}

/**
 * One line for each difference, as `fingerprint diff` prints them: `+` added, `-` removed, `~` changed. Safe to print.
 */
export function differenceLines(all: readonly Difference[]): string[] {
  return all.map((each) => printableLine(lineOf(each)));
}
