// Both forms of a NAR hash, compared with Nix's own nix-hash.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { hexOfNarHash } from '../../src/fingerprint/nar-hash.ts';

function base32(hex: string): string {
  const args = ['--type', 'sha256', '--to-base32', hex];
  return execFileSync('nix-hash', args, { encoding: 'utf8' }).trim();
}

test('base 32 as Nix writes it is the same hash in hexadecimal', () => {
  const hashes = Array.from({ length: 12 }, (_, i) => createHash('sha256').update(`${i}`).digest('hex'));
  for (const hex of [
    ...hashes,
    '0'.repeat(64),
    'f'.repeat(64),
    `01${'0'.repeat(62)}`,
    `${'0'.repeat(62)}80`,
  ]) {
    assert.equal(hexOfNarHash(`sha256:${base32(hex)}`), hex);
    assert.equal(hexOfNarHash(`sha256:${hex}`), hex);
  }
});

test('anything else is none', () => {
  const wrong = [
    '',
    'sha256:',
    `sha256:${'0'.repeat(63)}`,
    `sha256:${'0'.repeat(53)}`,
    `sha256:${'e'.repeat(52)}`,
  ];
  const odd = [`sha256:2${'0'.repeat(51)}`, `sha512:${'0'.repeat(64)}`, `sha256:${'0'.repeat(64)}\n`];
  const form = [`sha256-${'A'.repeat(43)}=`, `sha256:${'A'.repeat(64)}`];
  for (const each of [...wrong, ...odd, ...form]) assert.equal(hexOfNarHash(each), undefined, each);
});
