// Ed25519 keys as Nix writes them, `name:base64` → signatures of fingerprints, and whose a signature is.
import { createPrivateKey, createPublicKey, type KeyObject, sign as signBytes, verify } from 'node:crypto';
import {
  bytesOfBase64,
  type KeyRefusal,
  PUBLIC,
  SEED,
  splitKey,
  splitPublicKey,
} from '../config/named-key.ts';
import { listText } from '../host/output.ts';
import { canonicalText, type Fingerprint } from './fingerprint.ts';

/** What `trusted-fingerprint-keys` lists: `name:` and 32 bytes in base 64. */
export interface PublicKey {
  readonly name: string;
  readonly key: KeyObject;
  /** As it is written. */
  readonly text: string;
}

/** As `nix-store --generate-binary-cache-key` writes it: `name:` and 64 bytes in base 64, seed and public key. */
export interface SecretKey {
  readonly name: string;
  readonly key: KeyObject;
  readonly public: PublicKey;
}

function publicKeyOf(name: string, bytes: Buffer): PublicKey {
  // RFC 8037: the only form in which node:crypto takes the bare bytes.
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: bytes.toString('base64url') };
  const key = createPublicKey({ key: jwk, format: 'jwk' });
  return { name, key, text: `${name}:${bytes.toString('base64')}` };
}

/** Reads a public key. Total. */
export function parsePublicKey(text: string): { readonly kind: 'key'; readonly key: PublicKey } | KeyRefusal {
  const split = splitPublicKey(text);
  return split.kind === 'refused' ? split : { kind: 'key', key: publicKeyOf(split.name, split.bytes) };
}

/** Reads a secret key. Total. The reason of a refusal never holds the key itself. */
export function parseSecretKey(text: string): { readonly kind: 'key'; readonly key: SecretKey } | KeyRefusal {
  const split = splitKey(text);
  if (split.kind === 'refused') return split;
  const { name, bytes } = split;
  if (bytes.length === PUBLIC) {
    return { kind: 'refused', why: `the key ${name} has 32 bytes as a public key has; a secret key has 64` };
  }
  if (bytes.length !== SEED + PUBLIC) {
    return { kind: 'refused', why: `the key ${name} has ${bytes.length} bytes, and a secret key has 64` };
  }
  const publicHalf = bytes.subarray(SEED);
  const jwk = {
    kty: 'OKP',
    crv: 'Ed25519',
    d: bytes.subarray(0, SEED).toString('base64url'),
    x: publicHalf.toString('base64url'),
  };
  const key = createPrivateKey({ key: jwk, format: 'jwk' });
  // OpenSSL computes the public half from the seed; signing with one that does not belong to it gives the seed away.
  const computed = createPublicKey(key).export({ format: 'jwk' }).x;
  if (computed !== jwk.x)
    return { kind: 'refused', why: `the two halves of the key ${name} do not belong together` };
  return { kind: 'key', key: { name, key, public: publicKeyOf(name, publicHalf) } };
}

/** In front of what is signed: a key that also signs a cache's .narinfo files never signs one thing for the other. */
const DOMAIN = 'nix-run-foreign fingerprint\n';

type Verified =
  /** `by` is the name of the key. */
  | { readonly kind: 'signed'; readonly by: string }
  /**
   * `cause` is `unsigned` (no signature), `untrusted` (none by a trusted key's name) or `forged` (one does not fit).
   */
  | {
      readonly kind: 'unsigned';
      readonly cause: 'unsigned' | 'untrusted' | 'forged';
      readonly why: string;
    };

/** `name:base64`, as Nix writes signatures. Ed25519 has no randomness: same key and fingerprint, same signature. */
export function signFingerprint(fingerprint: Fingerprint, secret: SecretKey): string {
  return signText(DOMAIN + canonicalText(fingerprint), secret);
}

/** The same of a text that begins with what it is, so that it can be taken for nothing else. */
export function signText(text: string, secret: SecretKey): string {
  return `${secret.name}:${signBytes(null, Buffer.from(text), secret.key).toString('base64')}`;
}

function nameOf(signature: string): string {
  return signature.slice(0, signature.indexOf(':'));
}

/** Whether one of a document's signatures is by a trusted key. Total. */
export function verifySignatures(
  unsigned: string,
  signatures: readonly string[],
  trusted: readonly PublicKey[],
): Verified {
  return verifyText(DOMAIN + unsigned, signatures, trusted);
}

/** The same of a text that `signText` signed. Total. */
export function verifyText(
  text: string,
  signatures: readonly string[],
  trusted: readonly PublicKey[],
): Verified {
  if (signatures.length === 0) return { kind: 'unsigned', cause: 'unsigned', why: 'it is not signed' };
  const message = Buffer.from(text);
  let forged: string | undefined;
  for (const signature of signatures) {
    const name = nameOf(signature);
    const bytes = bytesOfBase64(signature.slice(name.length + 1));
    // Two keys may have one name while an old one is replaced.
    for (const { key } of trusted.filter((each) => each.name === name)) {
      if (bytes !== undefined && verify(null, message, key, bytes)) return { kind: 'signed', by: name };
      forged = name;
    }
  }
  if (forged !== undefined) {
    const why = `the signature by ${forged} is not of this document or not by the trusted key of that name`;
    return { kind: 'unsigned', cause: 'forged', why };
  }
  const names = [...new Set(signatures.map(nameOf))];
  const why = `it is signed by ${listText(names, 3)}, and no trusted key has that name`;
  return { kind: 'unsigned', cause: 'untrusted', why };
}
