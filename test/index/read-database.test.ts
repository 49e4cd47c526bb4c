// Databases of both versions, whole and damaged → what is read of them, and what is said of the others.
import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import type { PackageObjects } from '../../src/index/package-objects.ts';
import { readDatabase } from '../../src/index/read-database.ts';
import {
  databaseOf,
  frontCode,
  hashOf,
  header,
  type IndexedPackage,
  packageBytes,
  seekTable,
  skippableFrame,
  treeOf,
  versionOne,
  versionTwo,
  zstdFrame,
} from '../rig/file-index.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'nix-run-foreign-database-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

type Answer = Awaited<ReturnType<typeof readDatabase>>;

async function readFrom(file: string, found: PackageObjects[] = []): Promise<Answer> {
  const fd = openSync(file, 'r');
  try {
    const give = (each: PackageObjects) => found.push(each);
    return await readDatabase(fd, { storeDir: '/nix/store', give, progress: () => {} });
  } finally {
    closeSync(fd);
  }
}

async function read(bytes: Uint8Array): Promise<{ answer: Answer; found: PackageObjects[] }> {
  const file = path.join(scratch, 'files');
  writeFileSync(file, bytes);
  const found: PackageObjects[] = [];
  return { answer: await readFrom(file, found), found };
}

const library = (number: number): IndexedPackage => ({
  hash: hashOf(number),
  name: `libn${number}-1.${number}`,
  attr: `libn${number}`,
  tree: treeOf({
    [`lib/libn${number}.so.1.2`]: 20_000 + number,
    [`lib/libn${number}.so.1`]: `-> libn${number}.so.1.2`,
    'share/doc/README': 5,
    'lib/python3/site-packages/x.py': 5,
  }),
});
const packages = Array.from({ length: 20 }, (_, i) => library(i + 1));
const expected = packages.map(({ hash, name, attr }, i) => ({
  object: { name: `${hash}-${name}`, attr, output: 'out', toplevel: true, system: 'x86_64-linux' },
  files: [
    { name: `libn${i + 1}.so.1.2`, dir: 'lib', kind: 'executable', size: 20_001 + i, target: '' },
    { name: `libn${i + 1}.so.1`, dir: 'lib', kind: 'link', size: 0, target: `libn${i + 1}.so.1.2` },
  ],
}));

const bytesOf = (each: readonly IndexedPackage[]) => Buffer.concat(each.map((one) => packageBytes(one)));

test('both versions, in one frame and in many, with skippable ones and checksums between them', async () => {
  const [first, second] = [packages.slice(0, 7), packages.slice(7)].map(bytesOf) as [Buffer, Buffer];
  const all = bytesOf(packages);
  const cases: [string, Buffer, number][] = [
    ['version 1', databaseOf(packages, 1), 1],
    ['version 2', databaseOf(packages, 2, 3), 2],
    ['version 2 with one frame', databaseOf(packages, 2, 1), 2],
    ['appended', versionOne(zstdFrame(first), zstdFrame(second, 19, true)), 1],
    [
      'skippable',
      versionOne(
        skippableFrame(Buffer.from('x')),
        zstdFrame(first),
        skippableFrame(first, 0x184d2a5f),
        zstdFrame(second),
      ),
      1,
    ],
    ['cut within an entry', versionOne(zstdFrame(all.subarray(0, 333)), zstdFrame(all.subarray(333))), 1],
    ['empty frames', versionOne(zstdFrame(Buffer.alloc(0)), zstdFrame(all), zstdFrame(Buffer.alloc(0))), 1],
  ];
  for (const [what, bytes, version] of cases) {
    const { answer, found } = await read(bytes);
    assert.equal(answer.kind, 'read', `${what}: ${JSON.stringify(answer)}`);
    assert.equal(answer.kind === 'read' && answer.version, version);
    assert.deepEqual(found, expected, what);
  }
});

