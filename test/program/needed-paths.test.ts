// What a program needs by a path → served by its plain name where nothing is at the path, and left alone otherwise.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import type { ElfFile } from '../../src/elf/elf-file.ts';
import { plainNamesOf, withPlainNames } from '../../src/program/needed-paths.ts';

const scratch = mkdtempSync(path.join(tmpdir(), 'needed-paths-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
const there = path.join(scratch, 'libthere.so.1');
writeFileSync(there, '');

const absent = '/opt/gone/lib/libz.so.1';

test('an absolute path where nothing is has a plain name', () => {
  assert.deepEqual([...plainNamesOf({ needed: ['libm.so.6', absent] })], [[absent, 'libz.so.1']]);
});

for (const [what, name] of [
  ['a path where a file is', there],
  ['a relative path', 'lib/libz.so.1'],
  ['a path with a token', '/opt/$LIB/libz.so.1'],
  ['the loader', '/lib64/ld-linux-x86-64.so.2'],
  ['a directory', '/opt/gone/'],
  ['a name that no farm can have', '/opt/gone/glibc-hwcaps'],
] as const)
  test(`${what} has none`, () => {
    assert.equal(plainNamesOf({ needed: [name] }).size, 0);
  });

test('the names are those of needed versions too, each once', () => {
  const elf = {
    needed: ['libz.so.1', absent, 'libm.so.6'],
    verneed: [{ file: absent, versions: [{ name: 'ZLIB_1.2', weak: false }] }],
  } as unknown as ElfFile;
  const { needed, verneed } = withPlainNames(elf, plainNamesOf(elf));
  assert.deepEqual(needed, ['libz.so.1', 'libm.so.6']);
  assert.deepEqual(
    verneed.map(({ file }) => file),
    ['libz.so.1'],
  );
});
