// Values of every version → the present one, or a refusal that names the version.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FINGERPRINT_VERSION } from '../../src/fingerprint/fingerprint.ts';
import { migrate } from '../../src/fingerprint/parse-fingerprint.ts';

function why(value: unknown): string {
  const migrated = migrate(value);
  return migrated.kind === 'refused' ? migrated.why : '(present)';
}

test('every older version arrives at the present one, with all it holds, and knows where it came from', () => {
  for (let version = 1; version <= FINGERPRINT_VERSION; version += 1) {
    const value = JSON.parse(`{"version":${version},"kept":[1],"__proto__":{"x":1}}`);
    const migrated = migrate(value);
    assert.ok(migrated.kind === 'present');
    assert.equal(migrated.writtenIn, version);
    assert.equal(
      JSON.stringify(migrated.value),
      `{"version":${FINGERPRINT_VERSION},"kept":[1],"__proto__":{"x":1}}`,
    );
    assert.equal(Object.getPrototypeOf(migrated.value), Object.prototype);
  }
});

test('a newer version is refused by its number, with what to do', () => {
  assert.match(why({ version: 3 }), /^it has format 3, and this tool knows 2: take a newer/);
  assert.match(why({ version: Number.MAX_SAFE_INTEGER, signatures: 1 }), /9007199254740991/);
});

test('what has no version is refused, inherited ones included', () => {
  for (const value of [{}, JSON.parse('{"__proto__":{"version":1}}'), Object.create({ version: 1 })]) {
    assert.match(why(value), /^version: it says none/);
  }
  for (const version of ['1', null, 0, -1, 1.5, Number.POSITIVE_INFINITY, [1], {}])
    assert.match(why({ version }), /^version: no number/);
  for (const value of [null, 1, 'x', true, [], [{ version: 1 }]])
    assert.match(why(value), /^it is no JSON object/);
});

test('version 1 had no signatures', () => {
  assert.equal(why({ version: 1, signatures: [] }), 'signatures: version 1 has none');
  assert.equal(why({ version: 2, signatures: [] }), '(present)');
});
