// Which of the loaded files are not the chosen ones.
import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { mismatchesOf } from '../../src/farm/verify-set.ts';
import { scratchDirectory } from '../store/compiled-library.ts';

const farm = '/farms/1';
const library = { name: 'liba.so.1', path: '/store/a/lib/liba.so.1.2', usesOrigin: false };

function mismatched(
  loaded: string | undefined,
  links: Record<string, string> = {},
  libraryPathDirs: string[] = [],
) {
  const reached = { farm, links: new Map(Object.entries(links)), libraryPathDirs };
  return mismatchesOf([{ name: 'liba.so.1', path: loaded }], [library], reached).map((each) => each.loaded);
}

const link = { 'liba.so.1': library.path };

for (const [what, loaded, links] of [
  ['a link of the farm', `${farm}/liba.so.1`, link],
  [
    'a link to a variant',
    `${farm}/glibc-hwcaps/x86-64-v3/liba.so.1`,
    { 'glibc-hwcaps/x86-64-v3/liba.so.1': '/store/a/lib/glibc-hwcaps/x86-64-v3/liba.so.1' },
  ],
  ['its own directory', '/store/a/lib/liba.so.1', {}],
  ['a variant there', '/store/a/lib/glibc-hwcaps/x86-64-v2/liba.so.1', {}],
  ['a variant of old loaders', '/store/a/lib/tls/haswell/liba.so.1', {}],
  [
    'a mirror of its directory',
    `${farm}/in/a/lib/liba.so.1`,
    { 'in/a/lib/liba.so.1': '/store/a/lib/liba.so.1' },
  ],
] as const) {
  test(`${what} is the chosen one`, () => assert.deepEqual(mismatched(loaded, links), []));
}

for (const [what, loaded, links] of [
  ['a file of another object', '/store/b/lib/liba.so.1', link],
  ['a private one of the same object', '/store/a/lib/private/liba.so.1', link],
  ['a link of the farm to another object', `${farm}/liba.so.1`, { 'liba.so.1': '/store/b/lib/liba.so.1' }],
] as const) {
  test(`${what} is not`, () => assert.deepEqual(mismatched(loaded, links), [loaded]));
}

test('the same file by another way is the chosen one', () => {
  const scratch = scratchDirectory();
  mkdirSync(path.join(scratch, 'lib'));
  writeFileSync(path.join(scratch, 'lib/liba.so.1'), '');
  symlinkSync('lib', path.join(scratch, 'lib64'));
  const chosen = { ...library, path: path.join(scratch, 'lib/liba.so.1') };
  const objects = [{ name: 'liba.so.1', path: path.join(scratch, 'lib64/liba.so.1') }];
  assert.deepEqual(mismatchesOf(objects, [chosen], { farm, links: new Map(), libraryPathDirs: [] }), []);
});

test("the user's own directories come first with right", () => {
  assert.deepEqual(mismatched('/opt/lib/liba.so.1', link, ['/opt/lib']), []);
  assert.deepEqual(mismatched('/opt/library/liba.so.1', link, ['/opt/lib']), ['/opt/library/liba.so.1']);
});

test('what was not found, or not chosen, is not compared', () => {
  assert.deepEqual(mismatched(undefined), []);
  assert.deepEqual(
    mismatchesOf([{ name: 'libc.so.6', path: '/x' }], [library], {
      farm,
      links: new Map(),
      libraryPathDirs: [],
    }),
    [],
  );
});
