// Documents from anywhere: the good ones come back, the hostile ones are refused, and the JSON Schema says the same.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import {
  canonicalText,
  type Fingerprint,
  signedText,
  storePathsOf,
  storeTextOf,
} from '../../src/fingerprint/fingerprint.ts';
import { parseFingerprint } from '../../src/fingerprint/parse-fingerprint.ts';
import { good, HASH, object, STORE } from './documents.ts';

// biome-ignore lint/suspicious/noExplicitAny: documents that are wrong in every way
type Wrong = any;

function changed(change: (document: Wrong) => void): Wrong {
  const document = structuredClone(good) as Wrong;
  change(document);
  return document;
}

const schemaFile = path.resolve(import.meta.dirname, '../../src/fingerprint/fingerprint.schema.json');
const fits = new Ajv2020({ strict: true }).compile(JSON.parse(readFileSync(schemaFile, 'utf8')));

function why(text: string): string | undefined {
  const parsed = parseFingerprint(text, STORE);
  return parsed.kind === 'refused' ? parsed.why : undefined;
}

test('canonical bytes: sorted keys, no white space, one line feed, whatever the order of the input', () => {
  const text = canonicalText(good);
  assert.ok(
    text.startsWith(
      '{"libraries":[{"file":"lib/libssl.so.3","match":"exact","soname":"libssl.so.3","storePath":',
    ),
  );
  assert.ok(text.endsWith('"version":2}\n'));
  assert.deepEqual(text.match(/\s/g), ['\n']);
  const shuffled = Object.fromEntries(Object.entries(good).reverse()) as unknown as Fingerprint;
  assert.equal(canonicalText(shuffled), text);
});

test('a document comes back as it was, and is written again byte for byte', () => {
  const parsed = parseFingerprint(canonicalText(good), STORE);
  assert.ok(parsed.kind === 'fingerprint', JSON.stringify(parsed));
  assert.deepEqual(parsed.fingerprint, good);
  assert.equal(canonicalText(parsed.fingerprint), canonicalText(good));
});

test('store paths once each, sorted, the loader among them', () => {
  const twice = changed((each) => each.libraries.push({ ...each.libraries[1], soname: 'libzz.so' }));
  const paths = [object('glibc-2.40'), object('openssl-3.0'), object('zlib-1.3')];
  assert.deepEqual(storePathsOf(twice), paths);
  const text = storeTextOf(good);
  assert.deepEqual(text.references, paths);
  assert.equal(text.name, `fingerprint-${'ab'.repeat(8)}.json`);
  assert.equal(text.content, canonicalText(good));
});

/** Any 64 bytes. */
const signatureBy = (name: string, byte = 7): string =>
  `${name}:${Buffer.alloc(64, byte).toString('base64')}`;

const accepted: Record<string, Wrong> = {
  'as it is': good,
  'no libraries': changed((each) => (each.libraries = [])),
  'an empty program': changed((each) => (each.program.size = 0)),
  'the largest size': changed((each) => (each.program.size = Number.MAX_SAFE_INTEGER)),
  'a soname with a blank and signs': changed((each) => (each.libraries[1].soname = 'lib x+~-[].so.1')),
  'a file with odd names': changed((each) => (each.loader.file = 'lib/..x/.y/z..é')),
  'every match': changed((each) => (each.libraries[0].match = 'pinned')),
  'one signature': changed((each) => (each.signatures = [signatureBy('vendor-1')])),
  'two signatures, sorted': changed((each) => (each.signatures = [signatureBy('a'), signatureBy('b')])),
  'a hash in base 32': changed((each) => (each.loader.narHash = `sha256:${'0'.repeat(52)}`)),
  'version 1': changed((each) => (each.version = 1)),
  'a long soname': changed((each) => (each.libraries[1].soname = `lib${'x'.repeat(252)}`)),
};

for (const [what, document] of Object.entries(accepted)) {
  test(`trusted: ${what}`, () => {
    assert.equal(why(canonicalText(document)), undefined);
    assert.equal(fits(document), true, JSON.stringify(fits.errors));
  });
}

