// `name:base64`, as Nix writes Ed25519 keys → the name and the bytes, or why it is none. Whose key it is, is not asked.

export interface KeyRefusal {
  readonly kind: 'refused';
  /** Never holds the key itself: it might be the secret one. */
  readonly why: string;
}

interface NamedBytes {
  readonly kind: 'bytes';
  readonly name: string;
  readonly bytes: Buffer;
}

/** Bytes of a secret key's first half; RFC 8032, section 5.1.5. */
export const SEED = 32;
/** Bytes of a public key. */
export const PUBLIC = 32;

/** Printable ASCII without blanks, which separate keys in nix.conf, and without the colon that ends the name. */
const NAME = /^[!-9;-~]{1,255}$/;

/** The bytes of base 64 as it is written with padding and in one way only; undefined for anything else. */
export function bytesOfBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

/** Nix: src/libutil/signature/local-keys.cc, Key::Key. White space at the ends is a file's, not the key's. Total. */
export function splitKey(text: string): NamedBytes | KeyRefusal {
  const written = text.trim();
  if (written === '') return { kind: 'refused', why: 'it is empty' };
  const colon = written.indexOf(':');
  if (colon < 1) return { kind: 'refused', why: 'it has no name and colon in front of the key' };
  const name = written.slice(0, colon);
  if (!NAME.test(name)) return { kind: 'refused', why: 'its name is not of printable ASCII without blanks' };
  const bytes = bytesOfBase64(written.slice(colon + 1));
  if (bytes === undefined) return { kind: 'refused', why: `the key ${name} is not in base 64` };
  return { kind: 'bytes', name, bytes };
}

/** A public key of `nix-store --generate-binary-cache-key`. Total. */
export function splitPublicKey(text: string): NamedBytes | KeyRefusal {
  const split = splitKey(text);
  if (split.kind === 'refused') return split;
  const { name, bytes } = split;
  if (bytes.length === SEED + PUBLIC) {
    return { kind: 'refused', why: `the key ${name} is a secret key; only the public one belongs here` };
  }
  if (bytes.length !== PUBLIC) {
    return { kind: 'refused', why: `the key ${name} has ${bytes.length} bytes, and a public key has 32` };
  }
  return split;
}
