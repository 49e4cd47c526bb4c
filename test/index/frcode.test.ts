// Entries → front-coded bytes → the same entries, whatever is in their names and wherever the bytes are cut.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frcodeDecoder } from '../../src/index/frcode.ts';
import { seededRandom } from '../elf/seeded-random.ts';
import { type Entry, entriesOf, footerOf, frontCode, packageBytes, treeOf } from '../rig/file-index.ts';

type Decoded = { readonly entries: Entry[]; readonly wrong: string | undefined };

function decode(pieces: readonly Uint8Array[]): Decoded {
  const entries: Entry[] = [];
  const text = (bytes: Uint8Array, length: number) =>
    Buffer.from(bytes.subarray(0, length)).toString('latin1');
  const decoder = frcodeDecoder((metadata, m, path, p) => {
    entries.push({ metadata: text(metadata, m), path: text(path, p) });
    return undefined;
  });
  for (const piece of pieces) {
    const wrong = decoder.feed(piece);
    if (wrong !== undefined) return { entries, wrong };
  }
  return { entries, wrong: decoder.end() };
}

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');

/** Written by hand from the rules, so that the writer and the reader are both held to them. */
const FOOTER =
  '{"store_dir":"/nix/store","hash":"0123456789abcdfghijklmnpqrsvwxyz","name":"libfoo-1.2","origin":{"attr":"libfoo","output":"out","toplevel":true,"system":"x86_64-linux"}}';
const GOLDEN = Buffer.concat([
  hex('31 64 00 00 0a'),
  hex('33 64 00 00 2f 6c 69 62 0a'),
  hex('31 36 33 38 34 78 00 04 2f 6c 69 62 66 6f 6f 2e 73 6f 2e 31 2e 32 0a'),
  hex('6c 69 62 66 6f 6f 2e 73 6f 2e 31 2e 32 73 00 0c 0a'),
  hex('6c 69 62 66 6f 6f 2e 73 6f 2e 31 2e 32 73 00 fe 0a'),
  hex('70 00 f2'),
  Buffer.from(`${FOOTER}\n`),
]);

const LIBFOO = {
  hash: '0123456789abcdfghijklmnpqrsvwxyz',
  name: 'libfoo-1.2',
  attr: 'libfoo',
  tree: treeOf({
    'lib/libfoo.so.1.2': 16384,
    'lib/libfoo.so.1': '-> libfoo.so.1.2',
    'lib/libfoo.so': '-> libfoo.so.1.2',
  }),
};

test('the bytes of one package, as they are known', () => {
  assert.equal(GOLDEN.length, 245);
  assert.deepEqual(packageBytes(LIBFOO), GOLDEN);
  const { entries, wrong } = decode([GOLDEN]);
  assert.equal(wrong, undefined);
  assert.deepEqual(entries, [
    { metadata: '1d', path: '' },
    { metadata: '3d', path: '/lib' },
    { metadata: '16384x', path: '/lib/libfoo.so.1.2' },
    { metadata: 'libfoo.so.1.2s', path: '/lib/libfoo.so.1' },
    { metadata: 'libfoo.so.1.2s', path: '/lib/libfoo.so' },
    { metadata: 'p', path: footerOf(LIBFOO) },
  ]);
});

test('cut at every byte, and byte by byte, it reads the same', () => {
  const whole = decode([GOLDEN]);
  for (let at = 0; at <= GOLDEN.length; at += 1) {
    assert.deepEqual(decode([GOLDEN.subarray(0, at), GOLDEN.subarray(at)]), whole, `cut at ${at}`);
  }
  assert.deepEqual(decode([...GOLDEN].map((byte) => Uint8Array.of(byte))), whole);
});

test('a stream that was cut is not whole', () => {
  for (let at = 1; at < GOLDEN.length; at += 1) {
    const { wrong, entries } = decode([GOLDEN.subarray(0, at)]);
    const isEnd = GOLDEN[at - 1] === 0x0a && wrong === undefined;
    if (!isEnd) assert.ok(wrong !== undefined, `cut at ${at}`);
    assert.ok(entries.length <= 6);
  }
});