test('what is said of files that are no whole database', async () => {
  const whole = databaseOf(packages, 1);
  const two = databaseOf(packages, 2, 3);
  const all = bytesOf(packages);
  const frame = zstdFrame(all);
  const noFooter = zstdFrame(all.subarray(0, all.lastIndexOf('p\0')));
  const bad = (json: string) =>
    zstdFrame(
      frontCode([
        { metadata: '9x', path: '/lib/libx.so.1' },
        { metadata: 'p', path: json },
      ]),
    );
  const flipped = Buffer.from(whole);
  flipped[whole.length >> 1] = (flipped[whole.length >> 1] as number) ^ 0xff;
  const table = (change: (bytes: Buffer) => void): Buffer => {
    const changed = seekTable([frame]);
    change(changed);
    return Buffer.concat([header(2), frame, changed]);
  };
  const cases: [string, Uint8Array, RegExp][] = [
    ['empty', Buffer.alloc(0), /no-index/],
    ['short', Buffer.from('NIXI\x01'), /no-index/],
    ['text', Buffer.from('SQLite format 3\0 and so on'), /no-index/],
    ['header only', header(1), /too early/],
    ['version 3', Buffer.concat([header(3), frame]), /unknown-version.*3/],
    ['version 2^60', Buffer.concat([header(2n ** 60n), frame]), /unknown-version/],
    ['big endian', Buffer.concat([Buffer.from('NIXI\0\0\0\0\0\0\0\x01'), frame]), /unknown-version/],
    ['cut', whole.subarray(0, whole.length - 3), /too early/],
    ['cut in the table', two.subarray(0, two.length - 3), /too early/],
    ['no table', Buffer.concat([header(2), frame]), /table/],
    ['table of another length', table((each) => each.writeUInt32LE(16, each.length - 4)), /table/],
    ['table with another count', table((each) => each.writeUInt32LE(9, 8)), /table/],
    ['table with another frame', table((each) => each.writeUInt32LE(9, 12)), /table/],
    ['more after the table', Buffer.concat([versionTwo(frame), frame]), /table/],
    ['trailing bytes', Buffer.concat([whole, Buffer.from('hello, world')]), /something else/],
    ['trailing zeros', Buffer.concat([whole, Buffer.alloc(9)]), /something else/],
    ['flipped', flipped, /damaged/],
    ['no footer', versionOne(noFooter), /no end/],
    ['footer of text', versionOne(bad('hello')), /no JSON/],
    ['footer of half', versionOne(bad('{"store_dir":}')), /no JSON/],
    ['footer without origin', versionOne(bad('{"store_dir":"/nix/store","hash":"a","name":"b"}')), /no JSON/],
    ['footer of bytes', versionOne(bad('{"\xff\xfe":1}')), /no JSON/],
    ['footer of numbers', versionOne(bad('{"store_dir":1,"hash":2,"name":3,"origin":{}}')), /no JSON/],
    ['cut within an entry', versionOne(zstdFrame(all.subarray(0, all.length - 1))), /without an end|within/],
    ['raw bytes', versionOne(Buffer.from(all)), /something else/],
  ];
  for (const [what, bytes, pattern] of cases) {
    const { answer } = await read(bytes);
    assert.notEqual(answer.kind, 'read', what);
    assert.match(JSON.stringify(answer), pattern, what);
  }
});

test('cut anywhere, nothing is taken for whole', async () => {
  for (const whole of [databaseOf(packages, 1), databaseOf(packages, 2, 3)]) {
    const file = path.join(scratch, 'cut');
    writeFileSync(file, whole);
    for (let size = whole.length - 1; size >= 0; size -= 1 + (size >> 5)) {
      truncateSync(file, size);
      assert.notEqual((await readFrom(file)).kind, 'read', `cut at ${size}`);
    }
  }
});

test('bytes altered anywhere: read as something, or damaged, and never an exception', async () => {
  const whole = databaseOf(packages, 2, 3);
  for (let at = 0; at < whole.length; at += 3) {
    const changed = Buffer.from(whole);
    changed[at] = (changed[at] as number) ^ 0x41;
    const { answer } = await read(changed);
    assert.ok(['read', 'damaged', 'no-index', 'unknown-version', 'no-libraries'].includes(answer.kind));
  }
});

test('an index of programs only is recognised', async () => {
  for (const prefix of ['/bin/', '/bin']) {
    const small = packages.map((each) =>
      packageBytes({ ...each, tree: treeOf({ 'bin/tool': 5, 'lib/libx.so': 600 }) }, prefix),
    );
    const { answer } = await read(versionOne(zstdFrame(Buffer.concat(small))));
    assert.deepEqual(answer, { kind: 'no-libraries' }, prefix);
  }
  const binary = packageBytes({ ...library(1), tree: treeOf({ 'binary/tool': 5 }) }, '/binary/');
  assert.equal((await read(versionOne(zstdFrame(binary)))).answer.kind, 'read');
});

test('what nobody may be given is passed over, and counted', async () => {
  const hash = hashOf(7);
  const lib = treeOf({ 'lib/libx.so.1': 9000 });
  const file = (name: string) => treeOf({ [name]: 9000 });
  const cases: IndexedPackage[] = [
    { hash, name: 'other', storeDir: '/gnu/store', tree: lib },
    { hash: hash.slice(1), name: 'short', tree: lib },
    { hash: `${hash.slice(1)}e`, name: 'letter', tree: lib },
    { hash, name: 'a b', tree: lib },
    { hash, name: '../x', tree: lib },
    { hash, name: 'x; reboot', tree: lib },
    { hash, name: '--help\n', tree: lib },
    { hash, name: 'x.drv', tree: lib },
    { hash, name: '', tree: lib },
    { hash, name: 'up', tree: file('lib/../../libx.so.1') },
    { hash, name: 'dot', tree: file('lib/./libx.so.1') },
    { hash, name: 'escape', tree: file('lib/lib\x1b[2Jx.so.1') },
    { hash, name: 'bytes', tree: file('lib/lib\xffx.so.1') },
    { hash, name: 'line', tree: file('lib/lib\nx.so.1') },
    { hash, name: 'token', tree: file('lib/$ORIGIN.so.1') },
    { hash, name: 'link', tree: treeOf({ 'lib/libx.so.1': '-> \x1b]0;x\x07' }) },
  ];
  for (const each of cases) {
    const { answer, found } = await read(versionOne(zstdFrame(packageBytes(each))));
    assert.equal(answer.kind, 'read', each.name);
    assert.deepEqual(
      found.flatMap(({ files }) => files),
      [],
      each.name,
    );
    assert.equal(answer.kind === 'read' && answer.counts.ignored, 1, each.name);
  }
});

