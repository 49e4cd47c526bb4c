// Ed25519 keys as Nix writes them, `name:base64` → keys that sign and verify.
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { type KeyRefusal, PUBLIC, SEED, splitKey, splitPublicKey } from '../configuration/named-key.ts';

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
