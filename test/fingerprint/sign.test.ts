// Signatures of documents: the same everywhere, by nobody else, of nothing else.
import assert from 'node:assert/strict';
import { sign as signBytes } from 'node:crypto';
import { test } from 'node:test';
import { canonicalText, signedText } from '../../src/fingerprint/fingerprint.ts';
import { parseFingerprint } from '../../src/fingerprint/parse-fingerprint.ts';
import {
  parsePublicKey,
  parseSecretKey,
  signFingerprint,
  verifySignatures,
} from '../../src/fingerprint/signature.ts';
import { changed, good, STORE, secretKey } from './documents.ts';

const text = canonicalText(good);
const vendor = secretKey('vendor-1', 1);
const stranger = secretKey('stranger', 2);

function causeOf(signatures: readonly string[], trusted = [vendor.public], unsigned = text): string {
  const verified = verifySignatures(unsigned, signatures, trusted);
  return verified.kind === 'signed' ? `signed by ${verified.by}` : verified.cause;
}

test('the signature that OpenSSL makes of the domain line and the canonical text', () => {
  // openssl pkeyutl -sign -rawin, with the key of RFC 8032, 7.1, test 1
  const rfc = 'rfc:nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2DXWpgBgrEKt9VL/tPJZAc6DuFy89qmIyWvAhpo9wdRGg==';
  const parsed = parseSecretKey(rfc);
  assert.ok(parsed.kind === 'key');
  assert.equal(
    signFingerprint(good, parsed.key),
    'rfc:EjqeN02FeXXfPyS8RE38mkM8DBhuJepbIeWA49MTEzjd0NdSPTWkRcUX4dr3pPsxifETExpduobWFidBd5YaDg==',
  );
});

test('a signed document is read back and verified', () => {
  const signatures = [vendor, stranger].map((key) => signFingerprint(good, key));
  const parsed = parseFingerprint(signedText(good, signatures), STORE);
  assert.ok(parsed.kind === 'fingerprint', JSON.stringify(parsed));
  assert.equal(causeOf(parsed.signatures, [vendor.public], parsed.unsigned), 'signed by vendor-1');
  assert.equal(causeOf(parsed.signatures, [stranger.public], parsed.unsigned), 'signed by stranger');
});

test('a document of another version is verified by its own bytes', () => {
  const later = { ...good, version: 3 };
  const signature = signFingerprint(later, vendor);
  assert.equal(causeOf([signature], [vendor.public], canonicalText(later)), 'signed by vendor-1');
  assert.equal(causeOf([signature]), 'forged');
});

test('unsigned, untrusted and forged are told apart', () => {
  const signature = signFingerprint(good, vendor);
  assert.equal(causeOf([]), 'unsigned');
  assert.equal(causeOf([signature], []), 'untrusted');
  assert.equal(causeOf([signFingerprint(good, stranger)]), 'untrusted');
  const renamed = signFingerprint(good, stranger).replace('stranger', 'vendor-1');
  assert.equal(causeOf([renamed]), 'forged');
  assert.equal(causeOf([renamed, signature].sort()), 'signed by vendor-1');
  const other = changed((each) => (each.program.size += 1));
  assert.equal(causeOf([signFingerprint(other, vendor)]), 'forged');
});

test('a signature of the bare text, as a cache key could be made to give, is none', () => {
  const bare = signBytes(null, Buffer.from(text), vendor.key).toString('base64');
  assert.equal(causeOf([`vendor-1:${bare}`]), 'forged');
});

test('every bit of a signature counts', () => {
  const signature = signFingerprint(good, vendor);
  const bytes = Buffer.from(signature.slice('vendor-1:'.length), 'base64');
  for (let bit = 0; bit < bytes.length * 8; bit += 1) {
    const flipped = Buffer.from(bytes);
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    assert.equal(causeOf([`vendor-1:${flipped.toString('base64')}`]), 'forged', `bit ${bit}`);
  }
});

test('while a key is replaced, two may have one name', () => {
  const next = secretKey('vendor-1', 3);
  const both = [next.public, vendor.public];
  assert.equal(causeOf([signFingerprint(good, vendor)], both), 'signed by vendor-1');
  assert.equal(causeOf([signFingerprint(good, next)], both), 'signed by vendor-1');
});

test('a public key that came as text verifies', () => {
  const parsed = parsePublicKey(vendor.public.text);
  assert.ok(parsed.kind === 'key');
  assert.equal(causeOf([signFingerprint(good, vendor)], [parsed.key]), 'signed by vendor-1');
});
