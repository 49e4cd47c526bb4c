// Which names can be served out of a directory of links.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { whyNoLibraryName } from '../../src/elf/library-names.ts';

const plain = [
  'libz.so.1',
  'lib odd.so',
  '-lfoo.so',
  '"q".so',
  '__proto__',
  '...',
  'lib$.so',
  '$ORIGINAL.so',
];
for (const name of [...plain, 'x'.repeat(255)]) {
  test(`${JSON.stringify(name)} is one`, () => assert.equal(whyNoLibraryName(name), undefined));
}

const odd: Record<string, RegExp> = {
  '': /empty/,
  '.': /directory/,
  '..': /directory/,
  'glibc-hwcaps': /directory/,
  '../../evil.so': /path/,
  '/etc/passwd': /path/,
  'lib\u001b[31m.so': /ASCII/,
  'lib\nline.so': /ASCII/,
  'lib\u007f.so': /ASCII/,
  'libc\u00c3\u00a9.so.1': /ASCII/,
  'lib$ORIGIN.so': /token/,
  'lib${LIB}.so': /token/,
  ['x'.repeat(256)]: /longer than 255 bytes/,
};
for (const [name, why] of Object.entries(odd)) {
  test(`${JSON.stringify(name.slice(0, 40))} is none`, () => assert.match(whyNoLibraryName(name) ?? '', why));
}
