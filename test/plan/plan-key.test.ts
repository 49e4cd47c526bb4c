// Keys of plans against the published vectors of FNV-1a.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planKey } from '../../src/plan/plan-format.ts';

/** draft-eastlake-fnv, appendix C: 64-bit FNV-1a of texts without a final NUL. */
const vectors: Record<string, string> = {
  '': 'cbf29ce484222325',
  a: 'af63dc4c8601ec8c',
  b: 'af63df4c8601f1a5',
  foobar: '85944171f73967e8',
  fo: '08985907b541d342',
  foo: 'dcb27518fed9d577',
  'chongo was here!\n': '46810940eff5f915',
};

for (const [text, key] of Object.entries(vectors)) {
  test(`the key of ${JSON.stringify(text)}`, () => assert.equal(planKey(text), key));
}

test('a key is of the bytes of the path', () => {
  const bytes = [0xcbf29ce484222325n];
  for (const byte of Buffer.from('/é/日')) {
    bytes.push(BigInt.asUintN(64, ((bytes.at(-1) ?? 0n) ^ BigInt(byte)) * 0x100000001b3n));
  }
  assert.equal(planKey('/é/日'), bytes.at(-1)?.toString(16).padStart(16, '0'));
  for (let i = 0; i < 300; i += 1) assert.match(planKey(`/bin/${i}`), /^[0-9a-f]{16}$/);
});
