// A solution → its fingerprint, the canonical document of how a program starts; and that as the text of a store object
// that references the chosen store paths.
import stringify from 'fast-json-stable-stringify';
import type { Provider } from '../candidates/problem.ts';
import { findMachine } from '../elf/machine.ts';
import type { ProgramFile } from '../program/inspect-program.ts';
import type { Choice, Solution } from '../solver/solution.ts';
import type { StoreText } from '../store/add-and-pin.ts';

/** Bump when the document's meaning changes: readers refuse newer documents, and read older ones. */
export const FINGERPRINT_VERSION = 2;

/** No larger document is read. A program with 1,000 libraries needs about 200 KiB. */
export const MAXIMUM_SIZE = 1 << 20;

/** How a library was found for its soname. */
export type Match = 'exact' | 'closest' | 'dlopen' | 'pinned';

/** A file in the store. */
export interface StoreFile {
  /** `/nix/store/<hash>-<name>`. */
  readonly storePath: string;
  /** Path inside it, e.g. `lib/libz.so.1.3`. */
  readonly file: string;
  /** Hash of the store object as Nix knows it (`sha256:<hex>`), where Nix could be asked. */
  readonly narHash?: string;
}

export interface FingerprintLibrary extends StoreFile {
  /** The name it is needed by. */
  readonly soname: string;
  readonly match: Match;
}

/** See FORMAT.md. */
export interface Fingerprint {
  readonly version: number;
  readonly program: {
    readonly sha256: string;
    readonly size: number;
    /** Nix system, e.g. `x86_64-linux`. */
    readonly system: string;
    readonly interpreter: string;
  };
  readonly loader: StoreFile;
  /** Sorted by soname. The libc family is not listed: it lies in the loader's store object. */
  readonly libraries: readonly FingerprintLibrary[];
  /** SHA-256 of the user's choices that it was made under (choices/choices.ts); absent where there were none. */
  readonly choices?: string;
  readonly tool: { readonly name: 'nix-run-foreign'; readonly version: string };
}

/** The document's bytes: keys sorted, no white space, one newline at the end. Same program and store, same bytes. */
export function canonicalText(fingerprint: Fingerprint): string {
  return `${stringify(fingerprint)}\n`;
}

/**
 * The bytes of a document that travels: with its signatures (sign.ts), sorted, once each; without any, the canonical
 * text.
 */
export function signedText(fingerprint: Fingerprint, signatures: readonly string[]): string {
  if (signatures.length === 0) return canonicalText(fingerprint);
  return `${stringify({ ...fingerprint, signatures: [...new Set(signatures)].sort() })}\n`;
}

/** Every store path the document names, sorted, once each. */
export function storePathsOf(fingerprint: Fingerprint): string[] {
  const files: readonly StoreFile[] = [fingerprint.loader, ...fingerprint.libraries];
  return [...new Set(files.map((each) => each.storePath))].sort();
}

/** What a fingerprint says of its program. */
export function programPart(program: ProgramFile, sha256: string): Fingerprint['program'] {
  return {
    sha256,
    size: program.size,
    system: program.elf === undefined ? '' : (findMachine(program.elf)?.system ?? ''),
    interpreter: program.elf?.interpreter ?? '',
  };
}

/** A solved set, and the libraries that the program may open while it runs. */
interface FingerprintedSet extends Pick<Solution, 'loader' | 'choices'> {
  readonly optional: readonly Choice[];
}

/**
 * Writes down a solved set. `narHashOf` gives Nix's hash of a store path, where it is known; `choices` is the digest
 * of the user's choices.
 */
export function fingerprintOf(
  program: ProgramFile,
  sha256: string,
  { loader, choices: chosen, optional }: FingerprintedSet,
  narHashOf: (storePath: string) => string | undefined,
  toolVersion: string,
  choices: string | undefined,
): Fingerprint {
  const storeFile = (storePath: string, file: string): StoreFile => {
    const narHash = narHashOf(storePath);
    return { storePath, file, ...(narHash === undefined ? {} : { narHash }) };
  };
  const libraryOf = (soname: string, { storePath, file }: Provider, match: Match): FingerprintLibrary => ({
    soname,
    ...storeFile(storePath, file),
    match,
  });
  return {
    version: FINGERPRINT_VERSION,
    program: programPart(program, sha256),
    loader: storeFile(loader.storePath, loader.path.slice(loader.storePath.length + 1)),
    libraries: [
      ...chosen.map(({ name, provider }) => libraryOf(name, provider, provider.match ?? 'exact')),
      ...optional.map(({ name, provider }) => libraryOf(name, provider, 'dlopen')),
    ].sort((a, b) => (a.soname < b.soname ? -1 : 1)),
    ...(choices === undefined ? {} : { choices }),
    tool: { name: 'nix-run-foreign', version: toolVersion },
  };
}

/** What Nix is to add for a fingerprint. The name shows the program's hash, the content is the document. */
export function storeTextOf(fingerprint: Fingerprint): StoreText {
  return {
    name: `fingerprint-${fingerprint.program.sha256.slice(0, 16)}.json`,
    content: canonicalText(fingerprint),
    references: storePathsOf(fingerprint),
  };
}
