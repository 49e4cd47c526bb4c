// A document, where it came from and the program at hand → a fingerprint to go on with, or why it is refused.
import path from 'node:path';
import { isLibcFamily, isLoaderName } from '../elf/libc-family.ts';
import { printableLine } from '../platform/terminal-text.ts';
import type { Fingerprint } from './fingerprint.ts';
import type { PublicKey } from './keys.ts';
import type { OwnershipCause, Writers } from './ownership.ts';

/** Where a document came from, with what is known of who could have written it. */
export type Origin =
  /** A record we kept ourselves. */
  | { readonly kind: 'own' }
  /** A file beside the program, or above it. */
  | { readonly kind: 'sidecar' | 'tree'; readonly writers: Writers }
  /** A directory or web server named in the configuration. */
  | { readonly kind: 'source' };

/** The program that is to be started, as it is now. */
export type ProgramAtHand = Fingerprint['program'];

export interface Trust {
  readonly storeDir: string;
  /** `trusted-fingerprint-keys`. */
  readonly keys: readonly PublicKey[];
}

/** Stable words for programs that read our output. */
export type BeliefCause =
  | 'document'
  | 'other-program'
  | 'loader-name'
  | 'libc-family'
  | 'unsigned'
  | 'untrusted'
  | 'forged'
  | OwnershipCause;

export type Belief =
  | {
      readonly kind: 'believed';
      readonly fingerprint: Fingerprint;
      /** Name of the trusted key, where one had to be asked for. */
      readonly signedBy?: string;
    }
  | { readonly kind: 'refused'; readonly cause: BeliefCause; readonly why: string };

/** A reason quotes names of keys and of files, each of which may have thousands of characters. */
const LONGEST_REASON = 400;

type Refusal = Extract<Belief, { kind: 'refused' }>;

/** A file of glibc by its name: by soname, or as it is called up to 2.33, `libc-2.31.so`. */
function isLibcFile(name: string): boolean {
  const stem = /^(.+)-2\.\d+\.so$/.exec(name)?.[1];
  return (
    isLibcFamily(name) || (stem !== undefined && [0, 1, 2, 3, 6].some((n) => isLibcFamily(`${stem}.so.${n}`)))
  );
}

/** The loader is run to ask for its opinion (launch/proof.ts), so no other program of the store may stand in its place. */
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

function whyOtherProgram(written: ProgramAtHand, program: ProgramAtHand): string | undefined {
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

function refused(cause: BeliefCause, why: string): Refusal {
  return { kind: 'refused', cause, why: printableLine(why).slice(0, LONGEST_REASON) };
}

/** What a signature has to make up for; undefined for what is believed without. */
function lackOf(origin: Origin): Refusal | undefined {
  if (origin.kind === 'own') return undefined;
  if (origin.kind === 'source')
    return refused('unsigned', 'what comes from a source has to be signed by a trusted key');
  return origin.writers.kind === 'others' ? refused(origin.writers.cause, origin.writers.why) : undefined;
}

/**
 * The first half of belief: everything that needs neither the store nor the loader (store-check.ts is the second). Own
 * records are believed as they are, sidecars and tree files by their owner or a trusted signature, sources only by
 * a trusted signature. Total.
 */
export async function judgeDocument(
  text: string,
  origin: Origin,
  program: ProgramAtHand,
  trust: Trust,
): Promise<Belief> {
  // The checks are loaded when there is something to check: most first starts have no document.
  const { parseFingerprint } = await import('./parse.ts');
  const parsed = parseFingerprint(text, trust.storeDir);
  if (parsed.kind === 'refused') return refused('document', parsed.why);
  const { fingerprint, signatures, unsigned } = parsed;
  const other = whyOtherProgram(fingerprint.program, program);
  if (other !== undefined) return refused('other-program', other);
  if (origin.kind === 'own') return { kind: 'believed', fingerprint };
  const noLoader = whyNoLoader(fingerprint);
  if (noLoader !== undefined) return refused('loader-name', noLoader);
  const mixed = whyLibcMixed(fingerprint);
  if (mixed !== undefined) return refused('libc-family', mixed);
  const lack = lackOf(origin);
  if (lack === undefined) return { kind: 'believed', fingerprint };
  const { verifySignatures } = await import('./sign.ts');
  const verified = verifySignatures(unsigned, signatures, trust.keys);
  if (verified.kind === 'signed') return { kind: 'believed', fingerprint, signedBy: verified.by };
  // Whoever signed wanted the signature to count, so what is wrong with it is what the user has to know.
  if (verified.cause !== 'unsigned') return refused(verified.cause, `${verified.why}; ${lack.why}`);
  return refused(lack.cause, `${lack.why}, and ${verified.why}`);
}