/** Path bytes that are likely to hurt: newlines, bytes above 127, long common beginnings. */
function randomEntries(random: (below: number) => number): Entry[] {
  const letter = () => String.fromCharCode([97, 98, 10, 255, 128, 47, 46, 13][random(8)] as number);
  const word = (longest: number) => Array.from({ length: random(longest) }, letter).join('');
  const long = 'x'.repeat(random(4) === 0 ? 200 + random(500) : random(20));
  const paths = [
    '',
    ...Array.from({ length: 1 + random(12) }, () => `/${random(2) === 0 ? long : ''}${word(12)}`),
  ];
  const entries = paths.map((path) => ({ metadata: `${word(9).replaceAll(/[\n\0]/g, 'm')}r`, path }));
  return [...entries, { metadata: 'p', path: '{}' }];
}

test('random entries survive, cut at random', () => {
  const differences = new Set<number>();
  for (let seed = 1; seed <= 3000; seed += 1) {
    const random = seededRandom(seed * 7919);
    const entries = [...randomEntries(random), ...randomEntries(random)];
    const bytes = frontCode(entries);
    for (let i = 0; i < bytes.length - 1; i += 1) if (bytes[i] === 0) differences.add(bytes[i + 1] as number);
    const cuts = [random(bytes.length), random(bytes.length)].sort((a, b) => a - b);
    const pieces = [bytes.subarray(0, cuts[0]), bytes.subarray(cuts[0], cuts[1]), bytes.subarray(cuts[1])];
    const decoded = decode(pieces);
    assert.equal(decoded.wrong, undefined, `seed ${seed}`);
    assert.deepEqual(decoded.entries, entries, `seed ${seed}`);
  }
  // Differences that look like a separator, and wide ones, were among them.
  for (const byte of [0x00, 0x0a, 0x80]) assert.ok(differences.has(byte), `no difference ${byte}`);
});

test('wide jumps both ways', () => {
  const far = 'd'.repeat(30_000);
  const entries = [`/${far}/a`, `/${far}/b`, '/c', `/${far}`, `/${far}/e`].map((path) => ({
    metadata: '1r',
    path,
  }));
  assert.deepEqual(decode([frontCode(entries)]), { entries, wrong: undefined });
});

test('entries that cannot be are refused', () => {
  const cases: [string, RegExp][] = [
    ['31 72 00 01 61 0a', /shares more/],
    ['31 72 00 ff 61 0a', /shares more/],
    ['31 72 00 00 2f 61 0a 31 72 00 03 62 0a', /shares more/],
    ['31 72 00 80 7f ff 0a', /shares more/],
    ['00 00 61 0a', /without metadata/],
    ['31 72 00 00 61 0a 00 00 62 0a', /without metadata/],
    ['31 72 00 00 61 31 72 00 00 62 0a', /without an end/],
    ['31 72 00 00 61', /without an end|within/],
    ['31 72', /within/],
    ['31 72 00', /within/],
    ['31 72 00 80 00', /within/],
    ['31 72 00 00 61 0a 31', /within/],
  ];
  for (const [bytes, expected] of cases) assert.match(decode([hex(bytes)]).wrong ?? '', expected, bytes);
});

test('the last difference that is allowed shares all of a path', () => {
  const { entries, wrong } = decode([hex('31 72 00 00 2f 61 0a 31 72 00 02 62 0a')]);
  assert.equal(wrong, undefined);
  assert.deepEqual(
    entries.map(({ path }) => path),
    ['/a', '/ab'],
  );
});

test('entries without end stop early, in little memory', () => {
  const before = process.memoryUsage().rss;
  for (const byte of [0x61, 0x0a, 0x00]) {
    let fed = 0;
    const decoder = frcodeDecoder(() => undefined);
    const piece = new Uint8Array(65_536).fill(byte);
    while (fed < 100 && decoder.feed(piece) === undefined) fed += 1;
    assert.ok(fed < 5, `${fed} pieces of ${byte}`);
  }
  assert.ok(process.memoryUsage().rss - before < 64e6);
});

test('a tree is written parents first and names descending', () => {
  const paths = entriesOf(treeOf({ 'a/b': 1, 'a/c': 2, b: 3 })).map(({ path }) => path);
  assert.deepEqual(paths, ['', '/b', '/a', '/a/c', '/a/b']);
});
