// Words as people mistype them → the key that was meant, or none.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearestKey } from '../../src/config/parse-config.ts';
import { KEYS } from '../../src/config/settings.ts';

const CASES: readonly (readonly [string, string | undefined])[] = [
  ['source', 'sources'],
  ['Sources', 'sources'],
  ['source_timeout', 'source-timeout'],
  ['sourceTimeout', 'source-timeout'],
  ['timeout', 'source-timeout'],
  ['trusted-fingerprint-key', 'trusted-fingerprint-keys'],
  ['trusted-public-keys', 'trusted-fingerprint-keys'],
  ['strcit', 'strict'],
  ['stritc', 'strict'],
  ['substitutes', 'substitute'],
  ['zebra', undefined],
  ['s', undefined],
  ['', undefined],
  ['x'.repeat(100_000), undefined],
];

for (const [word, meant] of CASES) {
  test(`${word.slice(0, 30) || 'nothing'} → ${meant ?? 'none'}`, () => {
    assert.equal(nearestKey(word, KEYS), meant);
  });
}
