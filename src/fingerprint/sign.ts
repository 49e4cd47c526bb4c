// A fingerprint and a key → its signature; a document's signatures and the trusted keys → whose it is.
import { sign as signBytes, verify } from 'node:crypto';
import { bytesOfBase64 } from '../configuration/named-key.ts';
import { canonicalText, type Fingerprint } from './fingerprint.ts';
import type { PublicKey, SecretKey } from './keys.ts';

/** In front of what is signed: a key that also signs a cache's .narinfo files never signs one thing for the other. */
const DOMAIN = 'nix-run-foreign fingerprint\n';

export type Verified =
  /** `by` is the name of the key. */
  | { readonly kind: 'signed'; readonly by: string }
  /** `cause` is `unsigned` (no signature), `untrusted` (none by a trusted key's name) or `forged` (one does not fit). */
  | {
      readonly kind: 'unsigned';
      readonly cause: 'unsigned' | 'untrusted' | 'forged';
      readonly why: string;
    };

/** The bytes a signature is of; `unsigned` is the canonical text without signatures, as parse.ts gives it. */
export function signedMessage(unsigned: string): Buffer {
  return Buffer.from(DOMAIN + unsigned);
}

/** `name:base64`, as Nix writes signatures. Ed25519 has no randomness: same key and fingerprint, same signature. */
export function signFingerprint(fingerprint: Fingerprint, secret: SecretKey): string {
  const signature = signBytes(null, signedMessage(canonicalText(fingerprint)), secret.key);
  return `${secret.name}:${signature.toString('base64')}`;
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
  if (signatures.length === 0) return { kind: 'unsigned', cause: 'unsigned', why: 'it is not signed' };
  const message = signedMessage(unsigned);
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
  const more = names.length > 3 ? ` and ${names.length - 3} more` : '';
  const why = `it is signed by ${names.slice(0, 3).join(', ')}${more}, and no trusted key has that name`;
  return { kind: 'unsigned', cause: 'untrusted', why };
}