test('names that end in letters are found, others are not', async () => {
  const names = ['libfoo.so', 'libfoo.so.1a', 'libfoo.so.1.0.0-beta', 'x.cpython-311.so', '.so.x'];
  const others = ['libfoo.a', 'libfoo.sol', 'foo.so_', 'so', '.s', 'libso', 'x.socket', 'foo.so.d/file'];
  const tree = treeOf(Object.fromEntries([...names, ...others].map((name) => [`lib/${name}`, 600])));
  const { found } = await read(versionOne(zstdFrame(packageBytes({ ...library(1), tree }))));
  assert.deepEqual(found[0]?.files.map(({ name }) => name).sort(), [...names].sort());
});

test('databases without system, with null, and at the root of the store path', async () => {
  const hash = hashOf(3);
  const tree = treeOf({ 'libx.so.1': 700 });
  for (const system of [undefined, null]) {
    const { found } = await read(versionOne(zstdFrame(packageBytes({ hash, name: 'x', system, tree }))));
    assert.equal(found[0]?.object.system, '');
    assert.equal(found[0]?.files[0]?.dir, '');
  }
});

/** Each ends within seconds and in bounded memory, because it is damaged long before its end. */
test('bombs', { timeout: 60_000 }, async () => {
  /** A frame of RLE blocks by hand: 4 bytes for 128 KiB of one byte. */
  const bomb = (byte: number, blocks: number): Buffer => {
    const word = (last: number) => {
      const bytes = Buffer.alloc(4, byte);
      bytes.writeUIntLE(last | 2 | ((1 << 17) << 3), 0, 3);
      return bytes;
    };
    const head = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38]);
    return Buffer.concat([head, ...Array.from({ length: blocks - 1 }, () => word(0)), word(1)]);
  };
  const many = (entry: Buffer, times: number) => Buffer.alloc(entry.length * times, entry);
  // One entry of a package that repeats itself: 25 MB from a few KB.
  const same = zstdFrame(many(Buffer.from('1r\0\0\n', 'latin1'), 5_000_000));
  const manyNames = zstdFrame(many(Buffer.from('9x\0\0/a.so\n', 'latin1'), 2_200_000));
  const cases: [string, Buffer, RegExp][] = [
    ['8 GiB of zeros', versionOne(bomb(0, 65_536)), /without metadata/],
    ['8 GiB of letters', versionOne(bomb(0x61, 65_536)), /more than/],
    ['8 GiB of newlines', versionOne(bomb(0x0a, 65_536)), /more than/],
    ['a package without an end', versionOne(same), /without an end/],
    ['more names than there can be', versionOne(manyNames), /more than \d+ shared objects/],
    [
      'a window of 2 GiB',
      versionOne(Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 1, 0, 0])),
      /window over 128 MiB/,
    ],
    [
      'a window of 129 MiB',
      versionOne(Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x89, 1, 0, 0])),
      /window over 128 MiB/,
    ],
    ['a dictionary', versionOne(Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x01, 0x50, 7, 1, 0, 0])), /dictionary/],
    ['a block of no kind', versionOne(Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x50, 7, 0, 0])), /kind/],
    ['a million frames', versionOne(many(zstdFrame(Buffer.alloc(0)), 1_000_000)), /frames/],
    ['a long skip', versionOne(Buffer.from([0x50, 0x2a, 0x4d, 0x18, 0xff, 0xff, 0xff, 0xff])), /too early/],
  ];
  for (const [what, bytes, pattern] of cases) {
    const [before, began] = [process.memoryUsage().rss, process.cpuUsage()];
    const { answer } = await read(bytes);
    assert.match(JSON.stringify(answer), pattern, what);
    const { user, system } = process.cpuUsage(began);
    assert.ok(user + system < 10e6, `${what}: ${(user + system) / 1e6} s`);
    assert.ok(process.memoryUsage().rss - before < 500e6, what);
  }
});

test('a window of 128 MiB is read', async () => {
  // Window byte 0x88, as level 22 writes it, and one raw block.
  const all = bytesOf(packages);
  const block = Buffer.alloc(3);
  block.writeUIntLE(1 | (all.length << 3), 0, 3);
  const frame = Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x88]), block, all]);
  assert.deepEqual((await read(versionOne(frame))).found, expected);
});
