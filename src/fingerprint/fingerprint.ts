// A solved set → the canonical document that says how a program starts, with nothing of the machine in it.
import stringify from 'fast-json-stable-stringify';

/** Bump when the document's meaning changes; older readers refuse newer documents, migrate.ts reads older ones. */
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

/** The bytes of a document that travels: with its signatures (sign.ts), sorted, once each; without any, the canonical text. */
export function signedText(fingerprint: Fingerprint, signatures: readonly string[]): string {
  if (signatures.length === 0) return canonicalText(fingerprint);
  return `${stringify({ ...fingerprint, signatures: [...new Set(signatures)].sort() })}\n`;
}

/** Every store path the document names, sorted, once each. */
export function storePathsOf(fingerprint: Fingerprint): string[] {
  const files: readonly StoreFile[] = [fingerprint.loader, ...fingerprint.libraries];
  return [...new Set(files.map((each) => each.storePath))].sort();
}
