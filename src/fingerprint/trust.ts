// A document, where it came from and the program at hand → a fingerprint to go on with, or why it is refused.
import path from 'node:path';
import { isLibcFamily, isLoaderName } from '../elf/library-names.ts';
import { printableLine } from '../host/output.ts';
import { type Ownership, otherWriterOf } from '../host/trusted-file.ts';
import { NOBODY } from '../host/user-namespace.ts';
import type { Fingerprint } from './fingerprint.ts';
import type { PublicKey } from './signature.ts';

/** Where a document came from, with what is known of who could have written it. */
export type FingerprintOrigin =
  /** A fingerprint that we saved ourselves. */
  | { readonly kind: 'own' }
  /** A file beside the program, or above it. */
  | { readonly kind: 'sidecar' | 'tree'; readonly writers: Writers }
  /** A directory or web server named in the configuration. */
  | { readonly kind: 'source' };

/** The program that is to be started, as it is now. */
export type ProgramIdentity = Fingerprint['program'];

export interface Trust {
  readonly storeDir: string;
  /** `trusted-fingerprint-keys`. */
  readonly keys: readonly PublicKey[];
}

/** Stable words for programs that read our output. */
export type DistrustCause =
  | 'document'
  | 'other-program'
  | 'loader-name'
  | 'libc-family'
  | 'unsigned'
  | 'untrusted'
  | 'forged'
  | OwnershipCause;

export type TrustVerdict =
  | {
      readonly kind: 'trusted';
      readonly fingerprint: Fingerprint;
      /** Name of the trusted key, where one had to be asked for. */
      readonly signedBy?: string;
    }
  | { readonly kind: 'refused'; readonly cause: DistrustCause; readonly why: string };

/** A reason quotes names of keys and of files, each of which may have thousands of characters. */
const LONGEST_REASON = 400;

type Refusal = Extract<TrustVerdict, { kind: 'refused' }>;

/** A file of glibc by its name: by soname, or as it is called up to 2.33, `libc-2.31.so`. */
function isLibcFile(name: string): boolean {
  const stem = /^(.+)-2\.\d+\.so$/.exec(name)?.[1];
  return (
    isLibcFamily(name) || (stem !== undefined && [0, 1, 2, 3, 6].some((n) => isLibcFamily(`${stem}.so.${n}`)))
  );
}

/**
 * The loader is run to ask for its opinion (ldso/ask-loader.ts), so no other program of the store may stand in its
 * place.
 */
function whyNoLoader({ loader }: Fingerprint): string | undefined {
  const name = path.posix.basename(loader.file);
  const isLoader = isLoaderName(name) || /^ld-2\.\d+\.so$|^ld-musl-[\w-]+\.so\.1$|^libc\.so$/.test(name);
  return isLoader ? undefined : `it gives ${name} for the loader, and no loader is called that`;
}

function whyLibcMixed({ libraries }: Fingerprint): string | undefined {
  const listed = libraries.find(({ soname }) => isLibcFamily(soname))?.soname;
  if (listed !== undefined) {
    return `it lists ${listed}, which always comes from the loader's own store object`;
  }
  const served = libraries.find(({ file }) => isLibcFile(path.posix.basename(file)));
  return served && `it serves ${served.soname} by ${served.file}, a library of a libc`;
}

function whyOtherProgram(written: ProgramIdentity, program: ProgramIdentity): string | undefined {
  if (written.sha256 !== program.sha256) {
    return `it is for another program, with the SHA-256 ${written.sha256.slice(0, 16)}...`;
  }
  if (written.size !== program.size) {
    return `it gives the program ${written.size} bytes, and it has ${program.size}`;
  }
  if (written.system !== program.system) {
    return `it takes the program for one of ${written.system}, and it is of ${program.system}`;
  }
  if (written.interpreter === program.interpreter) return undefined;
  return `it names another interpreter than the program: ${written.interpreter.slice(0, 100)}`;
}

function refused(cause: DistrustCause, why: string): Refusal {
  return { kind: 'refused', cause, why: printableLine(why).slice(0, LONGEST_REASON) };
}

/** What a signature has to make up for; undefined for what is trusted without. */
function lackOf(origin: FingerprintOrigin): Refusal | undefined {
  if (origin.kind === 'own') return undefined;
  if (origin.kind === 'source')
    return refused('unsigned', 'what comes from a source has to be signed by a trusted key');
  return origin.writers.kind === 'others' ? refused(origin.writers.cause, origin.writers.why) : undefined;
}