const refused: Record<string, Wrong> = {
  null: null,
  'a number': 1,
  'an array': [],
  'no fields': {},
  'a field too many': changed((each) => (each.extra = 1)),
  'a field too many below': changed((each) => (each.libraries[0].extra = 1)),
  'a version in words': changed((each) => (each.version = '1')),
  'version 0': changed((each) => (each.version = 0)),
  'no version': changed((each) => delete each.version),
  'a short hash': changed((each) => (each.program.sha256 = 'ab')),
  'a hash in capitals': changed((each) => (each.program.sha256 = 'AB'.repeat(32))),
  'a hash with a line end': changed((each) => (each.program.sha256 += '\n')),
  'a negative size': changed((each) => (each.program.size = -1)),
  'a broken size': changed((each) => (each.program.size = 1.5)),
  'a size beyond integers': changed((each) => (each.program.size = 2 ** 53)),
  'no size': changed((each) => (each.program.size = null)),
  'another system': changed((each) => (each.program.system = 'x86_64-darwin')),
  'no interpreter': changed((each) => (each.program.interpreter = '')),
  'a path outside the store': changed((each) => (each.loader.storePath = '/etc')),
  'the store itself': changed((each) => (each.loader.storePath = STORE)),
  'a relative store path': changed((each) => (each.loader.storePath = `${HASH}-glibc`)),
  'a path below a store object': changed((each) => (each.loader.storePath += '/lib')),
  'a store path with ..': changed((each) => (each.loader.storePath = `${STORE}/../store/../../etc`)),
  'a store path with a bad hash': changed((each) => (each.loader.storePath = `${STORE}/${'e'.repeat(32)}-x`)),
  'a store path with a line end': changed((each) => (each.loader.storePath += '\n')),
  'a file that leaves': changed((each) => (each.loader.file = '../../etc/passwd')),
  'a file that leaves in the middle': changed((each) => (each.loader.file = 'lib/../../../etc/passwd')),
  'an absolute file': changed((each) => (each.loader.file = '/bin/sh')),
  'a file with a dot': changed((each) => (each.loader.file = 'lib/./x')),
  'a file with an empty part': changed((each) => (each.loader.file = 'lib//x')),
  'a file that is a directory': changed((each) => (each.loader.file = 'lib/')),
  'no file': changed((each) => (each.loader.file = '')),
  'a file with NUL': changed((each) => (each.loader.file = 'lib/x\0y')),
  'a file without end': changed((each) => (each.loader.file = 'x'.repeat(5000))),
  'a soname with a slash': changed((each) => (each.libraries[0].soname = '../../x')),
  'a soname ..': changed((each) => (each.libraries[0].soname = '..')),
  'a soname .': changed((each) => (each.libraries[0].soname = '.')),
  'a soname that is a directory of the farm': changed((each) => (each.libraries[0].soname = 'glibc-hwcaps')),
  'an empty soname': changed((each) => (each.libraries[0].soname = '')),
  'a soname with a line end': changed((each) => (each.libraries[0].soname = 'lib\n.so')),
  'a soname with NUL': changed((each) => (each.libraries[0].soname = 'lib\0.so')),
  'a soname longer than a file name': changed((each) => (each.libraries[0].soname = 'é'.repeat(200))),
  'a match nobody knows': changed((each) => (each.libraries[0].match = 'guessed')),
  'a hash of another kind': changed((each) => (each.libraries[0].narHash = 'md5:00')),
  'a hash that is null': changed((each) => (each.libraries[0].narHash = null)),
  'libraries that are an object': changed((each) => (each.libraries = { 0: each.libraries[0] })),
  'a hash in base 32 with more than 256 bits': changed(
    (each) => (each.loader.narHash = `sha256:${'z'.repeat(52)}`),
  ),
  'a hash between the two forms': changed((each) => (each.loader.narHash = `sha256:${'0'.repeat(60)}`)),
  'an interpreter with NUL': changed((each) => (each.program.interpreter = '/lib/ld\0.so')),
  'a file that is half a character': changed((each) => (each.loader.file = 'lib/\ud800')),
  'signatures in version 1': changed((each) => {
    each.version = 1;
    each.signatures = [signatureBy('a')];
  }),
  'no signature in the list': changed((each) => (each.signatures = [])),
  'a signature in words': changed((each) => (each.signatures = 'a:b')),
  'a signature without a name': changed((each) => (each.signatures = [signatureBy('')])),
  'a signature with a blank in the name': changed((each) => (each.signatures = [signatureBy('a b')])),
  'a short signature': changed((each) => (each.signatures = ['a:AAAA'])),
  'a signature with bits too many': changed((each) => (each.signatures = [`a:${'A'.repeat(85)}B==`])),
  'a signature in the base 64 of URLs': changed((each) => (each.signatures = [`a:${'-'.repeat(85)}A==`])),
  'a signature twice': changed((each) => (each.signatures = [signatureBy('a'), signatureBy('a')])),
  'too many signatures': changed((each) => {
    each.signatures = Array.from({ length: 65 }, (_, i) => signatureBy(`k${100 + i}`));
  }),
  'another tool': changed((each) => (each.tool.name = 'other')),
  'too many libraries': changed((each) => {
    each.libraries = Array.from({ length: 5001 }, (_, i) => ({ ...each.libraries[0], soname: `l${i}` }));
  }),
};

