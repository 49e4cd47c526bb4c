// Everything somebody might put beside a program, above it, or on a server: each is refused with a line of its own.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { signedText } from '../../src/fingerprint/fingerprint.ts';
import { signFingerprint } from '../../src/fingerprint/signature.ts';
import { seededRandom } from '../elf/seeded-random.ts';
import { good, put } from './documents.ts';
import { hostileTexts } from './hostile-documents.ts';
import { byFile, onDisk, tree } from './hostile-files.ts';
import { byOrigin, byProgram, open } from './hostile-origins.ts';
import { type Situation, source, text, trusted, vendor, verdictOf } from './hostile-situation.ts';
import { byStore, inStore } from './hostile-stores.ts';

const byText = Object.fromEntries(
  Object.entries(hostileTexts).map(([what, { text: document, line }]): [string, Situation] => [
    what,
    { cause: 'document', line, judge: () => verdictOf(document) },
  ]),
);

const situations = Object.entries({ ...byText, ...byProgram, ...byOrigin, ...byStore, ...byFile });
const lines = new Map<string, string>();

test('what the hostile ones are made from is trusted', async () => {
  assert.equal((await verdictOf(text)).cause, 'trusted');
  const signed = signedText(good, [signFingerprint(good, vendor)]);
  for (const origin of [trusted, source, open])
    assert.equal((await verdictOf(signed, origin)).cause, 'trusted');
  assert.equal((await inStore('', /x/, {}).judge()).cause, 'trusted');
  assert.equal((await onDisk('', /x/, (file) => put(file, text)).judge()).cause, 'trusted');
  assert.equal((await onDisk('', /x/, (file) => put(file, tree), 'tree').judge()).cause, 'trusted');
});

for (const [what, situation] of situations) {
  test(`refused: ${what}`, async () => {
    const { cause, why } = await situation.judge();
    lines.set(what, `${cause}: ${why}`);
    assert.equal(cause, situation.cause, why);
    assert.match(why, situation.line);
    assert.ok(why.length <= 400, `${why.length} characters`);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not be there
    assert.doesNotMatch(why, /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/);
  });
}

test('different wrongs have different lines, and there are enough of them', () => {
  assert.ok(situations.length >= 100, `${situations.length}`);
  const expected = new Map<string, string>();
  for (const [what, { line }] of situations) {
    const said = lines.get(what) ?? '';
    const before = expected.get(said);
    assert.ok(
      before === undefined || before === line.source,
      `${what} is refused as something else is: ${said}`,
    );
    expected.set(said, line.source);
  }
  assert.ok(expected.size >= 80, `${expected.size} lines`);
});

test('of a signed document from a source, no other text is trusted', async () => {
  const signed = signedText(good, [signFingerprint(good, vendor)]);
  assert.equal((await verdictOf(signed, source)).cause, 'trusted');
  const pick = seededRandom(1);
  for (let round = 0; round < 2000; round += 1) {
    const at = pick(signed.length);
    const end = at + pick(4);
    const piece = signed.slice(pick(signed.length)).slice(0, pick(4));
    const edited = signed.slice(0, at) + piece + signed.slice(end);
    if (edited !== signed) assert.notEqual((await verdictOf(edited, source)).cause, 'trusted', edited);
  }
});

test('nothing hostile made an ordinary object different', () => {
  assert.deepEqual(Object.keys(Object.prototype), []);
  assert.equal(({} as Record<string, unknown>)['version'], undefined);
});