/**
 * The first half of trust: everything that needs neither the store nor the loader (check-store.ts is the second). Own
 * saved fingerprints are trusted as they are, sidecars and tree files by their owner or a trusted signature, sources
 * only by a trusted signature. Total.
 */
export async function judgeTrust(
  text: string,
  origin: FingerprintOrigin,
  program: ProgramIdentity,
  trust: Trust,
): Promise<TrustVerdict> {
  // The checks are loaded when there is something to check: most first starts have no document.
  const { parseFingerprint } = await import('./parse-fingerprint.ts');
  const parsed = parseFingerprint(text, trust.storeDir);
  if (parsed.kind === 'refused') return refused('document', parsed.why);
  const { fingerprint, signatures, unsigned } = parsed;
  const other = whyOtherProgram(fingerprint.program, program);
  if (other !== undefined) return refused('other-program', other);
  if (origin.kind === 'own') return { kind: 'trusted', fingerprint };
  const noLoader = whyNoLoader(fingerprint);
  if (noLoader !== undefined) return refused('loader-name', noLoader);
  const mixed = whyLibcMixed(fingerprint);
  if (mixed !== undefined) return refused('libc-family', mixed);
  const lack = lackOf(origin);
  if (lack === undefined) return { kind: 'trusted', fingerprint };
  const { verifySignatures } = await import('./signature.ts');
  const verified = verifySignatures(unsigned, signatures, trust.keys);
  if (verified.kind === 'signed') return { kind: 'trusted', fingerprint, signedBy: verified.by };
  // Whoever signed wanted the signature to count, so what is wrong with it is what the user has to know.
  if (verified.cause !== 'unsigned') return refused(verified.cause, `${verified.why}; ${lack.why}`);
  return refused(lack.cause, `${lack.why}, and ${verified.why}`);
}

/** Who is trusted besides root. */
export interface Owners {
  /** Effective uid of the user. */
  readonly user: number;
  /**
   * uid of the program's owner: who writes the program decides what runs anyway. Undefined where the program is not
   * started: to be asked about it, its owner may run nothing as another user.
   */
  readonly program: number | undefined;
}

/** Stable words for what is wrong. */
type OwnershipCause =
  | 'file-owner'
  | 'file-writable'
  | 'directory-owner'
  | 'directory-writable'
  | 'directory-open';

export type Writers =
  | { readonly kind: 'trusted' }
  | { readonly kind: 'others'; readonly cause: OwnershipCause; readonly why: string };

function trustedOwners({ user, program }: Owners): readonly number[] {
  return [0, user, program].filter((uid) => uid !== undefined && uid !== NOBODY) as number[];
}

/**
 * A directory that all may write to is refused with the sticky bit too: it keeps others from replacing the file, not
 * from having put it there first.
 */
export function writersOf(file: Ownership, directory: Ownership, owners: Owners): Writers {
  const others = (cause: OwnershipCause, why: string): Writers => ({ kind: 'others', cause, why });
  const strangers =
    owners.program === undefined
      ? 'neither you nor root; the owner of the program counts only when it is started'
      : 'neither you, root nor the owner of the program';
  const [ofFile, ofDirectory] = [file, directory].map((each) => otherWriterOf(each, trustedOwners(owners)));
  if (ofFile === 'owner') {
    return others('file-owner', `it belongs to uid ${file.uid}, which is ${strangers}`);
  }
  if (ofFile !== undefined) {
    const whom = ofFile === 'group' ? 'its group' : 'everybody';
    return others('file-writable', `${whom} may write to it (mode ${(file.mode & 0o7777).toString(8)})`);
  }
  if (ofDirectory === 'owner') {
    return others('directory-owner', `its directory belongs to uid ${directory.uid}, which is ${strangers}`);
  }
  if (ofDirectory === 'everybody') {
    const sticky = (directory.mode & 0o1000) === 0 ? '' : ', which the sticky bit does not prevent';
    return others('directory-open', `everybody may put files into its directory${sticky}`);
  }
  if (ofDirectory === 'group') {
    return others('directory-writable', 'a group may put files into its directory');
  }
  return { kind: 'trusted' };
}