for (const [what, document] of Object.entries(refused)) {
  test(`refused: ${what}`, () => {
    const text = `${JSON.stringify(document)}\n`;
    const reason = why(text);
    assert.ok(reason !== undefined && reason.length > 5, String(reason));
    assert.doesNotMatch(reason, /[\n\0]/);
    assert.equal(fits(JSON.parse(text)), false, 'the JSON Schema lets it pass');
  });
}

const text = canonicalText(good);

/** What only the reader can tell: the schema knows neither bytes nor the store of a machine. */
const refusedTexts: Record<string, readonly [text: string, why: RegExp]> = {
  'no JSON': ['{', /not JSON/],
  nothing: ['', /not JSON/],
  'a byte order mark': [`\ufeff${text}`, /not JSON/],
  'JSON with something after it': [`${text}x`, /not JSON/],
  NaN: [text.replace('"size":1234', '"size":NaN'), /not JSON/],
  infinity: [text.replace('"size":1234', '"size":1e999'), /size/],
  'a newer version': [text.replace('"version":2}', '"version":3}'), /format 3.*knows 2/],
  'a much newer version with another shape': ['{"version":7}', /format 7.*knows 2/],
  'another store': [text.replaceAll(STORE, '/other/store'), /storePath/],
  'a store whose name begins alike': [text.replaceAll(STORE, '/nix/store2'), /storePath/],
  'white space': [JSON.stringify(JSON.parse(text), null, 1), /canonical/],
  'no line end': [text.trimEnd(), /canonical/],
  'other order': [`${JSON.stringify(good)}\n`, /canonical/],
  'a key twice': [text.replace('"size":1234', '"size":1,"size":1234'), /the key "size" is there twice/],
  'a number in another form': [text.replace('"size":1234', '"size":1234.0'), /canonical/],
  'signatures not sorted': [
    canonicalText(changed((each) => (each.signatures = [signatureBy('b'), signatureBy('a')]))),
    /signatures: not sorted/,
  ],
  'a library twice': [
    canonicalText(changed((each) => (each.libraries[1].soname = each.libraries[0].soname))),
    /twice/,
  ],
  'the key __proto__': [
    text.replace('{"libraries"', '{"__proto__":{"version":1},"libraries"'),
    /^__proto__: no field/,
  ],
  'deep nesting': ['['.repeat(400_000), /./],
  'more than 1 MiB': [`${' '.repeat(1 << 20)}${text}`, /1 MiB/],
};

for (const [what, [document, reason]] of Object.entries(refusedTexts)) {
  test(`refused: ${what}`, () => {
    assert.match(why(document) ?? '(trusted)', reason);
    assert.notEqual(why(document), undefined);
  });
}

test('a document cut anywhere is refused', () => {
  for (let length = 0; length < text.length; length += 1)
    assert.notEqual(why(text.slice(0, length)), undefined);
});

test('version 1 is read as version 2, and what its bytes were is still known', () => {
  const old = canonicalText({ ...good, version: 1 });
  const parsed = parseFingerprint(old, STORE);
  assert.ok(parsed.kind === 'fingerprint', JSON.stringify(parsed));
  assert.deepEqual(parsed.fingerprint, good);
  assert.equal(parsed.unsigned, old);
});

test('signatures are told apart from what they sign', () => {
  const signatures = [signatureBy('a'), signatureBy('b')];
  const parsed = parseFingerprint(signedText(good, signatures.toReversed()), STORE);
  assert.ok(parsed.kind === 'fingerprint', JSON.stringify(parsed));
  assert.deepEqual(parsed.signatures, signatures);
  assert.deepEqual(parsed.fingerprint, good);
  assert.equal(parsed.unsigned, text);
  assert.equal(signedText(good, []), text);
});

test('every reason is a line of its own that says where', () => {
  const reasons = Object.entries(refused).map(([what, document]) => [
    what,
    why(`${JSON.stringify(document)}\n`),
  ]);
  for (const [what, reason] of reasons) {
    assert.match(String(reason), /^(?:it |[\w.]+: )/, what);
    assert.doesNotMatch(String(reason), /Invalid/, what);
  }
});
