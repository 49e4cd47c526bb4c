// A fingerprint that was lost with strict → what to do about it, and where strict was said.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { failureOfStrict } from '../../src/resolve/from-found-fingerprint.ts';

const refused = {
  kind: 'refused',
  where: '/opt/t.nix-fingerprint.json',
  why: 'it is signed by nobody',
} as const;
const unreachable = { kind: 'unreachable', where: 'https://x', why: 'no answer' } as const;

test('a refusal by --strict points to that word, and not to settings that do not have it', () => {
  const { hint, code } = failureOfStrict('t', refused, 'option');
  assert.equal(code, 'fingerprint-refused');
  assert.equal(hint, 'mend or remove that fingerprint, or leave --strict out: then the store is searched');
  assert.match(failureOfStrict('t', refused, 'setting').hint, /nix-foreign config says where it is set/);
});

test('a set that was not to be fetched leaves nothing to be mended', () => {
  const { hint, code } = failureOfStrict('t', { ...refused, cause: 'not-allowed' }, 'option');
  assert.equal(code, 'fingerprint-refused');
  assert.equal(hint, 'let it be fetched, or leave --strict out: then the store is searched');
});

test('a source that does not answer has nothing to be mended here', () => {
  const { hint, code } = failureOfStrict('t', unreachable, 'option');
  assert.equal(code, 'source-unreachable');
  assert.equal(hint, 'try again when it answers, or leave --strict out: then the store is searched');
});
