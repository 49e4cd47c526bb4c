// A NAR, the store paths it refers to and a name → the store path that Nix gives it, without asking Nix.
import { createHash } from 'node:crypto';

/** Nix's base 32: no e, o, t, u (Nix: src/libutil/hash.cc). */
const DIGITS = '0123456789abcdfghijklmnpqrsvwxyz';
const HASH_BYTES = 20;

function sha256(content: string | Uint8Array): Buffer {
  return createHash('sha256').update(content).digest();
}

/** Every byte of the long hash goes into one of the short one (compressHash). */
function compressed(hash: Buffer): Buffer {
  const short = Buffer.alloc(HASH_BYTES);
  hash.forEach((byte, index) => {
    short[index % HASH_BYTES] = (short[index % HASH_BYTES] ?? 0) ^ byte;
  });
  return short;
}

/** The lowest five bits last (printHash32). */
export function base32(bytes: Buffer): string {
  const value = BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
  const length = Math.ceil((bytes.length * 8) / 5);
  return Array.from({ length }, (_, index) => {
    const digit = (value >> BigInt(5 * (length - 1 - index))) & 31n;
    return DIGITS[Number(digit)];
  }).join('');
}

/** Nix manual, "Store Path Specification": type `source`, with its references, for a NAR hashed with SHA-256. */
export function fixedPath(
  storeDir: string,
  name: string,
  nar: Uint8Array,
  references: readonly string[],
): string {
  const type = ['source', ...[...references].sort()].join(':');
  const fingerprint = `${type}:sha256:${sha256(nar).toString('hex')}:${storeDir}:${name}`;
  return `${storeDir}/${base32(compressed(sha256(fingerprint)))}-${name}`;
}
