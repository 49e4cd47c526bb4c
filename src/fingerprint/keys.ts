// Ed25519 keys as Nix writes them, `name:base64` → keys that sign and verify.
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';

/** What `trusted-fingerprint-keys` lists: `name:` and 32 bytes in base 64. */
export interface PublicKey {
  readonly name: string;
  readonly key: KeyObject;
  /** As it is written. */
  readonly text: string;
}

/** What `nix key generate-secret` prints: `name:` and 64 bytes in base 64, the seed and then the public key. */
export interface SecretKey {
  readonly name: string;
  readonly key: KeyObject;
  readonly public: PublicKey;
}

export interface KeyRefusal {
  readonly kind: 'refused';
  readonly why: string;
}

const SEED = 32;
const PUBLIC = 32;

/** Printable ASCII without blanks, which separate keys in nix.conf, and without the colon that ends the name. */
const NAME = /^[!-9;-~]{1,255}$/;

interface NamedBytes {
  readonly kind: 'bytes';
  readonly name: string;
  readonly bytes: Buffer;
}

/** The bytes of base 64 as it is written with padding and in one way only; undefined for anything else. */
export function bytesOfBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

/** Nix: src/libutil/signature/local-keys.cc, Key::Key. White space at the ends is a file's, not the key's. */
function splitKey(text: string): NamedBytes | KeyRefusal {
  const written = text.trim();
  const colon = written.indexOf(':');
  if (colon < 1) return { kind: 'refused', why: 'it has no name and colon in front of the key' };
  const name = written.slice(0, colon);
  if (!NAME.test(name)) return { kind: 'refused', why: 'its name is not of printable ASCII without blanks' };
  const bytes = bytesOfBase64(written.slice(colon + 1));
  if (bytes === undefined) return { kind: 'refused', why: `the key ${name} is not in base 64` };
  return { kind: 'bytes', name, bytes };
}

function publicKeyOf(name: string, bytes: Buffer): PublicKey {
  // RFC 8037: the only form in which node:crypto takes the bare bytes.
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: bytes.toString('base64url') };
  const key = createPublicKey({ key: jwk, format: 'jwk' });
  return { name, key, text: `${name}:${bytes.toString('base64')}` };
}

/** Reads a public key. Total. The reason of a refusal never holds the key itself: it might be the secret one. */
export function parsePublicKey(text: string): { readonly kind: 'key'; readonly key: PublicKey } | KeyRefusal {
  const split = splitKey(text);
  if (split.kind === 'refused') return split;
  const { name, bytes } = split;
  if (bytes.length === SEED + PUBLIC) {
    return { kind: 'refused', why: `the key ${name} is a secret key; only the public one belongs here` };
  }
  if (bytes.length !== PUBLIC) {
    return { kind: 'refused', why: `the key ${name} has ${bytes.length} bytes, and a public key has 32` };
  }
  return { kind: 'key', key: publicKeyOf(name, bytes) };
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
