// A name and a change → a fingerprint to judge, keys to sign it with, and files to find it in.
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Fingerprint } from '../../src/fingerprint/fingerprint.ts';
import { parseSecretKey, type SecretKey } from '../../src/fingerprint/signature.ts';

export const STORE = '/nix/store';
export const HASH = '0123456789abcdfghijklmnpqrsvwxyz';
export const object = (name: string): string => `${STORE}/${HASH}-${name}`;

export const good: Fingerprint = {
  version: 2,
  program: {
    sha256: 'ab'.repeat(32),
    size: 1234,
    system: 'x86_64-linux',
    interpreter: '/lib64/ld-linux-x86-64.so.2',
  },
  loader: { storePath: object('glibc-2.40'), file: 'lib/ld-linux-x86-64.so.2' },
  libraries: [
    { soname: 'libssl.so.3', storePath: object('openssl-3.0'), file: 'lib/libssl.so.3', match: 'exact' },
    {
      soname: 'libz.so.1',
      storePath: object('zlib-1.3'),
      file: 'lib/libz.so.1.3',
      narHash: `sha256:${'0'.repeat(64)}`,
      match: 'closest',
    },
  ],
  tool: { name: 'nix-run-foreign', version: '0.1.0' },
};

// biome-ignore lint/suspicious/noExplicitAny: documents that are wrong in every way
export type Wrong = any;

/** The good document after a change that its type need not allow. */
export function changed(change: (document: Wrong) => void): Wrong {
  const document = structuredClone(good) as Wrong;
  change(document);
  return document;
}

/** A secret key as Nix writes it, from a seed of one repeated byte (RFC 8410 is how node:crypto takes a bare seed). */
export function secretKeyText(name: string, seedByte: number): string {
  const seed = Buffer.alloc(32, seedByte);
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]);
  const x = createPublicKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })).export({
    format: 'jwk',
  }).x;
  return `${name}:${Buffer.concat([seed, Buffer.from(x ?? '', 'base64url')]).toString('base64')}`;
}

export function secretKey(name: string, seedByte: number): SecretKey {
  const parsed = parseSecretKey(secretKeyText(name, seedByte));
  if (parsed.kind === 'refused') throw new Error(parsed.why);
  return parsed.key;
}

/** Writes a file that only its owner may write, with its directories, whatever the umask is. */
export function put(file: string, content: string | Uint8Array): string {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o755 });
  writeFileSync(file, content, { mode: 0o644 });
  return file;
}
