// Two fingerprints → what differs between them, as data and as lines.
import { printableLine } from '../platform/terminal-text.ts';
import { nameOfStoreObject } from '../store/store-location.ts';
import type { Fingerprint, FingerprintLibrary, StoreFile } from './fingerprint.ts';
import { hexOfNarHash } from './nar-hash.ts';

interface Change<T> {
  readonly before: T;
  readonly after: T;
}

/** `field` is a field of `program` in FORMAT.md. The tool's version is no part of the meaning. */
export type Difference =
  | ({ readonly kind: 'program'; readonly field: keyof Fingerprint['program'] } & Change<string | number>)
  | ({ readonly kind: 'loader' } & Change<StoreFile>)
  | { readonly kind: 'added'; readonly library: FingerprintLibrary }
  | { readonly kind: 'removed'; readonly library: FingerprintLibrary }
  | ({ readonly kind: 'changed'; readonly soname: string } & Change<FingerprintLibrary>)
  | ({ readonly kind: 'choices' } & Change<string | undefined>);

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

/** The differences in a fixed order: the program, the loader, the libraries by soname, the choices. Empty: same meaning. */
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

/** One line for each difference, as `fingerprint diff` prints them: `+` added, `-` removed, `~` changed. Safe to print. */
export function differenceLines(all: readonly Difference[]): string[] {
  return all.map((each) => printableLine(lineOf(each)));
}
